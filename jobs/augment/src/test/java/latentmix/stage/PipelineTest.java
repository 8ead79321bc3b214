package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.table.ContentId;
import latentmix.table.DatasetRow;
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

    private static final List<StageName> ALL = List.of(StageName.values());

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
        Map<String, String> four = TinyRun.tables(run);

        RunConfig more = TinyRun.config(input, "input.folders=9-ankle-boot", "input.limit=6", "mixing.1.inputs=2");
        assertThat(TinyRun.run(2, more, run)).isZero();
        assertThat(TinyRun.summary(run).get("counts").get("inverted").asLong()).isEqualTo(6);
        assertThat(TinyRun.evaluations(run, "invert")).isEqualTo(2 * 4);

        RunConfig fewer = TinyRun.config(input, "input.folders=9-ankle-boot", "input.limit=4", "mixing.1.inputs=2");
        assertThat(TinyRun.run(2, fewer, run)).isZero();
        assertThat(dataset(TinyRun.tables(run))).isEqualTo(dataset(four));
        assertThat(TinyRun.summary(run).at("/counts/inverted").asLong()).isEqualTo(4);
        assertThat(leftOut(run)).contains("\"images beyond input.limit\":2");
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
    void theDatasetFollowsTheImagesAndAnImageThatIsBackBringsTheOldOneBack() throws IOException {
        Path in = TinyRun.input(folder.resolve("following-in"), 9);
        RunConfig following = TinyRun.config(in);
        Path run = folder.resolve("following");
        assertThat(TinyRun.run(2, following, run)).isZero();
        Map<String, String> before = TinyRun.tables(run);
        Path image = first(in.resolve("5-sandal"));
        String id = ContentId.of("5-sandal", Files.readAllBytes(image));
        assertThat(sources(run)).contains(id);
        Path away = Files.move(image, folder.resolve("away.png"));

        try (JavaSparkContext spark = TinyRun.spark(2)) {
            List<StageName> later = List.of(StageName.MIX, StageName.GENERATE, StageName.EXPORT);
            assertThat(Pipeline.run(spark, following, run.toString(), later)).isZero();
            Map<String, String> without = TinyRun.tables(run);
            assertThat(sources(run)).doesNotContain(id);
            assertThat(images(without, "5-sandal")).hasSize(6).doesNotContainAnyElementsOf(images(before, "5-sandal"));
            assertThat(images(without, "9-ankle-boot")).isEqualTo(images(before, "9-ankle-boot"));
            assertThat(Pipeline.run(spark, following, run.toString(), ALL)).isZero();
            assertThat(TinyRun.tables(run)).as("the stages alone did it all").isEqualTo(without);
            assertThat(TinyRun.evaluations(run, "invert")).isZero();
            String leftOut = "{\"images withdrawn\":1,\"mixtures of other pools\":10}";
            assertThat(leftOut(run)).isEqualTo(leftOut);
            JsonNode counts = TinyRun.summary(run).get("counts");
            assertThat(counts.get("images").asLong()).isEqualTo(17);
            assertThat(counts.get("inverted").asLong()).isEqualTo(17);
            assertThat(counts.get("generated").asLong()).isEqualTo(20);
            assertThat(Files.readString(run.resolve("report.html"))).contains("1 images withdrawn, 10 mixtures of");
            Plan plan = Pipeline.plan(spark, following, run.toString());
            assertThat(plan.found().leftOut()).hasToString("{images withdrawn=1, mixtures of other pools=10}");
            assertThat(plan.stages()).allMatch(stage -> stage.rows() == 0);

            Files.move(away, image.resolveSibling("renamed.png"));
            assertThat(Pipeline.run(spark, following, run.toString(), ALL)).isZero();
            assertThat(dataset(TinyRun.tables(run))).isEqualTo(dataset(before));
            assertThat(TinyRun.evaluations(run, "invert") + TinyRun.evaluations(run, "generate"))
                    .isZero();
            assertThat(leftOut(run)).isEqualTo("{\"mixtures of other pools\":10}");

            RunConfig sandals = TinyRun.config(in, "input.folders=5-sandal");
            assertThat(Pipeline.plan(spark, sandals, run.toString()).found().leftOut())
                    .hasToString("{images of classes not asked for=9, mixtures of other pools=20}");
            Files.move(in.resolve("9-ankle-boot"), folder.resolve("boots away"));
            plan = Pipeline.plan(spark, following, run.toString());
            assertThat(plan.found().leftOut()).hasToString("{images withdrawn=9, mixtures of other pools=20}");
            assertThat(Pipeline.run(spark, following, run.toString(), ALL)).isZero();
            assertThat(leftOut(run)).isEqualTo("{\"images withdrawn\":9,\"mixtures of other pools\":20}");
            assertThat(images(TinyRun.tables(run), "9-ankle-boot")).isEmpty();
        }
    }

    @Test
    void anImageWithoutWhichNothingStandsYetIsNotInvertedAndAMovedOneIsFound() throws IOException {
        Path in = TinyRun.input(folder.resolve("changing-in"), 10);
        Path run = folder.resolve("changing");
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            assertThat(Pipeline.run(spark, TinyRun.config(in), run.toString(), List.of(StageName.INVERT)))
                    .isZero();
        }
        Path removed = first(in.resolve("5-sandal"));
        Files.delete(removed);
        Path moved = first(in.resolve("5-sandal"));
        Files.move(moved, moved.resolveSibling("renamed.png"));
        Path replaced = first(in.resolve("9-ankle-boot"));
        TinyRun.copy(in, "9-ankle-boot", 10, 11);
        Files.move(last(in.resolve("9-ankle-boot")), replaced, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Path twin = first(in.resolve("5-sandal"));
        Files.copy(twin, in.resolve("9-ankle-boot/twin.png"));
        RunConfig other = TinyRun.config(in, "inversion.steps=5", "run.max_rejected=0.5");
        assertThat(TinyRun.run(2, other, run)).isZero();
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("images").asLong()).isEqualTo(8 + 10);
        assertThat(counts.get("inverted").asLong()).isEqualTo(8 + 10);
        assertThat(counts.get("generated").asLong()).isEqualTo(20);
        assertThat(counts.get("rejected")).hasToString("{\"images\":{\"conflict\":2}}");
        assertThat(leftOut(run)).isEqualTo("{\"images that lie in another class, too\":1,\"images withdrawn\":2}");
        assertThat(TinyRun.evaluations(run, "invert")).isEqualTo(18 * 5);
        assertThat(sources(run)).doesNotContain(ContentId.of("5-sandal", Files.readAllBytes(twin)));
    }

    private static Path first(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.sorted().findFirst().orElseThrow();
        }
    }

    private static Path last(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return files.max(Comparator.naturalOrder()).orElseThrow();
        }
    }

    private static Map<String, String> dataset(Map<String, String> tables) {
        Map<String, String> files = new TreeMap<>(tables);
        files.keySet().removeIf(name -> !isOfTheDataset(name));
        return files;
    }

    /** The ids of the images that a dataset's mixtures are made of. */
    private static Set<String> sources(Path run) throws IOException {
        return TinyRun.rows(run, "dataset/parquet", DatasetRow.class).stream()
                .flatMap(row -> row.sourceIds().stream())
                .collect(Collectors.toSet());
    }

    private static String leftOut(Path run) throws IOException {
        return TinyRun.summary(run).at("/counts/leftOut").toString();
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
