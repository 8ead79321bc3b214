package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.stage.MadeUpGpus.Task;
import latentmix.stage.StandaloneCluster.Submission;
import latentmix.table.InvertedRow;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The job on a standalone cluster of two unlike workers with two GPUs each, submitted by SparkSubmit. The GPUs are made
 * up, and CPUs compute at their addresses.
 */
@Tag("faults")
class GpuClusterTest {
    private static final List<String> FIRST = StandaloneCluster.FIRST.gpus();
    private static final List<String> SECOND = StandaloneCluster.SECOND.gpus();
    private static final Set<String> ON_GPUS = Set.of("prompts", "invert", "generate", "evaluate");

    /** What a latent of unit variance may differ by where its micro-batch was halved, as the README says. */
    private static final float HALVING_BOUND = 1e-4f;

    @TempDir
    static Path folder;

    private static StandaloneCluster cluster;
    private static Path input;
    private static Path config;
    private static Path classes;
    private static Run undisturbed;

    private record Run(Path folder, Submission submission, List<Task> tasks) {
        List<Task> of(String stage) {
            return tasks.stream().filter(task -> task.of(stage)).toList();
        }

        Set<String> executorsOf(String stage) {
            return of(stage).stream()
                    .filter(Task::succeeded)
                    .map(Task::executor)
                    .collect(Collectors.toSet());
        }
    }

    @BeforeAll
    static void anUndisturbedRunOfTwoExecutors() throws IOException, InterruptedException {
        cluster = StandaloneCluster.shared();
        input = TinyRun.input(folder.resolve("in"), 8);
        config = Files.writeString(folder.resolve("tiny.yaml"), TinyRun.YAML);
        classes = TinyRun.classes(folder.resolve("classes.tsv"));
        undisturbed = run("undisturbed", Map.of("spark.cores.max", "4"));
        assertThat(undisturbed.submission().exitCode())
                .as(undisturbed.submission().output())
                .isZero();
    }

    private static Run run(String name, Map<String, String> settings, String... options)
            throws IOException, InterruptedException {
        Path run = folder.resolve(name);
        Path tasks = Files.createDirectory(folder.resolve(name + "-tasks"));
        Map<String, String> all = new TreeMap<>(settings);
        all.put("spark.plugins", MadeUpGpus.class.getName());
        all.put(MadeUpGpus.TASKS, tasks.toString());
        List<String> arguments =
                new ArrayList<>(List.of("run", "--config", config.toString(), "--run", run.toString()));
        for (String override : TinyRun.overrides(input, "input.classes=" + classes, "evaluation.sample=100")) {
            arguments.addAll(List.of("--set", override));
        }
        arguments.addAll(List.of(options));
        Submission submission = cluster.submit(name, all, arguments);
        return new Run(run, submission, Task.read(tasks));
    }

    private static void assertSameTables(Run run) throws IOException {
        assertThat(run.submission().exitCode()).as(run.submission().output()).isZero();
        TinyRun.assertSameTables(run.folder(), undisturbed.folder());
    }

    @Test
    void tasksThatRunNetworksHaveOneGpuOfTheirExecutorAndOthersNone() {
        assertThat(ON_GPUS)
                .allSatisfy(
                        stage -> assertThat(undisturbed.of(stage)).isNotEmpty().allSatisfy(task -> {
                            assertThat(task.gpus()).hasSize(1);
                            assertThat(task.executorGpus()).containsAll(task.gpus());
                        }));
        assertThat(undisturbed.tasks())
                .filteredOn(task -> ON_GPUS.stream().noneMatch(task::of) && !task.of("ask"))
                .isNotEmpty()
                .allSatisfy(task -> assertThat(task.gpus()).isEmpty());
        assertThat(undisturbed.of("mix")).isNotEmpty();
        assertThat(undisturbed.of("export")).isNotEmpty();
    }

    @Test
    void theDoctorAsksEachExecutorForEachGpu() throws IOException, InterruptedException {
        Path tasks = Files.createDirectory(folder.resolve("doctor-tasks"));
        Submission submission = cluster.submit(
                "doctor",
                Map.of(
                        "spark.cores.max",
                        "4",
                        "spark.plugins",
                        MadeUpGpus.class.getName(),
                        MadeUpGpus.TASKS,
                        tasks.toString()),
                List.of("doctor", input.toString(), folder.resolve("nowhere").toString()));

        assertThat(submission.exitCode()).as(submission.output()).isEqualTo(2);
        assertThat(submission.output().lines())
                .filteredOn(line -> line.startsWith("127.0.0."))
                .filteredOn(line -> line.contains("UTF-8"))
                .hasSizeGreaterThanOrEqualTo(2)
                .allMatch(line -> line.contains(" cpu"));
        assertThat(submission.output().lines())
                .filteredOn(line -> line.contains("nowhere: expected a place that the executor can look into"))
                .hasSizeGreaterThanOrEqualTo(2);
        assertThat(Task.read(tasks))
                .filteredOn(task -> task.of("ask"))
                .isNotEmpty()
                .allMatch(task -> task.gpus().size() == 1);
    }

    @Test
    void classesSpreadOverExecutorsAndEachLoadsANetworkOnce() throws IOException {
        assertThat(undisturbed.executorsOf("invert")).hasSize(2);
        assertEachNetworkIsLoadedOncePerExecutorAndDevice(undisturbed);
        assertThat(undisturbed.of("invert").size() + undisturbed.of("generate").size())
                .as("tasks that needed the denoiser")
                .isGreaterThan(2);
    }

    private static void assertEachNetworkIsLoadedOncePerExecutorAndDevice(Run run) throws IOException {
        Map<String, List<String>> needed = Stream.concat(run.of("invert").stream(), run.of("generate").stream())
                .filter(Task::succeeded)
                .collect(Collectors.groupingBy(
                        Task::executor,
                        Collectors.mapping(
                                task -> "denoiser of unet onto " + task.device() + ", float32", Collectors.toList())));
        Map<String, List<JsonNode>> logs = cluster.executorLogs(run.submission());
        assertThat(needed).hasSize(2).allSatisfy((executor, networks) -> {
            List<String> loaded = logs.get(executor).stream()
                    .map(line -> line.get("msg").asText())
                    .filter(message -> message.startsWith("Loaded "))
                    .map(message -> message.replaceFirst("Loaded (.*), in .* ms", "$1"))
                    .toList();
            assertThat(loaded).containsAll(networks).doesNotHaveDuplicates();
        });
    }

    @Test
    void logLinesOfExecutorsAndOfTheDriverAreJsonThatSaysForWhichRunStageAndClassTheyAre() throws IOException {
        Map<String, List<JsonNode>> logs = cluster.executorLogs(undisturbed.submission());
        assertThat(logs).hasSize(2).allSatisfy((executor, lines) -> assertThat(contexts(lines))
                .isNotEmpty());
        assertThat(contexts(logs.values().stream().flatMap(List::stream).toList()))
                .contains(
                        List.of("invert", "5-sandal"),
                        List.of("invert", "9-ankle-boot"),
                        List.of("mix", "9-ankle-boot"),
                        List.of("generate", "5-sandal"));
        assertThat(contexts(undisturbed.submission().log()))
                .contains(List.of("invert", "all"), List.of("mix", "all"), List.of("generate", "all"));
    }

    /** The stages and classes of lines about the undisturbed run. */
    private static Set<List<String>> contexts(List<JsonNode> lines) {
        return lines.stream()
                .map(line -> line.path("context"))
                .filter(context ->
                        context.path("run").asText().equals(undisturbed.folder().toString()))
                .map(context -> List.of(
                        context.get("stage").asText(), context.get("class").asText()))
                .collect(Collectors.toSet());
    }

    @Test
    void unlikeExecutorsThatLoadANetworkOnceForEachOfTheirGpusASlowTaskAndItsCopyGiveTheSameBytes()
            throws IOException, InterruptedException {
        Run run = run(
                "unlike",
                Map.of(
                        "spark.executor.cores",
                        "", // all of a worker's: 2 and 4
                        "spark.executor.resource.gpu.amount",
                        "2",
                        "spark.speculation",
                        "true",
                        "spark.speculation.interval",
                        "100ms",
                        "spark.speculation.quantile",
                        "0.25",
                        "spark.speculation.multiplier",
                        "1.1",
                        MadeUpGpus.SLOW,
                        "generate "),
                "--gpus",
                "1");
        assertSameTables(run);
        assertThat(run.submission().events("SparkListenerExecutorAdded"))
                .hasSize(2)
                .anyMatch(event -> event.contains("\"Total Cores\":2"))
                .anyMatch(event -> event.contains("\"Total Cores\":4"));
        assertThat(run.submission().events("SparkListenerTaskStart"))
                .as("copies of the slow task")
                .anyMatch(event -> event.contains("\"Speculative\":true"));
        assertEachGpuHasOneTaskAtATime(run);
        assertThat(run.of("invert").stream()
                        .filter(Task::succeeded)
                        .collect(Collectors.groupingBy(
                                Task::executor, Collectors.mapping(Task::device, Collectors.toSet())))
                        .values())
                .as("devices of an executor")
                .contains(Set.of("cpu", "cpu0"));
        assertEachNetworkIsLoadedOncePerExecutorAndDevice(run);
    }

    private static void assertEachGpuHasOneTaskAtATime(Run run) {
        Map<String, List<Task>> byGpu = run.tasks().stream()
                .filter(Task::succeeded)
                .filter(task -> !task.gpus().isEmpty())
                .collect(Collectors.groupingBy(task -> task.gpus().get(0)));
        assertThat(byGpu.keySet()).containsAnyElementsOf(FIRST).containsAnyElementsOf(SECOND);
        assertThat(byGpu.size()).as("GPUs used").isGreaterThan(2);
        assertThat(byGpu.values())
                .allSatisfy(tasks -> assertThat(overlapping(tasks)).isEmpty());
    }

    private static List<List<Task>> overlapping(List<Task> tasks) {
        return tasks.stream()
                .flatMap(one -> tasks.stream()
                        .filter(other -> !one.equals(other) && one.start() < other.end() && other.start() < one.end())
                        .map(other -> List.of(one, other)))
                .toList();
    }

    @Test
    void aBrokenGpuIsGivenUpItsRowsGoToTheOtherAndTooLargeMicroBatchesRunInHalves()
            throws IOException, InterruptedException {
        Run run = run(
                "failing",
                Map.of(
                        "spark.cores.max",
                        "4",
                        "spark.excludeOnFailure.stage.maxFailedTasksPerExecutor",
                        "2",
                        MadeUpGpus.BROKEN,
                        String.join(",", FIRST),
                        MadeUpGpus.SMALL,
                        String.join(",", SECOND)));
        assertThat(run.submission().exitCode()).as(run.submission().output()).isZero();
        assertThat(run.of("invert"))
                .anySatisfy(task -> {
                    assertThat(task.succeeded()).isFalse();
                    assertThat(FIRST).containsAll(task.gpus());
                })
                .filteredOn(Task::succeeded)
                .hasSize(4)
                .allSatisfy(task -> assertThat(SECOND).containsAll(task.gpus()));
        assertThat(run.submission().events("SparkListenerExecutorExcludedForStage"))
                .isNotEmpty();

        assertThat(TinyRun.tables(run.folder()).keySet())
                .as("nothing is lost")
                .isEqualTo(TinyRun.tables(undisturbed.folder()).keySet());
        Map<String, InvertedRow> expected = inverted(undisturbed);
        Map<String, InvertedRow> found = inverted(run);
        assertThat(expected.values())
                .extracting(InvertedRow::halvings)
                .containsOnly(0)
                .hasSize(16);
        assertThat(found.values()).extracting(InvertedRow::halvings).containsOnly(1);
        assertThat(found).allSatisfy((id, row) -> {
            float[] latent = row.latent().latent().toFloats();
            float[] whole = expected.get(id).latent().latent().toFloats();
            for (int i = 0; i < latent.length; i++) {
                assertThat(latent[i]).isEqualTo(whole[i], within(HALVING_BOUND));
            }
        });
    }

    private static Map<String, InvertedRow> inverted(Run run) throws IOException {
        return TinyRun.rows(run.folder(), "inverted", InvertedRow.class).stream()
                .collect(Collectors.toMap(InvertedRow::imageId, row -> row));
    }

    @Test
    void withDynamicAllocationOnlyStagesThatRunNetworksGetExecutorsWithGpus() throws IOException, InterruptedException {
        Run run = run(
                "dynamic",
                Map.of(
                        "spark.executor.cores", "1",
                        "spark.dynamicAllocation.enabled", "true",
                        "spark.dynamicAllocation.maxExecutors", "2",
                        "spark.dynamicAllocation.executorIdleTimeout", "10min"), // no JVMs are started again
                "--gpus",
                "1");
        assertSameTables(run);
        assertThat(ON_GPUS).allSatisfy(stage -> assertThat(run.of(stage))
                .allSatisfy(task -> assertThat(task.gpus()).hasSize(1).isEqualTo(task.executorGpus())));
        assertThat(Stream.of("mix", "export").flatMap(stage -> run.of(stage).stream()))
                .isNotEmpty()
                .allSatisfy(task -> assertThat(task.executorGpus()).isEmpty());
    }

    @Test
    void aPyTorchThatDoesNotFitIsRefusedBeforeANetworkRuns() throws IOException, InterruptedException {
        Run run = run("mismatch", Map.of("spark.cores.max", "4", "spark.executorEnv.PYTORCH_VERSION", "2.5.0"));
        assertThat(run.submission().exitCode()).as(run.submission().output()).isEqualTo(2);
        assertThat(run.submission().output())
                .contains("PYTORCH_VERSION: expected 2.7.1")
                .doesNotContain("\tat ");
        assertThat(run.tasks()).isNotEmpty().noneMatch(task -> ON_GPUS.stream().anyMatch(task::of));
    }
}
