package latentmix.report;

import java.util.List;
import java.util.function.ToIntFunction;
import latentmix.table.StageName;

/**
 * What a stage has left to do.
 *
 * @param chunks tasks, each of which makes a file
 */
public record StageLeft(String stage, long chunks, long rows, long networkEvaluations) {
    /** What a stage has left that misses these chunks. */
    public static <T> StageLeft of(StageName stage, List<T> missing, ToIntFunction<T> rows, long networkEvaluations) {
        return new StageLeft(
                stage.text(),
                missing.size(),
                missing.stream().mapToLong(rows::applyAsInt).sum(),
                networkEvaluations);
    }
}
