package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.table.DatasetRow;
import latentmix.table.MetricRow;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A long-tailed sample of 9, 4 and 2 images, and how many mixtures each form of a count makes of each class. */
class CountsTest {
    private static final String BOOTS = "9-ankle-boot";
    private static final String SANDALS = "5-sandal";
    private static final String COATS = "4-coat";

    private static JavaSparkContext spark;

    @TempDir
    private Path folder;

    private Path input;
    private Path run;

    @BeforeAll
    static void aSpark() {
        spark = TinyRun.spark(2);
    }

    @AfterAll
    static void noSpark() {
        spark.close();
    }

    @BeforeEach
    void aLongTail() throws IOException {
        input = folder.resolve("in");
        run = folder.resolve("run");
        TinyRun.copy(input, BOOTS, 0, 9);
        TinyRun.copy(input, SANDALS, 0, 4);
        TinyRun.copy(input, COATS, 0, 2);
    }

    private RunConfig config(String count, String... more) {
        return TinyRun.config(
                input,
                Stream.concat(
                                Stream.of(
                                        "mixing=[{name: made, methods: [lin/0, fix/0], inputs: 2, count: " + count
                                                + "}]",
                                        "inversion.steps=2",
                                        "generation.steps=2"),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    private List<String> run(String count, String... more) throws IOException {
        List<String> warnings = new ArrayList<>();
        assertThat(Pipeline.summary(
                                spark,
                                config(count, more),
                                run.toString(),
                                List.of(StageName.values()),
                                TinyRun.keepingWarnings(warnings))
                        .exitCode()
                        .code())
                .isZero();
        return warnings;
    }

    /** The mixtures of the dataset, as its rows say, by class. */
    private Map<String, Set<String>> made() throws IOException {
        Map<String, Set<String>> made = new TreeMap<>();
        for (DatasetRow row : TinyRun.rows(run, "dataset/parquet", DatasetRow.class)) {
            made.computeIfAbsent(row.className(), name -> new TreeSet<>()).add(row.mixId());
        }
        return made;
    }

    private Map<String, Integer> counts() throws IOException {
        Map<String, Integer> counts = new TreeMap<>();
        made().forEach((name, ids) -> counts.put(name, ids.size()));
        return counts;
    }

    private List<String> planned(String count) throws IOException {
        return Pipeline.plan(spark, config(count), run.toString()).found().asked();
    }

    @Test
    void balanceBringsEveryClassUpToTheLargestAndFollowsTheImages() throws IOException {
        assertThat(planned("balance")).containsExactly("made: 0 to 7 mixtures a class, 12 in all");
        assertThat(run("balance")).as("warnings").noneMatch(line -> line.contains("count"));
        assertThat(counts()).isEqualTo(Map.of(SANDALS, 5, COATS, 7));
        JsonNode classes = TinyRun.summary(run).get("classes");
        assertThat(classes.get(BOOTS)).hasToString("{\"made\":0,\"real\":9,\"total\":9}");
        assertThat(classes.get(SANDALS)).hasToString("{\"made\":5,\"real\":4,\"total\":9}");
        assertThat(classes.get(COATS)).hasToString("{\"made\":7,\"real\":2,\"total\":9}");
        for (JsonNode cell : TinyRun.summary(run).get("mixtures")) { // the first of two cells has the odd ones
            assertThat(cell.get("asked").asInt())
                    .isEqualTo(cell.get("mixed").asInt())
                    .isEqualTo(cell.get("method").asText().equals("lin/0") ? 7 : 5);
        }
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("With the real ones a class has 9 images, 27 in all.")
                .contains("2 real, 7 made, 9 in all");
        assertThat(Pipeline.plan(spark, config("balance"), run.toString()).stages())
                .allMatch(stage -> stage.rows() == 0);

        Map<String, Set<String>> before = made();
        TinyRun.copy(input, BOOTS, 9, 11);
        assertThat(planned("balance")).containsExactly("made: 0 to 9 mixtures a class, 16 in all");
        run("balance");
        assertThat(counts()).isEqualTo(Map.of(SANDALS, 7, COATS, 9));
        made().forEach((name, ids) -> assertThat(ids).containsAll(before.get(name)));
        assertThat(TinyRun.stage(run, "generate").get("rows").asLong()).isEqualTo(4);

        withdraw(BOOTS, 2);
        run("balance");
        assertThat(made()).isEqualTo(before);
        assertThat(TinyRun.summary(run)
                        .at("/counts/leftOut/mixtures beyond the count")
                        .asLong())
                .isEqualTo(4);
    }

    private void withdraw(String name, int images) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.list(input.resolve(name))) {
            files = found.sorted().toList();
        }
        for (Path file : files.subList(files.size() - images, files.size())) {
            Files.delete(file);
        }
    }

    @Test
    void theOtherFormsMakeWhatTheySayOfTheSameMixturesAsANumber() throws IOException {
        run("4");
        Map<String, Set<String>> eight = made();
        assertThat(counts()).isEqualTo(Map.of(BOOTS, 8, SANDALS, 8, COATS, 8));

        assertThat(run("{to: 8}"))
                .contains("mixing.made.count: {to: 8} asks for no mixture of 1 of 3 classes: " + BOOTS);
        assertThat(counts()).isEqualTo(Map.of(SANDALS, 4, COATS, 6));
        made().forEach((name, ids) -> assertThat(eight.get(name)).containsAll(ids));
        assertThat(TinyRun.stage(run, "generate").get("rows").asLong()).isZero();

        run("{ratio: 0.5}");
        assertThat(counts()).as("4.5 is 5").isEqualTo(Map.of(BOOTS, 5, SANDALS, 2, COATS, 1));

        run("{" + COATS + ": 3, default: 1}");
        assertThat(counts()).isEqualTo(Map.of(BOOTS, 2, SANDALS, 2, COATS, 6));

        assertThat(planned("{" + SANDALS + ": 2}")).containsExactly("made: 0 to 4 mixtures a class, 4 in all");
    }

    @Test
    void aClassThatIsTooSmallToMixIsNoMatterWhereNothingIsAskedOfIt() throws IOException {
        withdraw(COATS, 1);
        run("{" + SANDALS + ": 1, " + BOOTS + ": 1}");
        assertThat(counts()).isEqualTo(Map.of(BOOTS, 2, SANDALS, 2));
    }

    @Test
    void whatIsMeasuredIsWhatIsAskedForNow() throws IOException {
        Path classes = Files.writeString(
                folder.resolve("classes.tsv"),
                "index\tfolder\tname\n0\t" + COATS + "\tcoat\n1\t" + SANDALS + "\tsandal\n2\t" + BOOTS + "\tboot\n");
        String[] measured = {"input.classes=" + classes, "evaluation.sample=100"};
        run("{to: 8}", measured);
        assertThat(images()).containsOnly(5L); // of lin/0: 2 of 4 sandals, 3 of 6 coats
        run("{to: 6}", measured);
        assertThat(images()).containsOnly(3L);
    }

    /** How many images each metric of a method is of, over all classes. */
    private List<Long> images() throws IOException {
        return TinyRun.rows(run, "metrics", MetricRow.class).stream()
                .filter(row -> row.entry().equals("made")
                        && row.scope().equals(MetricRow.ALL)
                        && row.method().equals("lin/0"))
                .map(MetricRow::images)
                .toList();
    }
}
