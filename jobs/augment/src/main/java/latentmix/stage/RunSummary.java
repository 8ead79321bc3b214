package latentmix.stage;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import latentmix.table.RunFolder;
import latentmix.work.CellScores;

/**
 * A run's result, published as {@code run_summary.json}: what a scheduler reads where the exit code is lost.
 *
 * @param label of the attempt, as the run was given it
 * @param stopped why it was stopped before its end; empty where it was not
 * @param left what the stages that were asked for had left to do when it was stopped
 * @param settings settings ids by stage
 * @param mixtures how degenerate they are, by entry, method and input count
 * @param measured how fast each stage was when it last did something in this folder
 */
public record RunSummary(
        int exitCode,
        String label,
        String stopped,
        List<Plan.Stage> left,
        Map<String, Object> settings,
        Counts counts,
        List<CellScores> mixtures,
        List<StageSummary> stages,
        Map<String, Speed> measured) {
    private static final String FILE = "run_summary.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The summary of a run that ended with a failure. */
    private record Failure(int exitCode, String label, String failure, Map<String, Speed> measured) {}

    /** Replaces the run folder's summary. */
    void publish(RunFolder run) throws IOException {
        publish(run, this);
    }

    /** Replaces the run folder's summary by that of a failure, with what it says to a person. */
    public static void publishFailure(RunFolder run, int exitCode, String label, String failure) throws IOException {
        publish(run, new Failure(exitCode, label, failure, measured(run)));
    }

    private static void publish(RunFolder run, Object summary) throws IOException {
        run.publish(run.path(FILE), RunFolder.json(summary).getBytes(StandardCharsets.UTF_8));
    }

    /** What the run folder's summary says of each stage's speed; nothing where there is none. */
    static Map<String, Speed> measured(RunFolder run) throws IOException {
        try {
            JsonNode measured = JSON.readTree(run.read(run.path(FILE))).path("measured");
            return JSON.convertValue(
                    measured.isObject() ? measured : JSON.createObjectNode(),
                    new TypeReference<Map<String, Speed>>() {});
        } catch (FileNotFoundException e) {
            return Map.of();
        }
    }

    /** The same, brought up to date by what was done now. */
    static Map<String, Speed> measured(RunFolder run, List<StageSummary> stages) throws IOException {
        Map<String, Speed> measured = new TreeMap<>(measured(run));
        for (StageSummary stage : stages) {
            double seconds = stage.deviceSeconds() > 0 ? stage.deviceSeconds() : stage.taskSeconds();
            if (stage.rows() > 0 && seconds > 0) {
                measured.put(stage.stage(), new Speed(stage.rows() / seconds, stage.networkEvaluations() / seconds));
            }
        }
        return measured;
    }
}
