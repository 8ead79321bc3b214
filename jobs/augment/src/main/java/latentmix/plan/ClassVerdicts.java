package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * What a filter has said of a class.
 *
 * @param chunks those of the judged table that its mixtures so far have, done or not, each entry's in the order of k
 * @param tallies one for each entry
 */
public record ClassVerdicts(ClassPool pool, List<JudgedChunk> chunks, List<Tally> tallies) implements Serializable {
    public ClassVerdicts {
        chunks = List.copyOf(chunks);
        tallies = List.copyOf(tallies);
    }

    /** The entries, of which each class has as many mixtures as is said of its tally. */
    public static List<MixingEntry> reaching(
            List<MixingEntry> entries, List<ClassVerdicts> classes, ToLongFunction<Tally> mixtures) {
        return IntStream.range(0, entries.size())
                .mapToObj(i -> {
                    Map<String, Long> reached = new TreeMap<>();
                    for (ClassVerdicts of : classes) {
                        Tally tally = of.tallies().get(i);
                        reached.put(tally.classId(), mixtures.applyAsLong(tally));
                    }
                    return entries.get(i).reaching(reached);
                })
                .toList();
    }
}
