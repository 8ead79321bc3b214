package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** A real S3 server, S3Proxy, in a process of its own, which checks signatures; what it holds ends with it. */
public final class S3Server implements AutoCloseable {
    /** What no log, table or report may show. */
    public static final String ACCESS_KEY = "AKIDLATENTMIXTEST7Q";

    public static final String SECRET_KEY = "sEcReT/oF+tHe-LaTeNtMiX-tEsTs8w3";

    /** The bucket that is there. */
    public static final String BUCKET = "bucket";

    private static final Path SERVER = Path.of("target/s3proxy/s3proxy-jar-with-dependencies.jar");

    private final Path log;
    private final Process process;
    private final int port;

    /** Starts it and makes the bucket. */
    public S3Server(Path folder) throws IOException, InterruptedException {
        this.port = freePort();
        this.log = folder.resolve("s3proxy.log");
        Path properties = Files.writeString(
                folder.resolve("s3proxy.properties"),
                """
                s3proxy.endpoint=http://127.0.0.1:%d
                s3proxy.authorization=aws-v2-or-v4
                s3proxy.identity=%s
                s3proxy.credential=%s
                jclouds.provider=transient
                jclouds.identity=test
                jclouds.credential=test
                jclouds.regions=us-east-1
                """
                        .formatted(port, ACCESS_KEY, SECRET_KEY));
        this.process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-jar",
                        SERVER.toAbsolutePath().toString(),
                        "--properties",
                        properties.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        makeBucket();
    }

    private void makeBucket() throws IOException, InterruptedException {
        try (S3Client client = S3Client.builder()
                .endpointOverride(URI.create("http://127.0.0.1:" + port))
                .region(Region.US_EAST_1)
                .forcePathStyle(true)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create(ACCESS_KEY, SECRET_KEY)))
                .build()) {
            for (int i = 0; i < 600 && process.isAlive(); i++) {
                try {
                    client.createBucket(bucket -> bucket.bucket(BUCKET));
                    return;
                } catch (SdkClientException notListeningYet) {
                    TimeUnit.MILLISECONDS.sleep(200);
                }
            }
        }
        close();
        throw new AssertionError("S3Proxy must start, but: " + Files.readString(log));
    }

    static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            return free.getLocalPort();
        }
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /** The s3a connector's settings for this server. */
    public Map<String, String> settings() {
        return settings(port);
    }

    /** The same for whatever listens at a port; what fails is tried again sooner than in production, and as often. */
    public static Map<String, String> settings(int port) {
        Map<String, String> settings = new TreeMap<>();
        settings.put("fs.s3a.endpoint", "http://127.0.0.1:" + port);
        settings.put("fs.s3a.endpoint.region", "us-east-1");
        settings.put("fs.s3a.path.style.access", "true");
        settings.put("fs.s3a.connection.ssl.enabled", "false");
        settings.put("fs.s3a.access.key", ACCESS_KEY);
        settings.put("fs.s3a.secret.key", SECRET_KEY);
        settings.put("fs.s3a.retry.interval", "20ms");
        settings.put("fs.s3a.retry.throttle.interval", "20ms");
        return settings;
    }

    public static Configuration hadoop(Map<String, String> settings) {
        Configuration conf = new Configuration();
        settings.forEach(conf::set);
        return conf;
    }

    /** A location in the bucket. */
    public static String location(String path) {
        return "s3a://" + BUCKET + "/" + path;
    }

    /** Copies a local file or folder into the bucket. */
    public String put(Path local, String path) throws IOException {
        try (FileSystem s3 = fileSystem()) {
            s3.copyFromLocalFile(
                    new org.apache.hadoop.fs.Path(local.toUri()), new org.apache.hadoop.fs.Path(location(path)));
        }
        return location(path);
    }

    /** Copies a folder of the bucket to a local one. */
    public Path fetch(String path, Path local) throws IOException {
        try (FileSystem s3 = fileSystem()) {
            s3.copyToLocalFile(
                    false,
                    new org.apache.hadoop.fs.Path(location(path)),
                    new org.apache.hadoop.fs.Path(local.toUri()),
                    true);
        }
        assertThat(local).isDirectory();
        return local;
    }

    /** The bucket, past whatever stands before the server; the caller closes it. */
    FileSystem fileSystem() throws IOException {
        return FileSystem.newInstance(URI.create(location("")), hadoop(settings()));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
