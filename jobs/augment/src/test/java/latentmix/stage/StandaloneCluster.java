package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.Repository;
import latentmix.cli.Main;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkSubmit;
import org.apache.spark.deploy.master.Master;
import org.apache.spark.deploy.worker.Worker;

/**
 * Spark's own standalone cluster: a master and two unlike workers in processes of their own, on loopback addresses of
 * their own, with GPUs that {@code conf/discover-gpus} finds because a made-up {@code nvidia-smi} lists them. Drivers
 * that ask for none use it as well.
 */
final class StandaloneCluster {
    /** What a worker offers; its GPUs' addresses. */
    record Offer(String host, int cores, List<String> gpus) {}

    static final Offer FIRST = new Offer("127.0.0.2", 2, List.of("0", "1"));
    static final Offer SECOND = new Offer("127.0.0.3", 4, List.of("2", "3"));

    private static final Path CONF = Repository.file("conf");
    private static final long SUBMIT_MINUTES = 8;
    private static final ObjectMapper JSON = new ObjectMapper();

    private static StandaloneCluster shared;

    private final Path folder;
    private final String url;
    private final Process master;
    private final Map<Offer, Process> workers = new ConcurrentHashMap<>();
    private int started;

    /** A job that ended: what it printed, and the Spark events of it. */
    record Submission(int exitCode, String output, Path events) {
        /** The lines of the event log of this kind. */
        List<String> events(String kind) throws IOException {
            try (Stream<Path> files = Files.walk(events)) {
                return files.filter(file -> file.getFileName().toString().startsWith("events_"))
                        .flatMap(StandaloneCluster::lines)
                        .filter(line -> line.contains("\"Event\":\"" + kind) || line.contains("." + kind + "\""))
                        .toList();
            }
        }

        /** What the driver logged. */
        List<JsonNode> log() {
            return json(output.lines());
        }
    }

    private StandaloneCluster(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        Files.createDirectories(
                Path.of(System.getenv("SPARK_HOME"), "jars")); // Spark wants one; the class path is the tests'
        String port = Integer.toString(S3Server.freePort());
        this.url = "spark://127.0.0.1:" + port;
        Runtime.getRuntime().addShutdownHook(new Thread(this::end));
        this.master = start(
                Master.class,
                Map.of(),
                List.of("--host", "127.0.0.1", "--port", port, "--webui-port", "0"),
                "New state: ALIVE");
    }

    /** The one of all tests of this JVM, with both workers even when somebody has killed them; it ends with the JVM. */
    static synchronized StandaloneCluster shared() throws IOException, InterruptedException {
        if (shared == null) {
            shared = new StandaloneCluster(
                    Files.createTempDirectory(Path.of("target").toAbsolutePath(), "cluster"));
        }
        for (Offer offer : List.of(FIRST, SECOND)) {
            if (!shared.workers.containsKey(offer)) {
                shared.workers.put(offer, shared.startWorker(offer));
            }
        }
        return shared;
    }

    private Process startWorker(Offer offer) throws IOException, InterruptedException {
        Path bin = Files.createDirectories(folder.resolve("bin-" + offer.host()));
        Path nvidiaSmi = Files.writeString(
                bin.resolve("nvidia-smi"), "#!/bin/sh\nprintf '%s\\n' " + String.join(" ", offer.gpus()) + "\n");
        assertThat(nvidiaSmi.toFile().setExecutable(true)).isTrue();
        Path settings = Files.writeString(
                folder.resolve("worker-" + offer.host() + ".conf"),
                "spark.worker.resource.gpu.amount " + offer.gpus().size() + "\n"
                        + "spark.worker.resource.gpu.discoveryScript " + CONF.resolve("discover-gpus") + "\n");
        return start(
                Worker.class,
                Map.of("PATH", bin + ":" + System.getenv("PATH")),
                List.of(
                        "--host",
                        offer.host(),
                        "--cores",
                        Integer.toString(offer.cores()),
                        "--memory",
                        "3g",
                        "--webui-port",
                        "0",
                        "--work-dir",
                        folder.resolve("work").toString(),
                        "--properties-file",
                        settings.toString(),
                        url),
                "Successfully registered with master");
    }

    /** Starts a program and waits until its log has this sign of being ready. */
    private Process start(Class<?> program, Map<String, String> environment, List<String> arguments, String ready)
            throws IOException, InterruptedException {
        Path log = folder.resolve(started++ + "-" + program.getSimpleName() + ".log");
        Process process =
                JobProcess.start(program, log, Map.of("spark.master.rest.enabled", "false"), environment, arguments);
        while (!Files.readString(log).contains(ready)) {
            assertThat(process.isAlive()).as("see %s", log).isTrue();
            TimeUnit.MILLISECONDS.sleep(100);
        }
        return process;
    }

    /** Kills every worker; their executors end with them. */
    void killWorkers() throws InterruptedException {
        for (Process worker : workers.values()) {
            worker.destroyForcibly().waitFor();
        }
        workers.clear();
    }

    /** Kills every executor; returns how many there were. */
    int killExecutors() {
        List<ProcessHandle> executors =
                workers.values().stream().flatMap(Process::children).toList();
        executors.forEach(ProcessHandle::destroyForcibly);
        return executors.size();
    }

    private Map<String, String> common() {
        return Map.of(
                "spark.master",
                url,
                "spark.ui.enabled",
                "false",
                "spark.driver.host",
                "127.0.0.1",
                "spark.executor.memory",
                "768m",
                "spark.locality.wait",
                "0",
                "spark.scheduler.minRegisteredResourcesRatio", // both executors, before the first task
                "1",
                "spark.latentmix.lease",
                JobProcess.LEASE,
                "spark.executor.extraClassPath",
                System.getProperty("java.class.path"),
                "spark.executor.extraJavaOptions",
                "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
    }

    /** Spark's settings for a driver that has an executor of one core on each worker. */
    Map<String, String> settings() {
        Map<String, String> settings = new TreeMap<>(common());
        settings.put("spark.executor.cores", "1");
        settings.put("spark.cores.max", "2");
        settings.merge(
                "spark.executor.extraJavaOptions",
                " -Dai.djl.pytorch.num_threads=1 -Dai.djl.pytorch.num_interop_threads=1",
                String::concat);
        return settings;
    }

    /** A driver in this JVM; the caller closes it. */
    JavaSparkContext spark() {
        SparkConf conf = new SparkConf().setAppName("test");
        settings().forEach(conf::set);
        return new JavaSparkContext(conf);
    }

    /**
     * Submits a verb by Spark's own SparkSubmit with {@code conf/spark-defaults-standalone.conf} and waits for its end.
     *
     * @param name of its logs and events
     * @param settings Spark's, beside or instead of those in conf/; an empty one takes one away
     */
    Submission submit(String name, Map<String, String> settings, List<String> arguments)
            throws IOException, InterruptedException {
        return submit(name, "spark-internal", settings, arguments); // no jar: the class path has it
    }

    /** The same of an application's jar. */
    Submission submit(String name, String application, Map<String, String> settings, List<String> arguments)
            throws IOException, InterruptedException {
        Path events = Files.createDirectories(folder.resolve(name + "-events"));
        Properties properties = new Properties();
        try (var in = Files.newBufferedReader(CONF.resolve("spark-defaults-standalone.conf"), StandardCharsets.UTF_8)) {
            properties.load(in);
        }
        Stream.of("PYTORCH_LIBRARY_PATH", "PYTORCH_VERSION", "PYTORCH_FLAVOR", "LATENTMIX_CACHE_DIR", "DJL_CACHE_DIR")
                .forEach(variable -> properties.remove("spark.executorEnv." + variable)); // the tests' own
        properties.putAll(common());
        properties.put("spark.eventLog.dir", events.toUri().toString());
        properties.put("spark.eventLog.compress", "false");
        properties.putAll(settings);
        properties.values().removeIf(value -> value.toString().isEmpty());
        Path file = folder.resolve(name + ".conf");
        try (var out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            properties.store(out, null);
        }
        List<String> command = new ArrayList<>(
                List.of("--properties-file", file.toString(), "--class", Main.class.getName(), application));
        command.addAll(arguments);
        Path log = folder.resolve(name + ".log");
        Process process = JobProcess.start(SparkSubmit.class, log, Map.of(), Map.of(), command);
        try {
            process.waitFor(SUBMIT_MINUTES, TimeUnit.MINUTES);
        } finally {
            process.destroyForcibly();
        }
        return new Submission(process.waitFor(), Files.readString(log), events);
    }

    /**
     * What this job's executors logged, by executor, but for the last line: a worker that ends an executor may cut that
     * short.
     */
    Map<String, List<JsonNode>> executorLogs(Submission submission) throws IOException {
        String application = String.join("", submission.events("SparkListenerApplicationStart"))
                .replaceFirst(".*\"App ID\":\"([^\"]+)\".*", "$1");
        Map<String, List<JsonNode>> logs = new TreeMap<>();
        try (Stream<Path> executors = Files.list(folder.resolve("work").resolve(application))) {
            for (Path executor : executors.toList()) {
                List<String> lines = lines(executor.resolve("stderr")).toList();
                logs.put(executor.getFileName().toString(), json(lines.stream().limit(lines.size() - 1)));
            }
        }
        return logs;
    }

    /** The lines that loggers wrote among those that others printed. */
    private static List<JsonNode> json(Stream<String> lines) {
        return lines.filter(line -> line.startsWith("{"))
                .map(line -> {
                    try {
                        return JSON.readTree(line);
                    } catch (JsonProcessingException e) {
                        throw new AssertionError(line, e);
                    }
                })
                .toList();
    }

    static Stream<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void end() {
        killExecutors();
        workers.values().forEach(Process::destroyForcibly);
        master.destroyForcibly();
    }
}
