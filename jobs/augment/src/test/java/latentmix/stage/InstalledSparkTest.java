package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import latentmix.Repository;
import latentmix.stage.InstalledSpark.Ended;
import org.apache.hadoop.fs.FileSystem;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code ./latentmix} of the archive with an installed Spark, as docs/clusters.md says: its own spark-submit and
 * cluster.
 */
@Tag("installed")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class InstalledSparkTest {
    @TempDir
    static Path folder;

    private static InstalledSpark spark;
    private static Path input;
    private static Path config;
    private static Path undisturbed;

    @BeforeAll
    static void anInstalledSparkAndARunOfTheTests() throws Exception {
        spark = new InstalledSpark(folder.resolve("spark"));
        input = TinyRun.input(folder.resolve("in"), 8);
        config = Files.writeString(folder.resolve("tiny.yaml"), TinyRun.YAML);
        undisturbed = folder.resolve("undisturbed");
        assertThat(TinyRun.run(2, TinyRun.config(input), undisturbed)).isZero();
    }

    @AfterAll
    static void noSpark() throws IOException {
        FileSystem.closeAll();
        spark.close();
    }

    private static Ended run(String run, String... more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("run", "--config", config.toString(), "--run", run));
        for (String override : TinyRun.overrides(input, more)) {
            arguments.addAll(List.of("--set", override));
        }
        return spark.run(arguments.toArray(String[]::new));
    }

    private static void assertDone(Ended run) {
        assertThat(run.exitCode()).as(run.output()).isZero();
        assertThat(run.output()).contains("12 images in ");
    }

    @Test
    void itIsTheVersionThatWeAreBuiltFor() throws IOException {
        assertThat(Files.readString(Repository.file("pom.xml")))
                .contains("<spark.version>" + spark.version() + "</spark.version>");
        assertThat(Files.readString(Path.of("src/test/resources/airflow/requirements.txt")))
                .contains("pyspark==" + spark.version() + "\n");
    }

    @Test
    void onThisMachineAndOnAClusterItMakesTheBytesOfTheTestsOwnSpark() throws Exception {
        spark.set(Map.of());
        assertDone(run(folder.resolve("local").toString()));
        TinyRun.assertSameTables(folder.resolve("local"), undisturbed);

        spark.startCluster();
        assertDone(run("run in the driver's folder"));
        TinyRun.assertSameTables(spark.workingFolder().resolve("run in the driver's folder"), undisturbed);
        TinyRun.input(spark.workingFolder().resolve("in"), 8);
        Ended relative = run("relative", "input.root=in");
        assertThat(relative.exitCode()).as(relative.output()).isEqualTo(2);
        assertThat(relative.output())
                .contains("input.root: expected a place that executors find from folders of their own, got in; write "
                        + spark.workingFolder().resolve("in"));

        try (S3Server store = new S3Server(folder)) {
            Map<String, String> settings = new TreeMap<>();
            store.settings().forEach((key, value) -> settings.put("spark.hadoop." + key, value));
            spark.set(settings);
            Ended lacking = run(S3Server.location("lacking"));
            assertThat(lacking.exitCode()).as(lacking.output()).isEqualTo(2);
            assertThat(lacking.output()).contains("s3a: expected Hadoop's connector");

            settings.put("spark.jars", spark.lacking());
            spark.set(settings);
            assertDone(run(S3Server.location("jars")));
            S3Run.assertSameTables(store.fetch("jars", folder.resolve("jars")), undisturbed);
        }
    }
}
