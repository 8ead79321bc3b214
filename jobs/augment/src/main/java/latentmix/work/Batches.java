package latentmix.work;

import java.util.ArrayList;
import java.util.List;

/** Micro-batches: the unit of arithmetic, so that the same rows always run together. */
public final class Batches {
    private Batches() {}

    /** Consecutive sublists of {@code size} rows, the last one shorter. */
    public static <T> List<List<T>> of(List<T> rows, int size) {
        List<List<T>> batches = new ArrayList<>();
        for (int from = 0; from < rows.size(); from += size) {
            batches.add(rows.subList(from, Math.min(from + size, rows.size())));
        }
        return batches;
    }
}
