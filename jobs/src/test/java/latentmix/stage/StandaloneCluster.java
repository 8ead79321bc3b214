package latentmix.stage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.cli.Main;

/**
 * A standalone master and its workers in processes of their own, on loopback addresses of their own, with GPUs that
 * {@code conf/discover-gpus} finds because a made-up {@code nvidia-smi} lists them. Jobs are submitted by Spark's own SparkSubmit with
 * {@code conf/spark-defaults-standalone.conf}.
 */
final class StandaloneCluster implements AutoCloseable {
    private static final Path CONF = Path.of("../conf").toAbsolutePath().normalize();
    private static final long SUBMIT_MINUTES = 9;

    /** For JVMs that live shortly. */
    private static final List<String> SHORT = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    private final Path folder;
    private final String master;
    private final List<Process> processes = new ArrayList<>();

    /** What a worker offers; its GPUs' addresses. */
    record Offer(String host, int cores, List<String> gpus) {}

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
    }

    private StandaloneCluster(Path folder, int port) {
        this.folder = folder;
        this.master = "spark://127.0.0.1:" + port;
    }

    static StandaloneCluster start(Path folder, List<Offer> offers) throws IOException {
        Files.createDirectories(
                Path.of(System.getenv("SPARK_HOME"), "jars")); // Spark wants one; the class path is the tests'
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        StandaloneCluster cluster = new StandaloneCluster(folder, port);
        cluster.launch(
                "master",
                Map.of(),
                List.of(
                        "org.apache.spark.deploy.master.Master",
                        "--host",
                        "127.0.0.1",
                        "--port",
                        Integer.toString(port),
                        "--webui-port",
                        "0"));
        for (Offer offer : offers) {
            cluster.work(offer);
        }
        return cluster;
    }

    private void work(Offer offer) throws IOException {
        Path bin = Files.createDirectories(folder.resolve("bin-" + offer.host()));
        Path nvidiaSmi = Files.writeString(
                bin.resolve("nvidia-smi"), "#!/bin/sh\nprintf '%s\\n' " + String.join(" ", offer.gpus()) + "\n");
        if (!nvidiaSmi.toFile().setExecutable(true)) {
            throw new IOException(nvidiaSmi + " must be executable");
        }
        Path settings = Files.writeString(
                folder.resolve("worker-" + offer.host() + ".conf"),
                "spark.worker.resource.gpu.amount " + offer.gpus().size() + "\n"
                        + "spark.worker.resource.gpu.discoveryScript " + CONF.resolve("discover-gpus") + "\n");
        launch(
                "worker-" + offer.host(),
                Map.of("PATH", bin + ":" + System.getenv("PATH")),
                List.of(
                        "org.apache.spark.deploy.worker.Worker",
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
                        master));
    }

    /**
     * Submits a verb and waits for its end.
     *
     * @param name of its logs and events
     * @param settings Spark's, beside or instead of those in conf/; an empty one takes one away
     */
    Submission submit(String name, Map<String, String> settings, List<String> arguments)
            throws IOException, InterruptedException {
        Path events = Files.createDirectories(folder.resolve(name + "-events"));
        Properties properties = new Properties();
        try (var in = Files.newBufferedReader(CONF.resolve("spark-defaults-standalone.conf"), StandardCharsets.UTF_8)) {
            properties.load(in);
        }
        Stream.of("PYTORCH_LIBRARY_PATH", "PYTORCH_VERSION", "PYTORCH_FLAVOR", "LATENTMIX_CACHE_DIR", "DJL_CACHE_DIR")
                .forEach(variable -> properties.remove("spark.executorEnv." + variable)); // the tests' own
        properties.putAll(new TreeMap<>(Map.of(
                "spark.eventLog.dir",
                events.toUri().toString(),
                "spark.eventLog.compress",
                "false",
                "spark.executor.memory",
                "1g",
                "spark.ui.enabled",
                "false",
                "spark.driver.host",
                "127.0.0.1",
                "spark.executor.extraClassPath",
                System.getProperty("java.class.path"),
                "spark.executor.extraJavaOptions",
                String.join(" ", SHORT) + " " + logging())));
        properties.putAll(settings);
        properties.values().removeIf(value -> value.toString().isEmpty());
        Path file = folder.resolve(name + ".conf");
        try (var out = Files.newBufferedWriter(file, StandardCharsets.UTF_8)) {
            properties.store(out, null);
        }
        List<String> command = new ArrayList<>(List.of(
                "org.apache.spark.deploy.SparkSubmit",
                "--master",
                master,
                "--properties-file",
                file.toString(),
                "--class",
                Main.class.getName(),
                "spark-internal")); // no jar: the class path has it
        command.addAll(arguments);
        Process process = launch(name, Map.of(), command);
        if (!process.waitFor(SUBMIT_MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly().waitFor();
        }
        return new Submission(process.exitValue(), Files.readString(folder.resolve(name + ".log")), events);
    }

    /** What this job's executors logged, by executor. */
    Map<String, List<String>> executorLogs(Submission submission) throws IOException {
        String application = String.join("", submission.events("SparkListenerApplicationStart"))
                .replaceFirst(".*\"App ID\":\"([^\"]+)\".*", "$1");
        Map<String, List<String>> logs = new TreeMap<>();
        try (Stream<Path> executors = Files.list(folder.resolve("work").resolve(application))) {
            for (Path executor : executors.toList()) {
                logs.put(
                        executor.getFileName().toString(),
                        lines(executor.resolve("stderr")).toList());
            }
        }
        return logs;
    }

    private String logging() throws IOException {
        Path file = folder.resolve("executor-log4j2.properties");
        Files.writeString(
                file,
                """
                rootLogger.level = warn
                rootLogger.appenderRef.stderr.ref = stderr
                logger.ours.name = latentmix
                logger.ours.level = info
                appender.stderr.type = Console
                appender.stderr.name = stderr
                appender.stderr.target = SYSTEM_ERR
                appender.stderr.layout.type = PatternLayout
                appender.stderr.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
                """);
        return "-Dlog4j2.configurationFile=" + file.toUri();
    }

    private Process launch(String name, Map<String, String> environment, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> !option.startsWith("-javaagent") && !option.startsWith("-Xmx"))
                .toList());
        command.addAll(SHORT);
        command.addAll(List.of("-Xmx1g", "-cp", System.getProperty("java.class.path")));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        processes.add(process);
        return process;
    }

    static Stream<String> lines(Path file) {
        try {
            return Files.readAllLines(file).stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends all processes; workers end their executors. */
    @Override
    public void close() {
        processes.forEach(Process::destroy);
        for (Process process : processes) {
            process.onExit().completeOnTimeout(process, 30, TimeUnit.SECONDS).join();
            process.destroyForcibly();
        }
    }
}
