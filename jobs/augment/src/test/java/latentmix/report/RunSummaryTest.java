package latentmix.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import latentmix.plan.ExitCode;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunSummaryTest {
    private static final Counts COUNTS =
            new Counts(4, 3, 3, 2, 2, 2, Map.of("images", Map.of("not an image", 1L)), Map.of(), Map.of(), 0);

    private static RunSummary summary(List<String> evaluate, Map<String, Speed> measured) {
        return new RunSummary(
                ExitCode.DONE,
                "try 1",
                "",
                List.of(),
                new SettingsIds("aa", List.of("bb", "cc"), "dd", "", evaluate),
                COUNTS,
                Map.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                measured);
    }

    private static JsonNode json(RunSummary summary) throws IOException {
        return new ObjectMapper().readTree(RunFolder.json(summary));
    }

    @Test
    void theFileNamesTheSettingsIdsByStageInTheStagesSpelling() throws IOException {
        assertThat(json(summary(List.of("ee"), Map.of())).get("settings"))
                .hasToString("{\"evaluate\":[\"ee\"],\"generate\":\"dd\",\"invert\":\"aa\",\"mix\":[\"bb\",\"cc\"]}");
    }

    @Test
    void theFileHasNoIdsOfAnEvaluationThatWasNotAskedFor() throws IOException {
        assertThat(json(summary(List.of(), Map.of())).get("settings"))
                .hasToString("{\"generate\":\"dd\",\"invert\":\"aa\",\"mix\":[\"bb\",\"cc\"]}");
    }

    @Test
    void theFilesKeysAreSorted() throws IOException {
        assertThat(json(summary(List.of(), Map.of())).fieldNames())
                .toIterable()
                .containsExactly(
                        "counts", "exitCode", "label", "left", "measured", "mixtures", "settings", "stages", "stopped");
    }

    @Test
    void aStageThatDidNothingKeepsTheSpeedThatWasMeasuredBefore(@TempDir Path folder) throws IOException {
        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        assertThat(RunSummary.measured(run)).isEmpty();
        Map<String, Speed> before = Map.of("invert", new Speed(1, 5), "mix", new Speed(100, 0));
        summary(List.of(), before).publish(run);

        StageSummary invert = StageSummary.of(StageName.INVERT, 3, List.of(new ChunkResult(8, 0, 80, 2)), 4, 2);
        StageSummary mix = StageSummary.of(StageName.MIX, 3, List.of(), 0.1, 0);
        assertThat(RunSummary.measured(run, List.of(invert, mix)))
                .containsEntry("invert", new Speed(8 / 4.0, 80 / 4.0)) // two devices for two seconds
                .containsEntry("mix", new Speed(100, 0));
    }

    @Test
    void aFailureKeepsWhatWasMeasured(@TempDir Path folder) throws IOException {
        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        summary(List.of(), Map.of("mix", new Speed(100, 0))).publish(run);
        RunSummary.publishFailure(run, ExitCode.BAD_CONFIGURATION, "try 2", "input.root: expected a folder");
        assertThat(RunSummary.measured(run)).containsExactly(Map.entry("mix", new Speed(100, 0)));
    }

    @Test
    void theRefusedShareIsOfFilesAndMixturesAlike() {
        assertThat(COUNTS.refused()).isEqualTo(1);
        assertThat(COUNTS.rejectedShare()).isEqualTo(1.0 / 6);
    }
}
