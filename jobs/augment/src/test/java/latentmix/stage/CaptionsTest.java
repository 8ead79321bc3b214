package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.table.ContentId;
import latentmix.table.DatasetRow;
import latentmix.table.InvertedRow;
import latentmix.table.PromptRow;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that are inverted with captions of their own. */
class CaptionsTest {
    private static final int IMAGES = 8;
    private static final String[] MIX = {"prompt.from=caption", "prompt.mixture=mix"};

    @TempDir
    static Path folder;

    private static List<Picture> pictures;
    private static Path manifest;
    private static Path run;

    /** What each image is said to be: the first digits of its name, so that some share a caption. */
    private static String caption(String name) {
        return "shoe number " + name.replaceAll("\\D", "").chars().sum() % 5;
    }

    @BeforeAll
    static void aRunOnAManifest() throws IOException {
        pictures = saying(CaptionsTest::caption);
        manifest = Picture.manifest(folder.resolve("labels.csv"), pictures);
        run = folder.resolve("run");
        List<String> said = new ArrayList<>();
        assertThat(run(TinyRun.config(manifest, MIX), run, said)).isEqualTo(ExitCode.DONE);
        long distinct = pictures.stream().map(Picture::caption).distinct().count();
        assertThat(distinct).isBetween(2L, pictures.size() - 1L);
        assertThat(said)
                .as("each caption once, two classes' prompts and the negative one")
                .anyMatch(line -> line.startsWith("prompts   " + (distinct + 3) + "/" + (distinct + 3) + " prompts"));
        assertThat(said).noneMatch(line -> line.contains("no caption"));
        assertThat(said).as("the file that was indexed").anyMatch(line -> line.startsWith("images    1/1 MB"));
    }

    private static List<Picture> saying(UnaryOperator<String> captions) throws IOException {
        Path input = folder.resolve("in");
        if (!Files.exists(input)) {
            TinyRun.input(input, IMAGES);
        }
        return Picture.of(input).stream()
                .map(picture -> picture.saying(captions))
                .toList();
    }

    private static ExitCode run(RunConfig config, Path run, List<String> said) throws IOException {
        Console console = new Console() {
            @Override
            public void say(String line) {
                said.add(line);
            }

            @Override
            public void progress(String line) {}

            @Override
            public void warn(String line) {
                said.add(line);
            }
        };
        return run(config, run, RunTerms.saying(console));
    }

    private static ExitCode run(RunConfig config, Path run, RunTerms terms) throws IOException {
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            return Pipeline.summary(spark, config, run.toString(), List.of(StageName.values()), terms)
                    .exitCode();
        }
    }

    private static Map<String, String> tables(Path run, String... names) throws IOException {
        Map<String, String> tables = TinyRun.tables(run);
        tables.keySet().removeIf(file -> !List.of(names).contains(file.substring(0, file.indexOf('/'))));
        return tables;
    }

    private static Map<String, String> prompts(Path run) throws IOException {
        return TinyRun.rows(run, "inverted", InvertedRow.class).stream()
                .collect(Collectors.toMap(row -> row.classId() + row.path(), InvertedRow::prompt));
    }

    private static void assertSameMade(Path root) throws IOException {
        Path other = folder.resolve("run of " + root.getFileName());
        assertThat(TinyRun.run(2, TinyRun.config(root, MIX), other)).isZero();
        String[] made = {"prompts", "mixed", "generated", "dataset"};
        assertThat(tables(other, made)).isNotEmpty().isEqualTo(tables(run, made));
    }

    @Test
    void theSameCaptionsGiveTheSameBytesInParquetFiles() throws IOException {
        Path root = Files.createDirectories(folder.resolve("parquet"));
        Picture.parquet(root.resolve("a.parquet"), pictures);
        assertSameMade(root);
        assertThat(TinyRun.rows(run, "prompts", PromptRow.class))
                .extracting(PromptRow::text)
                .contains("", "a photo of a 5-sandal", pictures.get(0).caption())
                .doesNotHaveDuplicates();
    }

    @Test
    void theSameCaptionsGiveTheSameBytesInTarFiles() throws IOException {
        Path root = Files.createDirectories(folder.resolve("tar"));
        Picture.tar(root.resolve("a.tar"), pictures);
        assertSameMade(root);
    }

    @Test
    void aCaptionThatIsTheClassesPromptIsInvertedAsThat() throws IOException {
        Path classes = folder.resolve("by class");
        assertThat(TinyRun.run(2, TinyRun.config(manifest), classes)).isZero();
        assertThat(tables(classes, "captions")).isEmpty();
        assertThat(prompts(classes).values()).containsOnly("a photo of a 5-sandal", "a photo of a 9-ankle-boot");
        Path same = Picture.manifest(
                folder.resolve("same.csv"),
                pictures.stream()
                        .map(picture -> picture.saying(name -> "a photo of a " + TinyRun.CLASSES.get(picture.label())))
                        .toList());
        Path captions = folder.resolve("by the same captions");
        assertThat(TinyRun.run(2, TinyRun.config(same, "prompt.from=caption"), captions))
                .isZero();
        String[] all = {"prompts", "inverted", "mixed", "generated", "dataset", "settings"};
        assertThat(tables(captions, all)).isNotEmpty().isEqualTo(tables(classes, all));
        assertThat(tables(run, "inverted").keySet())
                .doesNotContainAnyElementsOf(tables(classes, "inverted").keySet());
    }

    @Test
    void whatAnInversionKeepsBesideTheNoiseIsFoundByEachImagesOwnCaption() throws IOException {
        Path kept = folder.resolve("kept");
        RunConfig config = TinyRun.config(manifest, "prompt.from=caption", "inversion.method=bdia", "mixing.0.count=2");
        assertThat(run(config, kept, RunTerms.NONE)).isEqualTo(ExitCode.DONE);
        assertThat(TinyRun.summary(kept).at("/counts/generated").asLong()).isEqualTo(2 * (2 + 4));
    }

    @Test
    void aStoppedRunGoesOnWhereItStopped() throws IOException {
        Path stopped = folder.resolve("stopped");
        RunConfig config = TinyRun.config(manifest, MIX);
        RunTerms little = new RunTerms("", 1e-9, false, Console.SILENT);
        int attempts = 0;
        while (run(config, stopped, attempts < 2 ? little : RunTerms.NONE) != ExitCode.DONE) {
            attempts++;
        }
        assertThat(attempts).isPositive();
        TinyRun.assertSameTables(stopped, run);
        assertThat(tables(stopped, "captions")).hasSize(2);
    }

    @Test
    void anImageWithoutACaptionHasItsClassesPromptWhichIsCountedAndAChangedCaptionIsFollowed() throws IOException {
        Path list = folder.resolve("some.csv");
        List<Picture> some = new ArrayList<>(pictures);
        some.set(0, new Picture(0, some.get(0).file(), ""));
        Picture.manifest(list, some);
        Path run = folder.resolve("some");
        RunConfig config = TinyRun.config(list, "prompt.from=caption", "prompt.mixture=heaviest", "mixing.1.inputs=2");
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            Plan plan = Pipeline.plan(spark, config, run.toString());
            assertThat(plan.found().warnings()).anyMatch(line -> line.contains("1 of 16 images have no caption"));
            assertThat(plan.tables())
                    .filteredOn(size -> size.table().equals("prompts"))
                    .singleElement()
                    .satisfies(size -> assertThat(size.files()).isEqualTo(16));
        }
        List<String> said = new ArrayList<>();
        run(config, run, said);
        assertThat(said).anyMatch(line -> line.contains("1 of 16 images have no caption"));
        assertThat(TinyRun.summary(run).at("/counts/uncaptioned").asLong()).isEqualTo(1);
        Map<String, String> told = prompts(run);
        assertThat(told.values()).filteredOn("a photo of a 5-sandal"::equals).hasSize(1);

        Map<String, String> before = tables(run, "inverted");
        some.set(0, new Picture(0, some.get(0).file(), "a sandal, at last"));
        Picture.manifest(list, some);
        run(config, run, new ArrayList<>());
        assertThat(tables(run, "inverted")).containsAllEntriesOf(before).hasSize(before.size() + 1);
        assertThat(TinyRun.evaluations(run, "invert")).as("one chunk, 4 steps").isEqualTo(4 * 4);
        assertThat(TinyRun.evaluations(run, "generate")).as("of one class").isPositive();
        assertThat(TinyRun.rows(run, "inverted", InvertedRow.class))
                .extracting(InvertedRow::prompt)
                .contains("a sandal, at last");
        assertThat(TinyRun.summary(run).at("/counts/uncaptioned").isMissingNode())
                .isTrue();
        assertAWithdrawnImageIsToldNobodyAndIsBackWithItsCaption(list, some, config, run);
    }

    private static void assertAWithdrawnImageIsToldNobodyAndIsBackWithItsCaption(
            Path list, List<Picture> all, RunConfig config, Path run) throws IOException {
        String id = ContentId.of(TinyRun.CLASSES.get(0), all.get(0).bytes());
        Map<String, String> before = tables(run, "dataset", "captions");
        assertThat(sources(run)).contains(id);
        Picture.manifest(list, all.subList(1, all.size()));
        run(config, run, new ArrayList<>());
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        assertThat(TinyRun.evaluations(run, "generate")).as("of one class").isPositive();
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("inverted").asLong()).isEqualTo(all.size() - 1);
        assertThat(counts.at("/leftOut/images withdrawn").asLong()).isEqualTo(1);
        assertThat(counts.at("/uncaptioned").isMissingNode()).isTrue();
        assertThat(sources(run)).doesNotContain(id);

        Picture.manifest(list, all);
        run(config, run, new ArrayList<>());
        assertThat(tables(run, "dataset", "captions")).isEqualTo(before);
        assertThat(TinyRun.evaluations(run, "invert") + TinyRun.evaluations(run, "generate"))
                .isZero();
    }

    private static Set<String> sources(Path run) throws IOException {
        return TinyRun.rows(run, "dataset/parquet", DatasetRow.class).stream()
                .flatMap(row -> row.sourceIds().stream())
                .collect(Collectors.toSet());
    }

    @Test
    void captionsThatAreNotThereAreRefusedBeforeAnyModelRuns() throws IOException {
        Path none = Picture.manifest(folder.resolve("none.csv"), saying(name -> ""));
        for (Path root : List.of(none, folder.resolve("in"))) {
            assertThatThrownBy(() ->
                            TinyRun.run(1, TinyRun.config(root, "prompt.from=caption"), folder.resolve("refused")))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("prompt.from: expected images with captions")
                    .hasMessageContaining("input.columns: {caption: …}");
        }
    }
}
