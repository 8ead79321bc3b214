package latentmix.stage;

import java.io.Serializable;
import java.util.List;
import java.util.function.ToIntFunction;
import latentmix.table.StageName;

/** A run of tasks as the driver's Spark UI and the progress line name it. */
public record Job(String stage, String unit, long rows, Needs needs) implements Serializable {
    /** The job of a stage that works on these chunks. */
    static <T> Job of(StageName stage, String unit, List<T> chunks, ToIntFunction<T> rows) {
        return new Job(
                stage.text(), unit, chunks.stream().mapToLong(rows::applyAsInt).sum(), Needs.of(stage));
    }
}
