package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher unpacked from the archive, before it starts Java: what is wrong is a line and exit code 2. */
class LauncherTest {
    @TempDir
    private Path folder;

    private Path launcher;

    @BeforeEach
    void unpacked() throws Exception {
        Path home = Files.createDirectories(folder.resolve("un packed"));
        launcher = Files.copy(Repository.file("latentmix"), home.resolve("latentmix"));
        Files.createDirectories(home.resolve("lib/spark/jars"));
    }

    @Test
    void aJdkThatSparkDoesNotRunOnIsRefused() throws Exception {
        assertRefused(
                Map.of("JAVA_HOME", jdk("25.0.3").toString()),
                "latentmix: expected a JDK 17 or 21, got 25 from " + folder + "/jdk-25.0.3/bin/java; set JAVA_HOME to"
                        + " a JDK 17");
        assertRefused(
                Map.of("JAVA_HOME", jdk("1.8.0").toString()),
                "latentmix: expected a JDK 17 or 21, got 1 from " + folder + "/jdk-1.8.0/bin/java; set JAVA_HOME to"
                        + " a JDK 17");
    }

    @Test
    void aFolderWithoutAJdkIsRefused() throws Exception {
        assertRefused(
                Map.of("JAVA_HOME", "/no/jdk"),
                "latentmix: JAVA_HOME: expected the folder of a JDK 17, got /no/jdk, which has no bin/java;"
                        + " correct it");
    }

    @Test
    void aCacheThatCannotBeWrittenIsRefused() throws Exception {
        assertRefused(
                Map.of("JAVA_HOME", jdk("17.0.15").toString(), "LATENTMIX_CACHE_DIR", "/proc/cache"),
                "latentmix: LATENTMIX_CACHE_DIR: expected a folder that can be written, got /proc/cache; name another");
    }

    @Test
    void theJdkWarnsOfNothingButAllElseIsHeardAndTheExitCodeIsItsOwn() throws Exception {
        Path jdk = jdk("17.0.15");
        // The cat reads until the filter ends. Java's own pipe closes with the launcher, a little earlier.
        Process process = start(
                Map.of("JAVA_HOME", jdk.toString()),
                "bash",
                "-c",
                "set -o pipefail; bash \"$0\" run 2>&1 | cat",
                launcher.toString());
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("said to err\nlast");
        assertThat(process.waitFor()).isEqualTo(7);
    }

    @Test
    void theJarsThatAnInstalledSparkNamesAreSubmittedBesideOurs() throws Exception {
        Path natives = Files.createFile(folder.resolve("un packed/lib/spark/jars/pytorch-jni.jar"));
        Path spark = Files.createDirectories(folder.resolve("spark"));
        Path submit = Files.createDirectories(spark.resolve("bin")).resolve("spark-submit");
        Files.writeString(submit, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
        assertThat(submit.toFile().setExecutable(true)).isTrue();
        Files.writeString(
                Files.createDirectories(spark.resolve("conf")).resolve("spark-defaults.conf"),
                "# spark.jars none.jar\nspark.jars.packages none\n spark.jars = s3a.jar,sdk.jar \nspark.master yarn\n");
        Process process = start(
                Map.of("JAVA_HOME", jdk("17.0.15").toString(), "SPARK_HOME", spark.toString()),
                "bash",
                launcher.toString(),
                "run");
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .contains("--jars\n" + natives + ",s3a.jar,sdk.jar\n");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void theClassesThatADemoLoadsAreSharedWithLaterStarts() throws Exception {
        Path jdk = jdk("17.0.15");
        Files.writeString(jdk.resolve("bin/java"), "#!/bin/sh\necho \"$$ $*\"\n");
        Files.createFile(folder.resolve("un packed/lib/latentmix.jar"));
        assertThat(said(jdk, "plan")).doesNotContain(".jsa");

        String demo = said(jdk, "demo");
        Matcher written =
                Pattern.compile("-XX:ArchiveClassesAtExit=(.+\\.jsa)\\.(\\d+) ").matcher(demo);
        assertThat(written.find()).as(demo).isTrue();
        assertThat(demo).startsWith(written.group(2) + " "); // the process that writes it
        Files.createFile(Path.of(written.group(1) + "." + written.group(2)));
        for (String verb : List.of("demo", "plan", "run", "bench")) {
            assertThat(said(jdk, verb)).contains("-XX:SharedArchiveFile=" + written.group(1) + " ");
        }

        Path jar = folder.resolve("un packed/lib/latentmix.jar");
        Files.setLastModifiedTime(jar, FileTime.from(Instant.now().plusSeconds(60))); // built anew
        assertThat(said(jdk, "demo")).contains("-XX:ArchiveClassesAtExit=" + written.group(1) + ".");
    }

    private String said(Path jdk, String verb) throws Exception {
        Process process = start(Map.of("JAVA_HOME", jdk.toString()), "bash", launcher.toString(), verb);
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return said;
    }

    private void assertRefused(Map<String, String> environment, String line) throws Exception {
        Process process = start(environment, "bash", launcher.toString(), "--version");
        assertThat(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo(line + "\n");
        assertThat(process.waitFor()).isEqualTo(2);
    }

    private Process start(Map<String, String> environment, String... command) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().remove("SPARK_HOME");
        builder.environment().put("LATENTMIX_CACHE_DIR", folder.resolve("cache").toString());
        builder.environment().putAll(environment);
        return builder.start();
    }

    /** A JDK that says which it is and, when started, warns, speaks and ends with 7. */
    private Path jdk(String version) throws Exception {
        Path jdk = Files.createDirectories(folder.resolve("jdk-" + version));
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
        Path java = Files.createDirectories(jdk.resolve("bin")).resolve("java");
        Files.writeString(
                java,
                """
                #!/bin/sh
                echo "WARNING: Using incubator modules: jdk.incubator.vector" >&2
                echo "said to err" >&2
                printf last >&2
                exit 7
                """);
        assertThat(java.toFile().setExecutable(true)).isTrue();
        return jdk;
    }
}
