package latentmix.plan;

import java.io.IOException;
import java.io.Serializable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import latentmix.table.JudgedTable;
import latentmix.table.RunFolder;

/**
 * Which mixtures are kept: those that the entries ask for, or, with a filter, those of them that it kept.
 *
 * @param entries which ask for mixtures up to the last one that is kept
 * @param judged the chunks of the judged table that stand, by the chunk of the mixed table; empty without a filter
 * @param isFiltered whether a mixture must have been judged to be kept
 */
public record Kept(List<MixingEntry> entries, Map<String, String> judged, boolean isFiltered) implements Serializable {
    public Kept {
        entries = List.copyOf(entries);
        judged = Map.copyOf(judged);
    }

    /** All that these entries ask for. */
    public static Kept all(List<MixingEntry> entries) {
        return new Kept(entries, Map.of(), false);
    }

    /**
     * Those that a filter kept.
     *
     * @param done the chunks of the judged table that stand
     */
    public static Kept of(List<MixingEntry> entries, List<ClassVerdicts> classes, Set<String> done) {
        Map<String, String> judged = new HashMap<>();
        classes.forEach(of -> of.chunks().stream()
                .filter(chunk -> done.contains(chunk.id()))
                .forEach(chunk -> judged.put(chunk.mixed(), chunk.id())));
        return new Kept(ClassVerdicts.reaching(entries, classes, Tally::end), judged, true);
    }

    /** What tells by their mix ids which of a chunk's mixtures are kept. */
    public Predicate<String> of(RunFolder run, String classId, String mixed) throws IOException {
        if (!isFiltered) {
            return mixId -> true;
        }
        String chunk = judged.get(mixed);
        Set<String> kept = chunk == null ? Set.of() : new JudgedTable(run, classId).kept(chunk);
        return kept::contains;
    }
}
