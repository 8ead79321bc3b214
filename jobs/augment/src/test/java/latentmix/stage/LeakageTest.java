package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.image.DifferenceHash;
import latentmix.image.ImageDecoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.plan.ExitCode;
import latentmix.table.ContentId;
import latentmix.table.LeakageRow;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images of tests that are in the input, too. */
class LeakageTest {
    private static final String SANDAL = TinyRun.CLASSES.get(0);
    private static final String BOOT = TinyRun.CLASSES.get(1);
    private static final int IMAGES = 8;
    private static final List<StageName> ALL = List.of(StageName.values());

    @TempDir
    static Path folder;

    private static Path input;
    private static Path test;
    private static Path run;
    private static RunConfig config;
    private static JavaSparkContext spark;

    @BeforeAll
    static void aRunWhoseTestsLeak() throws IOException {
        input = TinyRun.input(folder.resolve("in"), IMAGES);
        test = folder.resolve("held-out/test");
        TinyRun.copy(test, SANDAL, IMAGES, IMAGES + 4);
        TinyRun.copy(test, BOOT, IMAGES, IMAGES + 2);
        Files.copy(image(SANDAL, 0), test.resolve(SANDAL).resolve("copy.png"));
        Files.copy(image(SANDAL, 1), test.resolve(BOOT).resolve("of-another-class.png"));
        ImageIO.write(
                ImageIO.read(image(BOOT, 2).toFile()),
                "png",
                test.resolve(BOOT).resolve("again.png").toFile());
        Files.writeString(test.resolve(BOOT).resolve("broken.png"), "no image");
        Path val = folder.resolve("val.parquet");
        Picture.parquet(val, List.of(new Picture(1, image(BOOT, 3), "")));
        config = TinyRun.config(input, "leakage={test: [" + test + ", " + val + "], hash: 1}");
        run = folder.resolve("run");
        spark = TinyRun.spark(2);
        assertThat(Pipeline.summary(spark, config, run.toString(), ALL).exitCode())
                .isEqualTo(ExitCode.DONE);
    }

    @AfterAll
    static void end() {
        spark.close();
    }

    private static Path image(String classId, int position) throws IOException {
        try (Stream<Path> files = Files.list(input.resolve(classId))) {
            return files.sorted().skip(position).findFirst().orElseThrow();
        }
    }

    private static String id(String classId, int position) throws IOException {
        return ContentId.of(classId, Files.readAllBytes(image(classId, position)));
    }

    private static List<LeakageRow> rows(Path of, String split, String among) throws IOException {
        return TinyRun.rows(of, "leakage", LeakageRow.class).stream()
                .filter(row -> row.split().equals(split) && row.among().equals(among))
                .toList();
    }

    private static long hash(Path file) throws IOException {
        try {
            return DifferenceHash.of(
                    Resize.square(ImageDecoder.decode(Files.readAllBytes(file), Integer.MAX_VALUE), 32));
        } catch (UnreadableImage e) {
            throw new IOException(e);
        }
    }

    @Test
    void theTableNamesTheFilesOfTestsThatHaveAnImagesBytesWhateverTheirClass() throws IOException {
        Map<String, String> same = new HashMap<>();
        for (LeakageRow row : TinyRun.rows(run, "leakage", LeakageRow.class)) {
            if (row.same()) {
                assertThat(row.bits()).isZero();
                assertThat(row.split()).isEqualTo("real");
                same.put(row.id() + " " + row.path(), row.among() + " " + row.nearestPath());
            }
        }
        assertThat(same).hasSize(3);
        assertThat(same.get(id(SANDAL, 0) + " " + input.relativize(image(SANDAL, 0))))
                .isEqualTo("test " + SANDAL + "/copy.png");
        assertThat(same.get(id(SANDAL, 1) + " " + input.relativize(image(SANDAL, 1))))
                .isEqualTo("test " + BOOT + "/of-another-class.png");
        assertThat(same.get(id(BOOT, 3) + " " + input.relativize(image(BOOT, 3))))
                .startsWith("val.parquet ");
    }

    @Test
    void everyImageHasTheNearestOneOfItsClass() throws IOException {
        assertThat(rows(run, "made", "input")).hasSize(12);
        assertThat(rows(run, "made", "test")).hasSize(12);
        assertThat(rows(run, "made", "val.parquet")).as("of one class").hasSize(6);
        assertThat(rows(run, "real", "input")).hasSize(2 * IMAGES).allSatisfy(row -> assertThat(row.nearestId())
                .isNotEqualTo(row.id()));
        List<LeakageRow> tested = rows(run, "real", "test");
        assertThat(tested).hasSize(2 * IMAGES);
        for (LeakageRow row : tested) {
            List<Integer> bits = new ArrayList<>();
            long own = hash(input.resolve(row.path()));
            try (Stream<Path> others = Files.list(test.resolve(row.classId()))) {
                for (Path other :
                        others.filter(path -> !path.endsWith("broken.png")).toList()) {
                    bits.add(DifferenceHash.distance(own, hash(other)));
                }
            }
            assertThat(row.bits())
                    .as(row.path())
                    .isEqualTo(
                            row.same() ? 0 : bits.stream().min(Integer::compare).orElseThrow());
        }
        LeakageRow again = tested.stream()
                .filter(row -> row.nearestPath().endsWith("again.png") && row.bits() == 0)
                .findFirst()
                .orElseThrow();
        assertThat(again.same()).as("other bytes").isFalse();
    }

    @Test
    void theSummaryTheReportAndTheCardSayHowManyThereAre() throws IOException {
        JsonNode leakage = TinyRun.summary(run).get("leakage");
        assertThat(leakage.findValuesAsText("split")).containsExactly("made", "real", "made", "real", "made", "real");
        assertThat(leakage.findValuesAsText("among"))
                .containsExactly("input", "input", "test", "test", "val.parquet", "val.parquet");
        assertThat(leakage.findValuesAsText("same")).containsExactly("0", "0", "0", "2", "0", "1");
        assertThat(leakage.findValuesAsText("others")).containsExactly("16", "16", "9", "9", "1", "1");
        assertThat(leakage.findValuesAsText("refused")).containsExactly("0", "0", "1", "1", "0", "0");
        long near = rows(run, "real", "test").stream()
                .filter(row -> row.bits() <= 1)
                .count();
        assertThat(near).isGreaterThanOrEqualTo(3);
        assertThat(leakage.get(3).get("near").asLong()).isEqualTo(near);
        assertThat(leakage.get(3).get("bound").asInt()).isEqualTo(1);
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("<h2>How near images come to real ones", "within 1 bits", "<td>val.parquet</td>");
        assertThat(Files.readString(run.resolve("dataset/README.md")))
                .contains("| real | 16 | test | 9 | 2 | " + near + " | 0 | ")
                .doesNotContain(folder.toString());
    }

    @Test
    void aRunAgainDoesNothingAndAnImageMoreOfTestsIsSeen() throws IOException {
        Path again = TinyRun.copy(run, folder.resolve("again"));
        assertThat(Pipeline.summary(spark, config, again.toString(), ALL).stages())
                .allSatisfy(
                        stage -> assertThat(stage.chunks()).as(stage.stage()).isZero());
        TinyRun.assertSameTables(again, run);

        Path more = TinyRun.copy(test, folder.resolve("more"));
        Files.copy(image(BOOT, 4), more.resolve(BOOT).resolve("late.png"));
        Pipeline.summary(
                spark, TinyRun.config(input, "leakage.test=" + more), again.toString(), List.of(StageName.EXPORT));
        assertThat(rows(again, "real", "more").stream().filter(LeakageRow::same))
                .hasSize(3);
        assertThat(rows(again, "real", "test")).as("what is no more asked for").isEmpty();
    }

    @Test
    void aPlanRefusesTestsOfOtherClassesAndWarnsOfClassesThatTheyLack() throws IOException {
        Path other = folder.resolve("other");
        Files.createDirectories(other.resolve("wren"));
        Files.copy(image(BOOT, 0), other.resolve("wren/a.png"));
        Path none = folder.resolve("none");
        RunConfig wrong = TinyRun.config(input, "leakage.test=[" + other + ", " + none + "]");
        Path unused = folder.resolve("unused");
        assertThatThrownBy(() -> Pipeline.plan(spark, wrong, unused.toString()))
                .isInstanceOfSatisfying(ConfigException.class, e -> assertThat(e.problems())
                        .containsExactly(
                                "leakage.test: expected images of the input's classes in " + other
                                        + ", but there is none of 5-sandal, 9-ankle-boot; name a folder with the same"
                                        + " classes, or leave it out",
                                "leakage.test: expected a folder of class folders, but there is nothing at " + none
                                        + "; check the path"));
        assertThat(unused).doesNotExist();
        assertThatThrownBy(
                        () -> Pipeline.plan(spark, config, test.resolve("run").toString()))
                .hasMessageContaining("--run: expected a folder outside of leakage.test");
        assertThat(Pipeline.plan(spark, config, run.toString()).found().warnings())
                .contains(
                        "leakage.test: " + folder.resolve("val.parquet") + " has no image of 1 of 2 classes: 5-sandal");
    }

    @Test
    void foldersAreCalledByTheEndsOfTheirPathsThatTellThemApart() {
        assertThat(LeakageStage.names(List.of("/a/test", "s3a://b//test/", "val", "input")))
                .containsExactly("a/test", "b/test", "val", "./input");
    }
}
