package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineTest {
    /** 2 classes × 8 images × 4 steps. */
    private static final long INVERSION_EVALUATIONS = 2 * 8 * 4;

    /** 2 classes × (6 + 4) mixtures × 4 steps × 2 branches of guidance. */
    private static final long GENERATION_EVALUATIONS = 2 * 10 * 4 * 2;

    @TempDir
    static Path folder;

    private static Path input;
    private static RunConfig config;
    private static Path undisturbed;

    @BeforeAll
    static void anUndisturbedRun() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 8);
        config = TinyRun.config(input);
        undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, config, undisturbed)).isZero();
    }

    @Test
    void everyImageIsInvertedAndEveryMixtureGenerated() throws IOException {
        JsonNode counts = TinyRun.summary(undisturbed).get("counts");
        assertThat(counts.get("files").asLong()).isEqualTo(16);
        assertThat(counts.get("inverted").asLong()).isEqualTo(16);
        assertThat(counts.get("asked").asLong()).isEqualTo(20);
        assertThat(counts.get("generated").asLong()).isEqualTo(20);
        assertThat(counts.get("rejected")).isEmpty();
        assertThat(TinyRun.evaluations(undisturbed, "invert")).isEqualTo(INVERSION_EVALUATIONS);
        assertThat(TinyRun.evaluations(undisturbed, "generate")).isEqualTo(GENERATION_EVALUATIONS);
    }

    @Test
    void theReportShowsEveryMethodAndLoadsNothing() throws IOException {
        String report = Files.readString(undisturbed.resolve("report.html"));
        assertThat(report).contains("nin/chm", "lin/0", "fix/cmm", "src=\"data:image/png;base64,");
        assertThat(report).doesNotContain("http://", "https://", "<script", "<link", "url(");
    }

    @Test
    void aSecondRunComputesNothing() throws IOException {
        Path run = copy(undisturbed, "again");
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(TinyRun.tables(undisturbed));
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        assertThat(TinyRun.evaluations(run, "generate")).isZero();
    }

    @Test
    void anotherNumberOfCoresGivesTheSameBytes() throws IOException {
        Path run = folder.resolve("one-core");
        assertThat(TinyRun.run(1, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(TinyRun.tables(undisturbed));
    }

    @Test
    void lostChunksAloneAreComputedAgainAndAreTheSameBytes() throws IOException {
        Path run = copy(undisturbed, "lost");
        try (var files = Files.walk(run.resolve("inverted/class_id=5-sandal"))) {
            Files.delete(files.filter(Files::isRegularFile).findFirst().orElseThrow());
        }
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(TinyRun.tables(undisturbed));
        assertThat(TinyRun.evaluations(run, "invert")).isEqualTo(4 * 4);
    }

    @Test
    void aChangedSettingMakesNewRowsBesideTheOldOnes() throws IOException {
        Path run = copy(undisturbed, "changed");
        assertThat(TinyRun.run(2, TinyRun.config(input, "generation.guidance=1"), run))
                .isZero();
        Map<String, String> before = TinyRun.tables(undisturbed);
        before.keySet().removeIf(PipelineTest::isOfTheDataset);
        assertThat(TinyRun.tables(run)).containsAllEntriesOf(before);
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        assertThat(TinyRun.evaluations(run, "generate")).isEqualTo(GENERATION_EVALUATIONS / 2);
        assertThat(TinyRun.summary(run).get("counts").get("generated").asLong()).isEqualTo(20);
    }

    @Test
    void aSolverAndAGuidanceIntervalAreThoseOfTheSettings() throws IOException {
        Path run = copy(undisturbed, "solver");
        assertThat(TinyRun.run(
                        2,
                        TinyRun.config(
                                input, "generation.solver=dpm-solver++(2m)", "generation.guidance_interval=[200, 600]"),
                        run))
                .isZero();
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        assertThat(TinyRun.evaluations(run, "generate"))
                .isEqualTo(2 * 10 * (4 + 2)); // guided at 563 and 376 of 751, 563, 376, 188
        assertThat(TinyRun.summary(run).get("counts").get("generated").asLong()).isEqualTo(20);
    }

    @Test
    void whatTheDefaultsMeanCanBeWrittenOutWithoutNewRows() throws IOException {
        Path run = copy(undisturbed, "written-out");
        assertThat(TinyRun.run(
                        2,
                        TinyRun.config(
                                input,
                                "inversion.method=ddim",
                                "generation.solver=ddim",
                                "generation.guidance_interval=[0, 1000]"),
                        run))
                .isZero();
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        assertThat(TinyRun.evaluations(run, "generate")).isZero();
    }

    @Test
    void solversThatDoNotSuitTheCheckpointAreAllNamedBeforeAnyModelRuns() {
        Path run = folder.resolve("unsuited");
        assertThatThrownBy(() -> TinyRun.run(
                        1, TinyRun.config(input, "inversion.method=euler", "generation.solver=fireflow"), run))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("inversion.method: The solver must suit the checkpoint's process, which is a"
                        + " diffusion process, cannot be: euler; choose ddim")
                .hasMessageContaining("generation.solver: The solver must suit")
                .hasMessageContaining("cannot be: fireflow");
        assertThat(run.resolve("settings")).doesNotExist();
    }

    @Test
    void aLargerCountOnlyAddsMixtures() throws IOException {
        Path run = copy(undisturbed, "more");
        assertThat(TinyRun.run(2, TinyRun.config(input, "mixing.0.count=7"), run))
                .isZero();
        assertThat(TinyRun.tables(run)).containsAllEntriesOf(rowsOnly(TinyRun.tables(undisturbed)));
        assertThat(TinyRun.evaluations(run, "generate")).isEqualTo(2 * 4 * 2);
    }

    @Test
    void entriesOfTheSameSettingsShareTheirMixtures() throws IOException {
        Path run = copy(undisturbed, "shared");
        RunConfig.Mixing entry = config.mixing().get(0);
        RunConfig shared = config.withMixing(List.of(
                new RunConfig.Mixing(
                        "a", entry.methods(), entry.inputs(), entry.weights(), entry.pool(), entry.gate(), 2, true),
                new RunConfig.Mixing(
                        "b", entry.methods(), entry.inputs(), entry.weights(), entry.pool(), entry.gate(), 7, true)));

        assertThat(TinyRun.run(2, shared, run)).isZero();

        assertThat(TinyRun.evaluations(run, "generate")).isEqualTo(2L * 4 * 2); // each class's seventh, guided
        assertThat(TinyRun.summary(run).get("counts").get("generated").asLong()).isEqualTo(2 * 7);
    }

    @Test
    void someClassesAndSomeOfTheirImagesAreEnough() throws IOException {
        Path run = folder.resolve("limited");
        assertThat(TinyRun.run(
                        2,
                        TinyRun.config(input, "input.folders=9-ankle-boot", "input.limit=4", "mixing.1.inputs=2"),
                        run))
                .isZero();
        assertThat(TinyRun.summary(run).get("counts").get("inverted").asLong()).isEqualTo(4);

        RunConfig more = TinyRun.config(input, "input.folders=9-ankle-boot", "input.limit=6", "mixing.1.inputs=2");
        assertThat(TinyRun.run(2, more, run)).isZero();
        assertThat(TinyRun.summary(run).get("counts").get("inverted").asLong()).isEqualTo(6);
        assertThat(TinyRun.evaluations(run, "invert")).isEqualTo(2 * 4);

        RunConfig fewer = TinyRun.config(input, "input.folders=9-ankle-boot", "input.limit=4", "mixing.1.inputs=2");
        assertThatThrownBy(() -> TinyRun.run(2, fewer, run))
                .hasMessageContaining("input.limit: expected at least the 6 images that class 9-ankle-boot has");
        RunConfig unknown = TinyRun.config(input, "input.folders=4-coat");
        assertThatThrownBy(() -> TinyRun.run(2, unknown, run))
                .hasMessageContaining(
                        "input.folders: expected class folders of the input root, 5-sandal, 9-ankle-boot, got 4-coat");
    }

    @Test
    void anAddedImageAddsRowsChangesNoneAndTheDatasetHasTheMixturesOfAllImagesAlone() throws IOException {
        Path more = TinyRun.input(folder.resolve("more-in"), 8);
        Path run = folder.resolve("added");
        assertThat(TinyRun.run(2, TinyRun.config(more), run)).isZero();
        Map<String, String> before = TinyRun.tables(run);
        TinyRun.copy(more, "5-sandal", 8, 9);
        assertThat(TinyRun.run(2, TinyRun.config(more), run)).isZero();
        Map<String, String> after = TinyRun.tables(run);
        Map<String, String> rows = new TreeMap<>(before);
        rows.keySet().removeIf(PipelineTest::isOfTheDataset);
        assertThat(after).containsAllEntriesOf(rows);
        Set<String> sandals = images(before, "5-sandal");
        assertThat(sandals).hasSize(6);
        assertThat(images(after, "5-sandal")).hasSize(6).doesNotContainAnyElementsOf(sandals);
        assertThat(images(after, "9-ankle-boot")).isEqualTo(images(before, "9-ankle-boot"));
        assertThat(TinyRun.summary(run).get("counts").get("mixed").asLong()).isEqualTo(20);
        assertThat(TinyRun.evaluations(run, "invert")).isEqualTo(4);
        assertThat(TinyRun.summary(run).get("counts").get("inverted").asLong()).isEqualTo(17);
    }

    @Test
    void noStageShufflesAnything() throws Exception {
        AtomicLong shuffled = new AtomicLong();
        AtomicLong tasks = new AtomicLong();
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            spark.sc().addSparkListener(new SparkListener() {
                @Override
                public void onTaskEnd(SparkListenerTaskEnd end) {
                    tasks.incrementAndGet();
                    shuffled.addAndGet(end.taskMetrics().shuffleWriteMetrics().bytesWritten()
                            + end.taskMetrics().shuffleReadMetrics().totalBytesRead());
                }
            });
            Pipeline.run(spark, config, folder.resolve("shuffle").toString(), List.of(StageName.values()));
            spark.sc().listenerBus().waitUntilEmpty();
        }
        assertThat(tasks.get()).isGreaterThan(10);
        assertThat(shuffled.get()).isZero();
    }

    @Test
    void aRunFolderOfAnotherFormatIsRefused() throws IOException {
        Path run = folder.resolve("old");
        Files.createDirectories(run);
        Files.write(run.resolve("format.json"), "{\"format\": 2}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> TinyRun.run(1, config, run))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("format 3")
                .hasMessageContaining("\"format\": 2");
    }

    @Test
    void aPromptThatIsTooLongForTheEncoderIsSaidOnceAndCut() throws IOException {
        Path run = folder.resolve("long-prompt");
        RunConfig longer = TinyRun.config(input, "prompt.template=a photo of a {class} " + "of a coat ".repeat(4));
        List<String> warnings = new ArrayList<>();
        RunTerms terms = TinyRun.keepingWarnings(warnings);
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            for (int i = 0; i < 2; i++) {
                assertThat(Pipeline.summary(spark, longer, run.toString(), List.of(StageName.INVERT), terms)
                                .exitCode())
                        .isEqualTo(ExitCode.DONE);
            }
        }
        assertThat(warnings.stream().filter(line -> line.startsWith("The prompt ")))
                .hasSize(2)
                .allMatch(line -> line.contains("are cut by tokenizer, which keeps \"a photo of a "));
    }

    @Test
    void anImageSizeThatTheModelCannotTakeIsRefused() {
        RunConfig odd = TinyRun.config(input, "model.size=34");
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            assertThatThrownBy(
                            () -> Pipeline.run(spark, odd, folder.resolve("odd").toString(), List.of(StageName.INVERT)))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("model.size: must be a multiple of 4, cannot be: 34");
        }
    }

    @Test
    void aClassThatIsTooSmallIsNamedBeforeAnyModelRuns() throws IOException {
        Path small = TinyRun.input(folder.resolve("small-in"), 8);
        TinyRun.copy(small, "0-t-shirt", 0, 2);
        Files.createDirectories(small.resolve("1-trouser"));
        Path run = folder.resolve("small");
        assertThatThrownBy(() -> TinyRun.run(1, TinyRun.config(small), run))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("0-t-shirt")
                .hasMessageContaining("1-trouser");
        assertThat(run.resolve("inverted")).doesNotExist();
    }

    /** The names of a class's images in the dataset. */
    private static Set<String> images(Map<String, String> tables, String classId) {
        return tables.keySet().stream()
                .filter(name -> name.startsWith("dataset/images/" + classId + "/") && name.endsWith(".png"))
                .collect(Collectors.toSet());
    }

    /** Whether a file follows from what is exported now. */
    private static boolean isOfTheDataset(String name) {
        return name.startsWith("dataset/") || name.startsWith("exported/");
    }

    /** The tables and the images of the dataset, without the files that list or hold several and so grow with them. */
    private static Map<String, String> rowsOnly(Map<String, String> tables) {
        tables.keySet().removeIf(name -> isOfTheDataset(name) && !name.endsWith(".png"));
        return tables;
    }

    private static Path copy(Path run, String name) throws IOException {
        return TinyRun.copy(run, folder.resolve(name));
    }
}
