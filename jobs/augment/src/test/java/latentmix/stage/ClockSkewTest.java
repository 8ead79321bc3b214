package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.table.StageName;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Machines whose clocks disagree by days, which libfaketime (Debian: faketime) makes of processes on one machine. */
@Tag("faults")
class ClockSkewTest {
    @TempDir
    static Path folder;

    private static String library;
    private static Path input;
    private static Path undisturbed;
    private static String[] overrides;

    @BeforeAll
    static void anUndisturbedRun() throws IOException {
        try (Stream<Path> libraries =
                Files.find(Path.of("/usr/lib"), 3, (path, attributes) -> path.endsWith("faketime/libfaketime.so.1"))) {
            library = libraries.map(Path::toString).findFirst().orElse(null);
        }
        assumeThat(library).as("libfaketime").isNotNull();
        input = TinyRun.input(folder.resolve("in"), 8);
        overrides = TinyRun.measured(folder);
        undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, TinyRun.config(input, overrides), undisturbed))
                .isZero();
    }

    /** The environment of a process whose clock, but for the one that counts durations, is off. */
    private static Map<String, String> clock(String offset) {
        return Map.of(
                "LD_PRELOAD",
                library,
                "FAKETIME",
                offset,
                "FAKETIME_DONT_FAKE_MONOTONIC",
                "1",
                "FAKETIME_FORCE_MONOTONIC_FIX",
                "0");
    }

    @Test
    void executorsADayAheadOfTheirDriverGiveTheSameTables() throws IOException, InterruptedException {
        Map<String, String> settings = new HashMap<>(StandaloneCluster.shared().settings());
        clock("+1d").forEach((name, value) -> settings.put("spark.executorEnv." + name, value));
        SparkConf conf = new SparkConf().setAppName("test");
        settings.forEach(conf::set);
        Path run = folder.resolve("executors");
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            long there = spark.parallelize(List.of(0), 1)
                    .map(any -> System.currentTimeMillis())
                    .first();
            assertThat(Duration.ofMillis(there - System.currentTimeMillis())).isGreaterThan(Duration.ofHours(23));
            assertThat(Pipeline.run(
                            spark, TinyRun.config(input, overrides), run.toString(), List.of(StageName.values())))
                    .isZero();
        }
        TinyRun.assertSameTables(run, undisturbed);
    }

    @Test
    void aRunKilledTomorrowGoesOnYesterdayToTheSameTables() throws IOException, InterruptedException {
        Path run = folder.resolve("drivers");
        Path log = folder.resolve("drivers.log");
        JobProcess.killAt(
                JobProcess.start(log, JobProcess.local(1), clock("+1d"), input, run.toString(), overrides),
                run.resolve("inverted"),
                log);
        assertThat(JobProcess.files(run.resolve("inverted")))
                .isBetween(1L, JobProcess.files(undisturbed.resolve("inverted")) - 1);
        assertThat(JobProcess.start(log, JobProcess.local(2), clock("-1d"), input, run.toString(), overrides)
                        .waitFor())
                .as("see %s", log)
                .isZero();
        TinyRun.assertSameTables(run, undisturbed);
    }

    @Test
    void aMachineADayAheadOfItsStoreRunsOnS3() throws IOException, InterruptedException {
        try (S3Server server = new S3Server(folder)) {
            server.put(input, "in");
            Map<String, String> spark = new HashMap<>(JobProcess.local(2));
            S3Server.settings(server.port()).forEach((key, value) -> spark.put("spark.hadoop." + key, value));
            Path log = folder.resolve("s3.log");
            String[] onS3 = Stream.concat(Stream.of(overrides), Stream.of("input.root=" + S3Server.location("in")))
                    .toArray(String[]::new);
            assertThat(JobProcess.start(log, spark, clock("+1d"), input, S3Server.location("run"), onS3)
                            .waitFor())
                    .as("see %s", log)
                    .isZero();
            S3Run.assertSameTables(server.fetch("run", folder.resolve("s3")), undisturbed);
        }
    }
}
