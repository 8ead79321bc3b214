package latentmix.stage;

import static latentmix.stage.S3Server.BUCKET;
import static latentmix.stage.S3Server.location;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.RunConfig;
import latentmix.plan.Lease;
import latentmix.table.RunFolder;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with its input, class list, checkpoint, run folder and dataset on s3a. */
class S3RunTest {
    @TempDir
    static Path folder;

    private static S3Server server;

    @BeforeAll
    static void anS3Server() throws IOException, InterruptedException {
        server = new S3Server(folder);
    }

    @AfterAll
    static void noServer() throws IOException {
        FileSystem.closeAll(); // they know this server alone
        server.close();
    }

    /** Every stage in this process. */
    static int run(RunConfig config, String run, Map<String, String> s3a) throws IOException {
        SparkConf conf = new SparkConf()
                .setAppName("test")
                .setMaster("local[2]")
                .set("spark.ui.enabled", "false")
                .set("spark.latentmix.lease", JobProcess.LEASE)
                .set("spark.driver.host", "127.0.0.1");
        s3a.forEach((key, value) -> conf.set("spark.hadoop." + key, value));
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            return Pipeline.run(spark, config, run, List.of(StageName.values()));
        } finally {
            FileSystem.closeAll();
        }
    }

    /** Asserts that the files are the same, but for the times of change that the images table has. */
    static void assertSameTables(Path run, Path undisturbed) throws IOException {
        Map<String, String> expected = TinyRun.tables(undisturbed);
        Map<String, String> found = TinyRun.tables(run);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        assertThat(found.keySet())
                .as("files with other bytes")
                .noneMatch(
                        file -> !file.startsWith("images/") && !found.get(file).equals(expected.get(file)));
    }

    @Test
    void aRunWithEverythingOnS3MakesTheBytesOfALocalOneAndASecondRunComputesNothing() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path classes = TinyRun.classes(folder.resolve("classes.tsv"));
        Path local = folder.resolve("local");
        assertThat(TinyRun.run(2, TinyRun.config(input, "input.classes=" + classes, "evaluation.sample=100"), local))
                .isZero();

        String model = server.put(Path.of(BuiltIn.located("builtin:fashion")), "model");
        RunConfig config = TinyRun.config(
                input,
                "input.root=" + server.put(input, "in"),
                "input.classes=" + server.put(classes, "classes.tsv"),
                "model.checkpoint=" + model,
                "evaluation.classifier=" + model + "/classifier",
                "evaluation.sample=100");
        assertThat(run(config, location("run"), server.settings())).isZero();
        assertThat(run(config, location("run"), server.settings())).isZero();

        Path fetched = server.fetch("run", folder.resolve("fetched"));
        assertSameTables(fetched, local);
        assertThat(fetched.resolve("dataset/images/5-sandal")).isNotEmptyDirectory();
        assertThat(PipelineTest.evaluations(fetched, "invert")).isZero();
        assertThat(PipelineTest.evaluations(fetched, "generate")).isZero();
    }

    @Test
    void aFileIsMadeByOneOfTwoAndALeaseIsHeldByOne() throws IOException {
        RunFolder run = new RunFolder("s3a://" + BUCKET + "/leased", S3Server.hadoop(server.settings()));
        org.apache.hadoop.fs.Path file = run.path("once");
        assertThat(run.create(file, new byte[] {1})).isTrue();
        assertThat(run.create(file, new byte[] {2})).isFalse();
        assertThat(run.read(file)).containsExactly(1);
        try (Lease lease = Lease.take(run, Duration.ofSeconds(3), () -> {})) {
            assertThatThrownBy(() -> Lease.take(run, Duration.ofSeconds(30), () -> {}))
                    .isInstanceOf(Lease.HeldException.class);
            lease.check();
        }
        Lease.take(run, Duration.ofSeconds(30), () -> {}).close();
    }

    @Test
    void anAbortedWriteLeavesNothing() throws IOException {
        RunFolder run = new RunFolder("s3a://" + BUCKET + "/aborted", S3Server.hadoop(server.settings()));
        org.apache.hadoop.fs.Path file = run.chunk(RunFolder.Table.MIXED, "a", "c1");
        FSDataOutputStream out = file.getFileSystem(run.conf()).create(file, true);
        out.write(new byte[1 << 20]);
        out.abort();
        assertThatThrownBy(() -> run.read(file)).isInstanceOf(FileNotFoundException.class);
        run.publish(file, new byte[] {1, 2, 3});
        assertThat(run.read(file)).containsExactly(1, 2, 3);
        assertThat(run.chunks(RunFolder.Table.MIXED, "a")).containsExactly("c1");
    }

    @Test
    void theConnectorNeedsNoBundleOfAllOfTheSdk() {
        assertThat(Arrays.stream(System.getProperty("java.class.path").split(java.io.File.pathSeparator)))
                .noneMatch(jar -> Path.of(jar).getFileName().toString().matches("(aws-java-sdk-)?bundle-.*\\.jar"))
                .anyMatch(jar -> Path.of(jar).getFileName().toString().matches("s3-2\\..*\\.jar"));
    }
}
