package latentmix.stage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import latentmix.table.RunFolder;
import latentmix.work.CellScores;

/**
 * A run's result, published as {@code run_summary.json}: what a scheduler reads where the exit code is lost.
 *
 * @param settings settings ids by stage
 * @param mixtures how degenerate they are, by entry, method and input count
 */
public record RunSummary(
        int exitCode,
        Map<String, Object> settings,
        Counts counts,
        List<CellScores> mixtures,
        List<StageSummary> stages) {
    /** Replaces the run folder's summary. */
    void publish(RunFolder run) throws IOException {
        run.publish(run.path("run_summary.json"), RunFolder.json(this).getBytes(StandardCharsets.UTF_8));
    }
}
