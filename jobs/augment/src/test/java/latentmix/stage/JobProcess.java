package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import latentmix.table.StageName;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;

/** The tiny run with its driver in a process of its own, which may be killed. */
final class JobProcess {
    /** A killed run keeps its folder no longer than a test may wait. */
    static final String LEASE = "4s";

    private JobProcess() {}

    /** Every stage: the input, the run folder, then overrides of the configuration. */
    public static void main(String[] args) throws IOException {
        String[] overrides = Arrays.copyOfRange(args, 2, args.length);
        int exitCode;
        try (JavaSparkContext spark = new JavaSparkContext(new SparkConf().setAppName("test"))) {
            exitCode = Pipeline.run(
                    spark, TinyRun.config(Path.of(args[0]), overrides), args[1], List.of(StageName.values()));
        }
        System.exit(exitCode);
    }

    /**
     * Starts it with these settings of Spark; what it prints goes to the log.
     *
     * @param environment of the driver
     */
    static Process start(
            Path log,
            Map<String, String> spark,
            Map<String, String> environment,
            Path input,
            String run,
            String... overrides)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of(input.toString(), run));
        arguments.addAll(List.of(overrides));
        return start(JobProcess.class, log, spark, environment, arguments);
    }

    /** The same of another program. */
    static Process start(
            Class<?> program, Path log, Map<String, String> spark, Map<String, String> environment, List<String> args)
            throws IOException {
        List<String> command = new ArrayList<>(java(program.getName(), spark));
        command.addAll(args);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** The command of this JVM with another program. */
    static List<String> java(String program, Map<String, String> properties) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> !option.startsWith("-javaagent") && !option.startsWith("-Xmx"))
                .toList());
        command.addAll(List.of("-Xmx2g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // for lives this short
        properties.forEach((key, value) -> command.add("-D" + key + "=" + value));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program));
        return command;
    }

    /** Spark's settings for a driver with a local master. */
    static Map<String, String> local(int cores) {
        return Map.of(
                "spark.master",
                "local[" + cores + "]",
                "spark.ui.enabled",
                "false",
                "spark.driver.host",
                "127.0.0.1",
                "spark.latentmix.lease",
                LEASE);
    }

    /** Kills a job when a table has its first file. */
    static void killAt(Process job, Path table, Path log) throws IOException, InterruptedException {
        endAt(job, table, log, Process::destroyForcibly);
    }

    /** Ends a job, in this way, when a table has its first file. */
    static void endAt(Process job, Path table, Path log, Consumer<Process> end)
            throws IOException, InterruptedException {
        try {
            while (files(table) == 0) {
                assertThat(job.isAlive())
                        .as("the job must not end before it is ended: %s", log)
                        .isTrue();
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } finally {
            end.accept(job);
            job.waitFor();
        }
    }

    /** How many Parquet files are below a folder. */
    static long files(Path table) throws IOException {
        if (!Files.exists(table)) {
            return 0;
        }
        try (Stream<Path> files = Files.walk(table)) {
            return files.filter(file -> file.toString().endsWith(".parquet")).count();
        }
    }
}
