package latentmix.plan;

import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * How far a class's mixtures of an entry go so that as many are kept as are asked for, and what became of them.
 *
 * <p>They go on in rounds: first as many as are asked for; then, while too few are kept, as many more as fill the class
 * at the rate so far, up to so many times the number asked for. The rounds follow from the verdicts alone.
 *
 * @param quota mixtures asked for
 * @param reach mixtures that are made for it: those with a smaller k
 * @param end all k that are kept and smaller enter the dataset
 * @param kept how many these are
 * @param beyond how many are kept with a larger k, which enter no dataset
 * @param dropped those below the reach that are not kept, by the judge that dropped them first
 * @param open whether verdicts are still to come
 */
public record Tally(
        String classId,
        String entry,
        long quota,
        long reach,
        long end,
        long kept,
        long beyond,
        Map<String, Long> dropped,
        boolean open)
        implements Serializable {
    /** What a mixture is counted as that mixing or generation refused. */
    public static final String REFUSED = "refused";

    /** What is said of a mixture that is not judged yet. */
    static final String OPEN = "open";

    /** What is said of one that is kept. */
    static final String KEPT = "";

    public Tally {
        dropped = Collections.unmodifiableMap(new TreeMap<>(dropped));
    }

    /**
     * Counts.
     *
     * @param tries how many times the quota may be made
     * @param verdicts of every k: {@link #KEPT}, {@link #OPEN}, or why it is not kept
     */
    static Tally of(String classId, String entry, long quota, int tries, IntFunction<String> verdicts) {
        Map<String, Long> dropped = new TreeMap<>();
        long limit = Math.multiplyExact(quota, (long) tries);
        long reach = quota;
        long end = 0;
        long kept = 0; // of all so far, which may be more than the quota
        long seen = 0;
        boolean open = false;
        while (true) {
            for (; seen < reach; seen++) {
                String verdict = verdicts.apply((int) seen);
                switch (verdict) {
                    case KEPT -> {
                        kept++;
                        end = kept <= quota ? seen + 1 : end;
                    }
                    case OPEN -> open = true;
                    default -> dropped.merge(verdict, 1L, Long::sum);
                }
            }
            if (open || kept >= quota || reach == limit) {
                return new Tally(
                        classId,
                        entry,
                        quota,
                        reach,
                        end,
                        Math.min(kept, quota),
                        Math.max(0, kept - quota),
                        dropped,
                        open);
            }
            long more = kept == 0 ? reach : ((quota - kept) * reach + kept - 1) / kept;
            reach = Math.min(limit, reach + more);
        }
    }

    /** How many mixtures could not be had in all tries; 0 where some are still to come. */
    public long unfilled() {
        return open ? 0 : quota - kept;
    }
}
