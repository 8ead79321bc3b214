package latentmix.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import latentmix.plan.ExitCode;
import latentmix.table.RunFolder;
import latentmix.work.CellScores;

/**
 * A run's result, published as {@code run_summary.json}: what a scheduler reads where the exit code is lost.
 *
 * @param label the attempt's label, as the run was given it
 * @param stopped why the run was stopped before its end; empty where it was not
 * @param left what the stages that were asked for had left to do when the run was stopped
 * @param classes how many images each class has; empty and not written where no dataset was made
 * @param adapted what was learnt of classes; empty and not written where that is not asked for
 * @param mixtures how degenerate the mixtures are, by entry, method and input count
 * @param filter what a filter made of each entry's mixtures; empty and not written without one
 * @param leakage how near images come to real ones; empty and not written where nobody asks, or without a dataset
 * @param measured how fast each stage was when it last did something in this folder
 */
public record RunSummary(
        ExitCode exitCode,
        String label,
        String stopped,
        List<StageLeft> left,
        SettingsIds settings,
        Counts counts,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, ClassImages> classes,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Adapted> adapted,
        List<CellScores> mixtures,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<FilterSummary> filter,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Leakage> leakage,
        List<StageSummary> stages,
        Map<String, Speed> measured) {
    private static final String FILE = "run_summary.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    public RunSummary {
        left = List.copyOf(left);
        classes = Collections.unmodifiableMap(new TreeMap<>(classes));
        adapted = List.copyOf(adapted);
        mixtures = List.copyOf(mixtures);
        filter = List.copyOf(filter);
        leakage = List.copyOf(leakage);
        stages = List.copyOf(stages);
        measured = Map.copyOf(measured);
    }

    /** The summary of a run that ended with a failure. */
    private record Failure(ExitCode exitCode, String label, String failure, Map<String, Speed> measured) {}

    /** Replaces the run folder's summary. */
    public void publish(RunFolder run) throws IOException {
        publish(run, this);
    }

    /** Replaces the run folder's summary by that of a failure, with what it says to a person. */
    public static void publishFailure(RunFolder run, ExitCode exitCode, String label, String failure)
            throws IOException {
        publish(run, new Failure(exitCode, label, failure, measured(run)));
    }

    private static void publish(RunFolder run, Object summary) throws IOException {
        run.publish(run.path(FILE), RunFolder.json(summary).getBytes(StandardCharsets.UTF_8));
    }

    /** Each stage's speed as the run folder's summary says it; empty where there is no summary. */
    public static Map<String, Speed> measured(RunFolder run) throws IOException {
        try {
            JsonNode measured = JSON.readTree(run.read(run.path(FILE))).path("measured");
            return JSON.convertValue(
                    measured.isObject() ? measured : JSON.createObjectNode(),
                    new TypeReference<Map<String, Speed>>() {});
        } catch (FileNotFoundException e) {
            return Map.of();
        }
    }

    /** Each stage's speed, that of stages which did something now included. */
    public static Map<String, Speed> measured(RunFolder run, List<StageSummary> stages) throws IOException {
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
