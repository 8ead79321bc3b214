package latentmix.cli;

import static latentmix.stage.S3Server.location;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import latentmix.plan.ExitCode;
import latentmix.stage.FaultyStore;
import latentmix.stage.FaultyStore.Answer;
import latentmix.stage.S3Server;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with a store is one line, and the exit code says whether it may pass. */
class S3ErrorsTest {
    @TempDir
    static Path folder;

    private static S3Server server;
    private static FaultyStore store;

    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void aServerAndAProxyBeforeIt() throws IOException, InterruptedException {
        server = new S3Server(folder);
        store = new FaultyStore(server.port());
    }

    @AfterAll
    static void noServer() throws IOException {
        store.close();
        server.close();
    }

    private int run(String run, Map<String, String> s3a, String... overrides) throws IOException {
        Path config = Files.writeString(
                folder.resolve("run.yaml"),
                """
                input: {root: "builtin:fashion-mnist-sample"}
                model: {checkpoint: "builtin:fashion"}
                """);
        List<String> properties = new ArrayList<>();
        s3a.forEach((key, value) -> {
            properties.add("spark.hadoop." + key);
            System.setProperty("spark.hadoop." + key, value);
        });
        properties.add("spark.master");
        System.setProperty("spark.master", "local[1]");
        List<String> arguments = new ArrayList<>(List.of("run", "--config", config.toString(), "--run", run));
        for (String override : overrides) {
            arguments.addAll(List.of("--set", override));
        }
        try {
            return Main.execute(
                    List.of(),
                    new PrintWriter(new StringWriter()),
                    new PrintWriter(err, true),
                    arguments.toArray(String[]::new));
        } finally {
            properties.forEach(System::clearProperty);
            FileSystem.closeAll(); // the next test's settings are others
            store.rule(request -> Answer.PASS);
        }
    }

    private void assertOneLine(String... parts) {
        assertThat(err.toString().lines().toList()).hasSize(1);
        assertThat(err.toString()).contains(parts).doesNotContain(S3Server.SECRET_KEY, S3Server.ACCESS_KEY, "\tat ");
    }

    @Test
    void wrongCredentialsAreTwo() throws IOException {
        Map<String, String> settings = server.settings();
        settings.put("fs.s3a.secret.key", "not" + S3Server.SECRET_KEY);
        assertThat(run(location("denied"), settings)).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine(location("denied"), "403", "correct the credentials");
    }

    @Test
    void noCredentialsAreTwo() throws IOException {
        Map<String, String> settings = server.settings();
        settings.put("fs.s3a.access.key", "");
        settings.put("fs.s3a.secret.key", "");
        settings.put("fs.s3a.aws.credentials.provider", "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider");
        assertThat(run(location("nobody"), settings)).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("expected credentials, found none", "fs.s3a.access.key");
    }

    @Test
    void aMissingBucketIsTwoForTheRunTheInputAndTheCheckpoint() throws IOException {
        assertThat(run("s3a://no-such-bucket/run", server.settings())).isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("s3a://no-such-bucket", "expected a bucket", "create it");
        err.getBuffer().setLength(0);
        assertThat(run(folder.resolve("a").toString(), server.settings(), "input.root=s3a://no-such-bucket/in"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("s3a://no-such-bucket", "expected a bucket", "create it");
        err.getBuffer().setLength(0);
        assertThat(run(folder.resolve("b").toString(), server.settings(), "model.checkpoint=s3a://no-such-bucket/m"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("s3a://no-such-bucket", "expected a bucket", "create it");
    }

    @Test
    void anInceptionThatIsNotThereOrIsAnotherIsTwo() throws IOException {
        String named = "ab".repeat(32);
        server.put(Files.writeString(folder.resolve("inception.pt"), "a program"), "inception.pt");
        for (String[] wrong : new String[][] {
            {"s3a://no-such-bucket/inception.pt", "s3a://no-such-bucket", "expected a bucket"},
            {location("none.pt"), "evaluation.inception", location("none.pt"), "no .pt or .safetensors file"},
            {location("inception.pt"), "evaluation.inception", "inception.pt should have the SHA-256 " + named}
        }) {
            String inception = "evaluation.inception={file: \"" + wrong[0] + "\", sha256: " + named + "}";
            assertThat(run(folder.resolve("d").toString(), server.settings(), inception))
                    .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
            assertOneLine(Arrays.copyOfRange(wrong, 1, wrong.length));
            err.getBuffer().setLength(0);
        }
    }

    @Test
    void aBucketThatCannotBeWrittenIsTwoAlsoWhereTheRunFolderStands() throws IOException {
        store.rule(request -> request.method().matches("PUT|POST|DELETE") ? Answer.FORBIDDEN : Answer.PASS);
        assertThat(run(location("read-only"), S3Server.settings(store.port())))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("read-only/lease.json", "403 AccessDenied", "let the bucket's policy allow it");
        err.getBuffer().setLength(0);
        server.put(Files.writeString(folder.resolve("format.json"), "{\"format\": 3}\n"), "stands/format.json");
        store.rule(request -> request.method().matches("PUT|POST|DELETE") ? Answer.FORBIDDEN : Answer.PASS);
        assertThat(run(location("stands"), S3Server.settings(store.port())))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("stands/lease.json", "403 AccessDenied");
    }

    @Test
    void aStoreThatIsDownOrOverloadedIsSeventyFive() throws IOException {
        int nobody;
        try (ServerSocket free = new ServerSocket(0)) {
            nobody = free.getLocalPort();
        }
        Map<String, String> impatient = S3Server.settings(nobody);
        impatient.put("fs.s3a.retry.limit", "2");
        impatient.put("fs.s3a.attempts.maximum", "2");
        assertThat(run(location("down"), impatient)).isEqualTo(ExitCode.TRY_AGAIN.code());
        assertOneLine("Try again when the store answers", "Connect");

        err.getBuffer().setLength(0);
        impatient.putAll(S3Server.settings(store.port()));
        impatient.put("fs.s3a.retry.throttle.limit", "2");
        store.rule(request -> Answer.SLOW_DOWN);
        assertThat(run(location("overloaded"), impatient)).isEqualTo(ExitCode.TRY_AGAIN.code());
        assertOneLine("Try again when the store answers", "503");
    }

    @Test
    void credentialsInALocationAreRefusedUnseen() throws IOException {
        String secret = "hunter2";
        assertThat(run("s3a://id:" + secret + "@bucket/run", server.settings()))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("--run: expected a location without credentials");
        err.getBuffer().setLength(0);
        assertThat(run(folder.resolve("c").toString(), server.settings(), "input.root=s3a://id:" + secret + "@b/in"))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("input.root: expected a location without credentials");
        err.getBuffer().setLength(0);
        String inception = "{file: \"s3a://id:" + secret + "@b/inception.pt\", sha256: " + "ab".repeat(32) + "}";
        assertThat(run(folder.resolve("c").toString(), server.settings(), "evaluation.inception=" + inception))
                .isEqualTo(ExitCode.BAD_CONFIGURATION.code());
        assertOneLine("evaluation.inception.file: expected a location without credentials");
        assertThat(err.toString()).doesNotContain(secret);
    }
}
