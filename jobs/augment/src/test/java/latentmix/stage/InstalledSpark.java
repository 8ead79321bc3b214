package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.Repository;

/**
 * A Spark installation, PyPI's, with Latentmix beside it, unpacked from the archive that {@code mvn package} makes.
 * Nothing comes from the tests' class path. {@code -Dlatentmix.python} names a Python that has Spark.
 */
public final class InstalledSpark implements AutoCloseable {
    private final Path folder;
    private final Path home;
    private final Path latentmix;
    private final Path conf;
    private final Path working;
    private final List<Process> daemons = new ArrayList<>();
    private String master = "local[2]";

    /** Finds Spark and unpacks Latentmix; with local executors until a {@link #startCluster cluster} is there. */
    public InstalledSpark(Path folder) throws IOException, InterruptedException {
        this.folder = Files.createDirectories(folder);
        this.conf = Files.createDirectories(folder.resolve("spark-conf"));
        this.working = Files.createDirectories(folder.resolve("driver"));
        this.latentmix = Files.createDirectories(folder.resolve("latentmix"));
        this.home = Path.of(
                said(python().toString(), "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))"));
        said("tar", "-xf", archive().toString(), "--strip-components=1", "-C", latentmix.toString());
        set(Map.of());
        Runtime.getRuntime().addShutdownHook(new Thread(this::close)); // a JVM that is ended leaves no daemon behind
    }

    /** The Python of the tests that need others' programs. */
    public static Path python() {
        String given = System.getProperty("latentmix.python", "");
        assertThat(given)
                .as("-Dlatentmix.python=…/bin/python, with src/test/resources/airflow/requirements.txt installed")
                .isNotEmpty();
        return Path.of(given);
    }

    private static Path archive() throws IOException {
        Path target = Repository.file("jobs/research").resolve("target");
        try (Stream<Path> files = Files.list(target)) {
            List<Path> archives =
                    files.filter(file -> file.toString().endsWith(".tar")).toList();
            assertThat(archives).as("run mvn -DskipTests package first").hasSize(1);
            return archives.get(0);
        }
    }

    private static String said(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
        return output.strip();
    }

    /** {@code SPARK_HOME}. */
    public Path home() {
        return home;
    }

    /** Spark's version. */
    String version() throws IOException {
        return Files.readString(home.resolve("version.py"))
                .replaceAll("(?s).*__version__[^'\"]*['\"]([^'\"]+).*", "$1");
    }

    /** The working folder of what is run. */
    Path workingFolder() {
        return working;
    }

    /** The master's address. */
    public String master() {
        return master;
    }

    /** Where its settings are. */
    public Path settings() {
        return conf.resolve("spark-defaults.conf");
    }

    /** Where the archive is unpacked. */
    public Path latentmix() {
        return latentmix;
    }

    /** PyTorch's native libraries, with commas between. */
    public String natives() throws IOException {
        return jars(name -> name.startsWith("pytorch-"));
    }

    /** What a local run has beside them and this Spark lacks: Hadoop's connector to S3 and what that needs. */
    public String lacking() throws IOException {
        return jars(name -> !name.startsWith("pytorch-")
                && !Files.exists(home.resolve("jars").resolve(name)));
    }

    private String jars(Predicate<String> which) throws IOException {
        try (Stream<Path> files = Files.list(latentmix.resolve("lib/spark/jars"))) {
            return files.filter(file -> which.test(file.getFileName().toString()))
                    .map(Path::toString)
                    .sorted()
                    .collect(Collectors.joining(","));
        }
    }

    /** Writes {@code spark-defaults.conf}, with what keeps tests small and this. */
    public void set(Map<String, String> settings) throws IOException {
        Map<String, String> all = new TreeMap<>(Map.of(
                "spark.ui.enabled", "false",
                "spark.driver.host", "127.0.0.1",
                "spark.driver.memory", "1g",
                "spark.executor.memory", "768m",
                "spark.executor.cores", "1",
                "spark.cores.max", "2",
                "spark.locality.wait", "0",
                "spark.latentmix.lease", JobProcess.LEASE));
        all.putAll(settings);
        Files.writeString(
                settings(),
                all.entrySet().stream()
                        .map(setting -> setting.getKey() + " " + setting.getValue() + "\n")
                        .collect(Collectors.joining()));
    }

    /** What a program needs to use this Spark. */
    public Map<String, String> environment() {
        return Map.of(
                "SPARK_HOME",
                home.toString(),
                "SPARK_CONF_DIR",
                conf.toString(),
                "SPARK_LOCAL_IP",
                "127.0.0.1",
                "MASTER",
                master);
    }

    /** Starts a master and a worker of two cores. */
    public void startCluster() throws IOException, InterruptedException {
        String port = Integer.toString(S3Server.freePort());
        String url = "spark://127.0.0.1:" + port;
        start("master.Master", "New state: ALIVE", "--host", "127.0.0.1", "--port", port, "--webui-port", "0");
        start(
                "worker.Worker",
                "Successfully registered with master",
                "--host",
                "127.0.0.1",
                "--cores",
                "2",
                "--memory",
                "3g",
                "--webui-port",
                "0",
                "--work-dir",
                folder.resolve("work").toString(),
                url);
        master = url;
    }

    private void start(String daemon, String ready, String... arguments) throws IOException, InterruptedException {
        Path log = folder.resolve(daemon + ".log");
        List<String> command = new ArrayList<>(
                List.of(home.resolve("bin/spark-class").toString(), "org.apache.spark.deploy." + daemon));
        command.addAll(List.of(arguments));
        Process process = start(log, command);
        daemons.add(process);
        while (!Files.readString(log).contains(ready)) {
            assertThat(process.isAlive()).as("see %s", log).isTrue();
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    private Process start(Path log, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(working.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment());
        builder.environment().remove("SPARK_SCALA_VERSION"); // the tests' own
        return builder.start();
    }

    /** A program that ended: its exit code, and what it printed. */
    public record Ended(int exitCode, String output) {}

    /** {@code ./latentmix} with these arguments. */
    public Ended run(String... arguments) throws IOException, InterruptedException {
        Path log = Files.createTempFile(folder, "latentmix-", ".log");
        List<String> command =
                new ArrayList<>(List.of(latentmix.resolve("latentmix").toString()));
        command.addAll(List.of(arguments));
        Process process = start(log, command);
        return new Ended(process.waitFor(), Files.readString(log));
    }

    @Override
    public void close() {
        daemons.forEach(daemon -> {
            daemon.descendants().forEach(ProcessHandle::destroyForcibly);
            daemon.destroyForcibly();
        });
    }
}
