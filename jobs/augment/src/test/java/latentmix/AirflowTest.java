package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.stage.InstalledSpark;
import latentmix.stage.S3Server;
import latentmix.stage.TinyRun;
import latentmix.table.Lease;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The DAG of conf/airflow in Airflow itself, by {@code airflow dags test}, which submits to the master and the worker
 * of an installed Spark.
 */
@Tag("installed")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class AirflowTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The tasks of a day's run in Airflow's database, in the order of the DAG. */
    private static final String TASKS =
            """
            import json, sqlite3, sys
            rows = sqlite3.connect(sys.argv[1]).execute(
                "select t.task_id, t.state, t.try_number, t.pool from task_instance t join dag_run d using (dag_id, run_id)"
                " where d.logical_date like ?", [sys.argv[2] + "%"]).fetchall()
            print(json.dumps(sorted(rows, key=lambda row: sys.argv[3].index(row[0]))))
            """;

    @TempDir
    static Path folder;

    private static InstalledSpark spark;
    private static S3Server store;
    private static Path input;
    private static Path config;
    private static int runs;

    /** A task after its last try. */
    private record Task(String id, String state, int tries, String pool) {}

    /** A DAG run that ended: its tasks, and what was logged. */
    private record Ended(List<Task> tasks, String log) {
        String states() {
            return String.join(" ", tasks.stream().map(Task::state).toList());
        }
    }

    @BeforeEach
    void noSettings() throws IOException {
        spark.set(Map.of());
    }

    @BeforeAll
    static void anAirflow() throws Exception {
        spark = new InstalledSpark(folder.resolve("spark"));
        spark.startCluster();
        store = new S3Server(folder);
        input = TinyRun.input(folder.resolve("in"), 8);
        config = config("good.yaml", "{}");
        Path dags = Files.createDirectories(folder.resolve("airflow/dags"));
        Files.copy(Repository.file("conf/airflow/latentmix_dag.py"), dags.resolve("latentmix_dag.py"));
        airflow("db", "migrate");
        airflow("pools", "set", "latentmix_gpu", "1", "runs that hold the GPUs");
        URI master = URI.create(spark.master());
        airflow(
                "connections",
                "add",
                "spark_default",
                "--conn-type=spark",
                "--conn-host=spark://" + master.getHost(),
                "--conn-port=" + master.getPort(),
                "--conn-extra={\"deploy-mode\": \"client\"}");
    }

    @AfterAll
    static void noAirflow() throws IOException {
        FileSystem.closeAll(); // they know this server alone
        store.close();
        spark.close();
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

    private static Process start(Path log, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(InstalledSpark.python().resolveSibling("airflow").toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        Map<String, String> environment = builder.environment();
        environment.putAll(spark.environment());
        environment.remove("SPARK_SCALA_VERSION"); // the tests' own
        environment.remove("MASTER"); // the connection says it
        environment.merge("PATH", spark.home().resolve("bin").toString(), (path, first) -> first + ":" + path);
        environment.put("AIRFLOW_HOME", folder.resolve("airflow").toString());
        environment.put("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
        environment.put("AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY", "5");
        environment.put(
                "AIRFLOW_CONN_STORE",
                JSON.writeValueAsString(Map.of(
                        "conn_type",
                        "aws",
                        "login",
                        S3Server.ACCESS_KEY,
                        "password",
                        S3Server.SECRET_KEY,
                        "extra",
                        Map.of("endpoint_url", "http://127.0.0.1:" + store.port(), "region_name", "us-east-1"))));
        return builder.start();
    }

    private static void airflow(String... arguments) throws IOException, InterruptedException {
        Path log = folder.resolve("airflow.log");
        assertThat(start(log, arguments).waitFor()).as(Files.readString(log)).isZero();
    }

    /** What a run of the DAG is asked for, with what the tests have, and this. */
    private static Map<String, Object> parameters(Map<String, Object> more) throws IOException {
        Map<String, Object> parameters = new TreeMap<>(Map.of(
                "runs",
                folder.toString(),
                "config",
                config.toString(),
                "input",
                input.toString(),
                "application",
                spark.latentmix().resolve("lib/latentmix.jar").toString(),
                "natives",
                spark.natives(),
                "properties",
                spark.settings().toString()));
        parameters.putAll(more);
        return parameters;
    }

    /** Starts {@code airflow dags test} for a day of its own. */
    private static Process start(String day, Path log, Map<String, Object> parameters) throws IOException {
        return start(log, "dags", "test", "latentmix", day, "--conf", JSON.writeValueAsString(parameters));
    }

    private static Ended run(Map<String, Object> more) throws IOException, InterruptedException {
        String day = "2026-01-%02d".formatted(++runs);
        Path log = folder.resolve(day + ".log");
        start(day, log, parameters(more)).waitFor();
        return ended(day, log);
    }

    private static Ended ended(String day, Path log) throws IOException, InterruptedException {
        Process states = new ProcessBuilder(
                        InstalledSpark.python().toString(),
                        "-c",
                        TASKS,
                        folder.resolve("airflow/airflow.db").toString(),
                        day,
                        "invert mix generate filter evaluate export")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String said = new String(states.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        List<Task> tasks = new ArrayList<>();
        for (JsonNode row : JSON.readTree(said)) {
            tasks.add(new Task(
                    row.get(0).asText(),
                    row.get(1).asText(),
                    row.get(2).asInt(),
                    row.get(3).asText()));
        }
        return new Ended(tasks, Files.readString(log));
    }

    @Test
    void theWholeJobRunsAndWhatAnotherRunHeldIsTriedAgainAndGoesOn() throws Exception {
        Path run = folder.resolve("held");
        String day = "2026-02-01";
        Path log = folder.resolve(day + ".log");
        Process airflow;
        try (Lease lease =
                Lease.take(new RunFolder(run.toString(), new Configuration()), Duration.ofSeconds(6), () -> {})) {
            airflow = start(day, log, parameters(Map.of("run", "held")));
            while (!Files.readString(log).contains("to be tried again (exit code 75)")) {
                assertThat(airflow.isAlive()).as("see %s", log).isTrue();
                TimeUnit.MILLISECONDS.sleep(200);
            }
            lease.check();
        }
        airflow.waitFor();
        Ended ended = ended(day, log);
        assertThat(ended.states()).as(ended.log()).isEqualTo("success success success skipped skipped success");
        assertThat(ended.tasks().get(0).tries()).isGreaterThan(1);
        assertThat(ended.log()).contains("another run holds");
        assertThat(ended.tasks())
                .extracting(Task::pool)
                .containsExactly(
                        "latentmix_gpu",
                        "default_pool",
                        "latentmix_gpu",
                        "latentmix_gpu",
                        "latentmix_gpu",
                        "default_pool");
        Path undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(1, config, input, undisturbed)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(TinyRun.tables(undisturbed));
    }

    @Test
    void aRunFolderOnS3IsReadThroughAConnectionAndAFilterReplacesWhatItDrops() throws Exception {
        Map<String, String> settings = new TreeMap<>();
        store.settings().forEach((key, value) -> settings.put("spark.hadoop." + key, value));
        spark.set(settings);
        Ended ended = run(Map.of(
                "run",
                "filtered",
                "runs",
                S3Server.location("runs"),
                "connection",
                "store",
                "filter",
                true,
                "config",
                config("filter.yaml", "{}\nfilter: {tries: 40, copy: {hash: quantile(0.5)}}")
                        .toString(),
                "natives",
                spark.natives() + "," + spark.lacking()));
        assertThat(ended.states()).as(ended.log()).isEqualTo("success success success success skipped success");
        assertThat(ended.tasks()).allMatch(task -> task.tries() == 1);
        assertThat(ended.log()).doesNotContain(S3Server.SECRET_KEY);
        JsonNode filtered = TinyRun.summary(store.fetch("runs/filtered", folder.resolve("filtered")))
                .at("/filter/0");
        assertThat(filtered.get("kept").asLong())
                .as("what is dropped is replaced")
                .isEqualTo(12);
        assertThat(filtered.get("made").asLong()).isGreaterThan(12);
    }

    @Test
    void aBadConfigurationAndTooManyRejectsAreNotTriedAgain() throws Exception {
        Ended bad = run(Map.of("config", folder.resolve("none.yaml").toString()));
        assertThat(bad.log()).contains("bad configuration (exit code 2)", "none.yaml");
        assertThat(bad.tasks().get(0)).isEqualTo(new Task("invert", "failed", 1, "latentmix_gpu"));
        assertThat(bad.states()).endsWith("upstream_failed");

        Ended refused = run(Map.of("runs", S3Server.location("runs"), "connection", "store"));
        assertThat(refused.log()).as("no summary says it").contains("bad configuration (exit code 2)", "connector");
        assertThat(refused.tasks().get(0)).isEqualTo(new Task("invert", "failed", 1, "latentmix_gpu"));

        Path spoiled = TinyRun.input(folder.resolve("spoiled-in"), 8);
        Files.writeString(spoiled.resolve("5-sandal/broken.png"), "no image");
        Ended rejected = run(Map.of(
                "input",
                spoiled.toString(),
                "config",
                config("strict.yaml", "{max_rejected: 0}").toString()));
        assertThat(rejected.log()).contains("more rejects than allowed (exit code 3)");
        assertThat(rejected.tasks().get(0)).isEqualTo(new Task("invert", "failed", 1, "latentmix_gpu"));
        try (Stream<Path> folders = Files.list(folder)) {
            assertThat(folders.map(file -> file.getFileName().toString()))
                    .as("a run folder of the DAG run's own")
                    .anyMatch(name -> name.matches("manual__[-T0-9.]+"));
        }
    }
}
