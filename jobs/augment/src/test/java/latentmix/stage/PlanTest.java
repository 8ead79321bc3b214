package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.Demo;
import latentmix.config.RunConfig;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A plan is the pre-flight: it says what a run finds and refuses what a run refuses, in the same words. */
class PlanTest {
    private static final List<StageName> ALL = List.of(StageName.values());

    private static final List<String> ASKED =
            List.of("dataset: 6 mixtures a class, 12 in all", "comparison: 4 mixtures a class, 8 in all");

    private static JavaSparkContext spark;

    @TempDir
    private Path folder;

    @BeforeAll
    static void aSpark() {
        spark = TinyRun.spark(2);
    }

    @AfterAll
    static void noSpark() {
        spark.close();
    }

    /** Files that are added to a good input, overrides, and what both say. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            nullValues = "-",
            value = {
                "empty/notes.txt; -; expected images in every class folder, but empty has none",
                "empty/.hidden/a.png; -; expected images in every class folder, but empty has none",
                "small/a.png; -; small: ",
                "-; input.root=nowhere; there is nothing at nowhere",
                "-; input.folders=[coat]; got coat",
                "-; mixing.0.count={9-ankle-bot: 3}; got 9-ankle-bot; did you mean 9-ankle-boot?",
                "-; mixing.0.count={ratio: 1e9}; expected at most 2147483647 mixtures of a class, got 8000000000",
                "-; input.classes=classes.tsv; there is no file at classes.tsv",
                "caf\u00e9/a.png cafe\u0301/a.png; -; expected one folder called caf\u00e9",
                "a:b/a.png; -; expected folder names without a colon"
            })
    void whatARunRefusesAPlanRefusesInTheSameWords(String files, String override, String problem) throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        for (String file : files == null ? new String[0] : files.split(" ", -1)) {
            Files.createDirectories(input.resolve(file).getParent());
            Files.writeString(input.resolve(file), file);
        }
        RunConfig config = override == null ? TinyRun.config(input) : TinyRun.config(input, override);
        assertSameRefusal(config, problem);
    }

    @Test
    void aBackwardPassThatNoExecutorHasMemoryForIsRefusedByBoth() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        assertSameRefusal(
                TinyRun.config(
                        input,
                        "inversion.method=null-text(10)",
                        "generation.guidance=2",
                        "model.batch=1000000",
                        "run.chunk=1000000"),
                "model.batch: expected memory for the backward pass of null-text");
    }

    @Test
    void aDatasetOfSplitsIsRefusedByBoth() throws IOException {
        TinyRun.input(folder.resolve("in/train"), 4);
        TinyRun.input(folder.resolve("in/val"), 4);
        assertSameRefusal(TinyRun.config(folder.resolve("in")), "write input.root=" + folder.resolve("in") + "/train");
    }

    @Test
    void aRunFolderInTheInputIsRefusedByBothAndNothingIsWrittenThere() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 4);
        RunConfig config = TinyRun.config(input, "mixing.1.inputs=2");
        assertSameRefusal(
                config, input.resolve("runs/one").toString(), "--run: expected a folder outside of input.root");
        assertThat(input.resolve("runs")).doesNotExist();
        Path reference = folder.resolve("reference");
        String measured = "evaluation={reference: " + reference + ", classifier: null}";
        assertSameRefusal(
                TinyRun.config(input, "mixing.1.inputs=2", measured),
                reference.toString(),
                "--run: expected a folder outside of evaluation.reference");
        Plan hidden = Pipeline.plan(spark, config, input.resolve(".runs/one").toString());
        assertThat(hidden.found().images()).isEqualTo(8);
    }

    private void assertSameRefusal(RunConfig config, String problem) {
        assertSameRefusal(config, folder.resolve("run").toString(), problem);
    }

    /** The problems without what changes from one moment to the next. */
    private static List<String> withoutFreeMemory(ConfigException refused) {
        return refused.problems().stream()
                .map(line -> line.replaceAll("(an executor has|to at most) [\\d.]+", "$1 …"))
                .toList();
    }

    private static void assertSameRefusal(RunConfig config, String run, String problem) {
        ConfigException planned = catchThrowableOfType(ConfigException.class, () -> Pipeline.plan(spark, config, run));
        ConfigException ran = catchThrowableOfType(ConfigException.class, () -> Pipeline.run(spark, config, run, ALL));
        assertThat(withoutFreeMemory(planned)).isEqualTo(withoutFreeMemory(ran));
        assertThat(planned.problems()).anySatisfy(line -> assertThat(line).contains(problem));
    }

    @Test
    void aPlanSaysWhatIsThereAndARunWhatBecameOfIt() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path sandals = input.resolve(TinyRun.CLASSES.get(0));
        Files.writeString(sandals.resolve("notes.txt"), "");
        Files.writeString(sandals.resolve("Thumbs.db"), "");
        Files.writeString(input.resolve("stray.png"), "");
        Files.writeString(sandals.resolve("phone.HEIC"), "\0\0\0\30ftypheic\0\0\0\0mif1heic");
        Files.writeString(sandals.resolve("drawing.svg"), "<svg width=\"1\"/>");
        Files.createSymbolicLink(sandals.resolve("gone.png"), Path.of("nowhere"));
        TinyRun.copy(input, TinyRun.CLASSES.get(1), 8, 9);
        Path twin;
        try (var boots = Files.list(input.resolve(TinyRun.CLASSES.get(1)))) {
            twin = boots.sorted().skip(8).findFirst().orElseThrow();
        }
        Files.copy(twin, sandals.resolve("twin.png"));
        Path classes = TinyRun.classes(input.resolve("classes.tsv")); // which is read and not ignored
        RunConfig config = TinyRun.config(input, "run.max_rejected=0.3", "input.classes=" + classes);
        String run = folder.resolve("run").toString();

        Map<String, Long> ignored = Map.of(".db", 1L, ".txt", 1L, "images beside the class folders", 1L);
        Plan before = Pipeline.plan(spark, config, run);
        assertThat(before.found())
                .isEqualTo(new Plan.Found(
                        2,
                        20,
                        20,
                        0,
                        Map.of(".heic", 1L, ".svg", 1L),
                        Map.of("dangling link", 1L),
                        ignored,
                        Map.of(),
                        ASKED,
                        "",
                        small(9)));
        assertThat(before.text(new Plan.Rates(Map.of(), 1, OptionalDouble.empty(), OptionalDouble.empty())))
                .contains(
                        "input      2 classes, 20 images",
                        "ignored    1 .db, 1 .txt, 1 images beside the class folders",
                        "refused    1 dangling link",
                        "unreadable 1 .heic, 1 .svg by their names, which a run refuses if they are what they say:"
                                + " convert to PNG or JPEG",
                        "unread     20 images",
                        "mixing     dataset: 6 mixtures a class, 12 in all");

        assertThat(Pipeline.run(spark, config, run, ALL)).isZero();
        assertThat(TinyRun.summary(Path.of(run)).at("/counts/rejected/images"))
                .hasToString("{\"conflict\":2,\"dangling link\":1}");
        assertThat(TinyRun.summary(Path.of(run)).at("/counts/rejected/invert")).hasToString("{\"unsupported\":2}");
        assertThat(TinyRun.summary(Path.of(run)).at("/counts/images").asLong()).isEqualTo(18);
        assertThat(TinyRun.summary(Path.of(run)).at("/counts/ignored/.db").asLong())
                .isEqualTo(1);
        Plan after = Pipeline.plan(spark, config, run);
        assertThat(after.found())
                .isEqualTo(new Plan.Found(
                        2,
                        18,
                        0,
                        0,
                        Map.of(".heic", 1L, ".svg", 1L),
                        Map.of("conflict", 2L, "dangling link", 1L),
                        ignored,
                        Map.of(),
                        ASKED,
                        "",
                        small(8)));
        assertThat(after.stages()).allMatch(stage -> stage.rows() == 0);
    }

    /** What a run warns of where the smallest class has so many images. */
    private static List<String> small(int images) {
        return List.of("Method fix/cmm with an effective count of 4.00 inputs wants a class of at least 16 images, has "
                + images + ": the class mean holds much of every mixture's noise; consider pool: leave-inputs-out");
    }

    @ParameterizedTest
    @CsvSource({"EMOJI, 256", "FASHION, 640"})
    void theNotesOfABuiltInSampleAreNoUsersBusiness(Demo demo, int images) throws IOException {
        Plan plan = Pipeline.plan(
                spark, ConfigFile.demo(demo, List.of()), folder.resolve("demo").toString());
        assertThat(plan.found().ignored()).isEmpty();
        assertThat(plan.found().images()).isEqualTo(images);
    }

    @Test
    void aNewcomersFirstRunWarnsOfNothing() throws IOException {
        Plan plan = Pipeline.plan(
                spark,
                ConfigFile.demo(Demo.EMOJI, List.of()),
                folder.resolve("demo").toString());
        assertThat(plan.found().warnings()).isEmpty();
    }
}
