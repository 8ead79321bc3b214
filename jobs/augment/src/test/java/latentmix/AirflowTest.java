package latentmix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.stage.TinyRun;
import latentmix.table.Lease;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The DAG of conf/airflow, imported by Python with stand-ins for Airflow's own modules, which are not at hand: its
 * tasks, and its command lines as Spark's own SparkSubmit runs them.
 */
class AirflowTest {
    private static final Path DAG = Repository.file("conf/airflow/latentmix_dag.py");
    private static final Path RUNNER = Path.of("src/test/resources/airflow/run_dag.py");

    @TempDir
    static Path folder;

    @BeforeAll
    static void python() throws InterruptedException {
        boolean found;
        try {
            found = new ProcessBuilder("python3", "--version").start().waitFor() == 0;
        } catch (IOException e) {
            found = false;
        }
        if (!found) {
            System.err.println("NOT RUN: the Airflow DAG, for want of python3");
        }
        assumeTrue(found, "NOT RUN: the Airflow DAG, for want of python3");
    }

    /** The tasks' lines, in order. */
    private static List<JsonNode> dag(String verb, Map<String, Object> params, String... stages)
            throws IOException, InterruptedException {
        ObjectMapper json = new ObjectMapper();
        List<String> command = new ArrayList<>(
                List.of("python3", "-B", RUNNER.toString(), DAG.toString(), verb, json.writeValueAsString(params)));
        command.addAll(List.of(stages));
        Path log = folder.resolve("dag.log");
        ProcessBuilder python =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        python.environment().merge("PATH", folder.toAbsolutePath().toString(), (path, first) -> first + ":" + path);
        int code = python.start().waitFor();
        String text = Files.readString(log);
        assertThat(code).as(text).isZero();
        List<JsonNode> tasks = new ArrayList<>();
        for (String line : text.lines().filter(line -> line.startsWith("DAG ")).toList()) {
            tasks.add(json.readTree(line.substring("DAG ".length())));
        }
        assertThat(tasks).as(text).isNotEmpty();
        return tasks;
    }

    private static String text(JsonNode task, String key) {
        JsonNode value = task.path(key);
        return value.isArray() ? value.path(0).asText() : value.asText();
    }

    @Test
    void aTaskAStageEachAfterTheOneBeforeAndGpusFromAPool() throws Exception {
        List<JsonNode> tasks = dag("list", Map.of("master", "local[1]"));
        assertThat(tasks)
                .extracting(
                        task -> text(task, "task") + " after " + text(task, "upstream") + " in " + text(task, "pool"))
                .containsExactly(
                        "invert after  in latentmix_gpu",
                        "mix after invert in default_pool",
                        "generate after mix in latentmix_gpu",
                        "filter after generate in latentmix_gpu",
                        "evaluate after filter in latentmix_gpu",
                        "export after evaluate in default_pool");
        assertThat(tasks).allMatch(task -> task.get("retries").asInt() > 0);
        for (JsonNode task : tasks) {
            assertThat(task.get("command").toString())
                    .contains(
                            "\"--class\",\"latentmix.cli.Main\"",
                            "\"--run\",\"s3a://bucket/runs/manual__2026-01-01T00-00-00-00-00\"",
                            "\"--label\",\"manual__2026-01-01T00:00:00+00:00/" + text(task, "task") + "\"")
                    .doesNotContain("{{");
        }
    }

    @Test
    @Tag("heavy")
    void itsCommandLinesRunTheWholeJobAndItsExitCodesDecideWhatIsTriedAgain() throws Exception {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path config = config("good.yaml", "{}");
        Path spoiled = TinyRun.input(folder.resolve("spoiled-in"), 8);
        Files.writeString(spoiled.resolve("5-sandal/broken.png"), "no image");
        sparkSubmit();
        Path application = TinyRun.application(folder);
        Map<String, Object> params = new TreeMap<>(Map.of(
                "master", "local[1]",
                "run", "dag",
                "runs", folder.toString(),
                "config", config.toString(),
                "input", input.toString(),
                "application", application.toString(),
                "properties", ""));

        params.put("max_gpu_hours", 1e-9);
        JsonNode stopped = dag("run", params, "invert").get(0);
        assertThat(text(stopped, "state")).as(stopped.toString()).isEqualTo("up_for_retry");
        assertThat(text(stopped, "message")).contains("exit code 75", "--max-gpu-hours");

        params.put("max_gpu_hours", 1);
        List<JsonNode> tasks = dag("run", params);
        assertThat(tasks)
                .as(tasks.toString())
                .extracting(task -> text(task, "state"))
                .containsExactly("success", "success", "success", "skipped", "skipped", "success");
        assertThat(tasks.get(2).at("/returned/counts/generated").asLong()).isEqualTo(12);
        assertThat(TinyRun.tables(folder.resolve("dag"))).isEqualTo(undisturbed(config, input));

        params.put("run", "filtered");
        params.put("filter", true);
        params.put(
                "config",
                config("filter.yaml", "{}\nfilter: {tries: 40, copy: {hash: quantile(0.5)}}")
                        .toString());
        assertThat(dag("run", params))
                .extracting(task -> text(task, "state"))
                .containsExactly("success", "success", "success", "success", "skipped", "success");
        JsonNode filtered = TinyRun.summary(folder.resolve("filtered")).at("/filter/0");
        assertThat(filtered.get("kept").asLong())
                .as("what is dropped is replaced")
                .isEqualTo(12);
        assertThat(filtered.get("made").asLong()).isGreaterThan(12);
        params.put("run", "dag");
        params.put("filter", false);
        params.put("config", config.toString());

        params.put("loses_exit_codes", true); // as in cluster mode
        try (Lease lease = Lease.take(
                new RunFolder(folder.resolve("dag").toString(), new Configuration()),
                Duration.ofSeconds(6),
                () -> {})) {
            JsonNode held = dag("run", params, "mix").get(0);
            assertThat(text(held, "state")).as(held.toString()).isEqualTo("up_for_retry");
            assertThat(text(held, "message")).contains("exit code 75", "another run holds");
            lease.check();
        }
        params.put("input", spoiled.toString());
        params.put("run", "spoiled");
        params.put("config", config("strict.yaml", "{max_rejected: 0}").toString());
        JsonNode rejected = dag("run", params, "invert").get(0);
        assertThat(text(rejected, "state")).as(rejected.toString()).isEqualTo("failed");
        assertThat(text(rejected, "message")).contains("more rejects than allowed (exit code 3)");
        params.put("config", folder.resolve("none.yaml").toString());
        JsonNode bad = dag("run", params, "invert").get(0);
        assertThat(text(bad, "state")).as(bad.toString()).isEqualTo("failed");
        assertThat(text(bad, "message")).contains("bad configuration (exit code 2)", "none.yaml");
    }

    private static Path config(String name, String run) throws IOException {
        return Files.writeString(
                folder.resolve(name),
                """
                model: {checkpoint: "builtin:fashion", batch: 4}
                inversion: {steps: 4}
                generation: {steps: 4, guidance: 2}
                mixing:
                  - {name: dataset, methods: nin/chm, inputs: 3, weights: dirichlet(1), count: 6, export: true}
                run: %s
                """
                        .formatted(run));
    }

    private static Map<String, String> undisturbed(Path config, Path input) throws IOException {
        Path run = folder.resolve("undisturbed");
        assertThat(TinyRun.run(1, config, input, run)).isZero();
        return TinyRun.tables(run);
    }

    /** A spark-submit on the path: Spark's own, in a JVM with the tests' class path. */
    private static void sparkSubmit() throws IOException {
        String options = Stream.concat(
                        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                                .filter(option -> !option.startsWith("-javaagent")),
                        Stream.of("-cp", System.getProperty("java.class.path"), "org.apache.spark.deploy.SparkSubmit"))
                .map(option -> "'" + option + "'")
                .collect(Collectors.joining(" "));
        Path script = folder.resolve("spark-submit");
        Files.writeString(
                script,
                "#!/bin/sh\nexec '" + Path.of(System.getProperty("java.home"), "bin", "java") + "' " + options
                        + " \"$@\"\n",
                StandardCharsets.UTF_8);
        assertThat(script.toFile().setExecutable(true)).isTrue();
    }
}
