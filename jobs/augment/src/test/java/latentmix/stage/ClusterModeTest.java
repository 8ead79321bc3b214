package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import latentmix.stage.StandaloneCluster.Submission;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A driver that SparkSubmit hands over to a worker ({@code --deploy-mode cluster}): what it ends with is in
 * {@code run_summary.json}.
 */
@Tag("faults")
class ClusterModeTest {
    @TempDir
    static Path folder;

    private static Path application;
    private static Path input;
    private static Path config;

    @BeforeAll
    static void aTinyRun() throws IOException {
        application = TinyRun.application(folder);
        input = TinyRun.input(folder.resolve("in"), 8);
        config = Files.writeString(folder.resolve("tiny.yaml"), TinyRun.YAML);
    }

    private static Submission submit(String run, String... more) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("run", "--config", config.toString(), "--gpus", "off"));
        arguments.addAll(List.of("--run", folder.resolve(run).toString(), "--label", "try of " + run));
        for (String override : TinyRun.overrides(input, more)) {
            arguments.addAll(List.of("--set", override));
        }
        return StandaloneCluster.shared()
                .submit(
                        run,
                        application.toString(),
                        Map.of(
                                "spark.submit.deployMode",
                                "cluster",
                                "spark.standalone.submit.waitAppCompletion",
                                "true",
                                "spark.driver.memory",
                                "1g",
                                "spark.driver.extraClassPath",
                                System.getProperty("java.class.path"),
                                "spark.cores.max",
                                "2"),
                        arguments);
    }

    private static JsonNode summary(String run) throws IOException {
        JsonNode summary = TinyRun.summary(folder.resolve(run));
        assertThat(summary.get("label").asText()).isEqualTo("try of " + run);
        return summary;
    }

    @Test
    void aRunThatIsDoneSaysSoAndHasTheBytesOfALocalOne() throws IOException, InterruptedException {
        Path local = folder.resolve("local");
        assertThat(TinyRun.run(2, TinyRun.config(input), local)).isZero();
        Submission done = submit("done");
        assertThat(done.output()).contains("is FINISHED");
        assertThat(summary("done").get("exitCode").asInt()).isZero();
        TinyRun.assertSameTables(folder.resolve("done"), local);
    }

    @Test
    void aBadConfigurationIsTwoInTheSummaryAlone() throws IOException, InterruptedException {
        Submission bad = submit("bad", "generation.solver=none");
        assertThat(bad.exitCode()).as("what spark-submit knows").isNotEqualTo(2);
        JsonNode summary = summary("bad");
        assertThat(summary.get("exitCode").asInt()).isEqualTo(2);
        assertThat(summary.get("failure").asText()).contains("generation.solver");
    }

    @Test
    void moreRejectsThanAllowedAreThreeInTheSummaryAlone() throws IOException, InterruptedException {
        Path spoiled = Files.createDirectories(folder.resolve("spoiled-in"));
        TinyRun.input(spoiled, 8);
        Files.writeString(spoiled.resolve("5-sandal/broken.png"), "no image");
        Submission spoilt = submit("spoilt", "input.root=" + spoiled, "run.max_rejected=0");
        assertThat(spoilt.exitCode()).as("what spark-submit knows").isNotEqualTo(3);
        assertThat(summary("spoilt").get("exitCode").asInt()).isEqualTo(3);
    }
}
