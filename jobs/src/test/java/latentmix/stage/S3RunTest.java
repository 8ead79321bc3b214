package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import latentmix.config.RunConfig;
import latentmix.plan.Lease;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with its input, class list and run folder on s3a: a real S3 server, S3Proxy, in a process of its own. */
class S3RunTest {
    private static final Path SERVER = Path.of("target/s3proxy/s3proxy-jar-with-dependencies.jar");
    private static final String BUCKET = "bucket";

    @TempDir
    static Path folder;

    private static Process server;
    private static int port;

    @BeforeAll
    static void anS3Server() throws IOException, InterruptedException {
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        Path properties = Files.writeString(
                folder.resolve("s3proxy.properties"),
                """
                s3proxy.endpoint=http://127.0.0.1:%d
                s3proxy.authorization=none
                jclouds.provider=transient
                jclouds.identity=test
                jclouds.credential=test
                jclouds.regions=us-east-1
                """
                        .formatted(port));
        server = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-jar",
                        SERVER.toAbsolutePath().toString(),
                        "--properties",
                        properties.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("s3proxy.log").toFile())
                .start();
        makeBucket();
    }

    private static void makeBucket() throws InterruptedException, IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/" + BUCKET))
                .PUT(HttpRequest.BodyPublishers.noBody())
                .build();
        for (int i = 0; i < 200 && server.isAlive(); i++) {
            try {
                assertThat(HttpClient.newHttpClient()
                                .send(request, HttpResponse.BodyHandlers.ofString())
                                .statusCode())
                        .isEqualTo(200);
                return;
            } catch (IOException e) { // not listening yet
                TimeUnit.MILLISECONDS.sleep(200);
            }
        }
        throw new AssertionError("S3Proxy must start, but: " + Files.readString(folder.resolve("s3proxy.log")));
    }

    @AfterAll
    static void noServer() {
        server.destroyForcibly();
    }

    private static Map<String, String> s3a() {
        return Map.of(
                "fs.s3a.endpoint", "http://127.0.0.1:" + port,
                "fs.s3a.endpoint.region", "us-east-1",
                "fs.s3a.path.style.access", "true",
                "fs.s3a.connection.ssl.enabled", "false",
                "fs.s3a.access.key", "test",
                "fs.s3a.secret.key", "test");
    }

    private static Configuration hadoop() {
        Configuration conf = new Configuration();
        s3a().forEach(conf::set);
        return conf;
    }

    private static int run(RunConfig config, String run) throws IOException {
        SparkConf conf = new SparkConf()
                .setAppName("test")
                .setMaster("local[2]")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1");
        s3a().forEach((key, value) -> conf.set("spark.hadoop." + key, value));
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            return Pipeline.run(spark, config, run, List.of(StageName.values()));
        }
    }

    @Test
    void aRunOnS3MakesTheBytesOfALocalOneAndASecondRunComputesNothing() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        Path classes = Files.writeString(
                folder.resolve("classes.tsv"),
                "index\tfolder\tname\n0\t5-sandal\tsandal\n1\t9-ankle-boot\tankle boot\n");
        Path local = folder.resolve("local");
        assertThat(TinyRun.run(2, TinyRun.config(input, "input.classes=" + classes, "evaluation.sample=100"), local))
                .isZero();

        String root = "s3a://" + BUCKET + "/";
        FileSystem s3 = FileSystem.get(URI.create(root), hadoop());
        s3.copyFromLocalFile(new org.apache.hadoop.fs.Path(input.toUri()), new org.apache.hadoop.fs.Path(root + "in"));
        s3.copyFromLocalFile(
                new org.apache.hadoop.fs.Path(classes.toUri()), new org.apache.hadoop.fs.Path(root + "classes.tsv"));
        RunConfig config = TinyRun.config(
                input, "input.root=" + root + "in", "input.classes=" + root + "classes.tsv", "evaluation.sample=100");
        assertThat(run(config, root + "run")).isZero();
        assertThat(run(config, root + "run")).isZero();

        Path fetched = folder.resolve("fetched");
        s3.copyToLocalFile(
                false,
                new org.apache.hadoop.fs.Path(root + "run"),
                new org.apache.hadoop.fs.Path(fetched.toUri()),
                true);
        Map<String, String> expected = TinyRun.tables(local);
        Map<String, String> found = TinyRun.tables(fetched);
        assertThat(found.keySet()).isEqualTo(expected.keySet());
        assertThat(found.keySet())
                .as("files with other bytes, but for the images' times of change")
                .noneMatch(
                        file -> !file.startsWith("images/") && !found.get(file).equals(expected.get(file)));
        assertThat(PipelineTest.evaluations(fetched, "invert")).isZero();
        assertThat(PipelineTest.evaluations(fetched, "generate")).isZero();
    }

    @Test
    void aFileIsMadeByOneOfTwoAndALeaseIsHeldByOne() throws IOException {
        RunFolder run = new RunFolder("s3a://" + BUCKET + "/leased", hadoop());
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
        RunFolder run = new RunFolder("s3a://" + BUCKET + "/aborted", hadoop());
        org.apache.hadoop.fs.Path file = run.chunk(RunFolder.Table.MIXED, "a", "c1");
        FSDataOutputStream out = file.getFileSystem(run.conf()).create(file, true);
        out.write(new byte[1 << 20]);
        out.abort();
        assertThatThrownBy(() -> run.read(file)).isInstanceOf(FileNotFoundException.class);
        run.publish(file, new byte[] {1, 2, 3});
        assertThat(run.read(file)).containsExactly(1, 2, 3);
        assertThat(run.chunks(RunFolder.Table.MIXED, "a")).containsExactly("c1");
    }
}
