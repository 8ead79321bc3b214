package latentmix.plan;

import java.io.IOException;
import java.io.Serializable;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import latentmix.table.CuratedRow;
import latentmix.table.CuratedTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;

/**
 * What a person decided of a chunk's images.
 *
 * @param kept the mix ids of those that enter the dataset whatever else is said of them, sorted
 * @param dropped those that are left out, sorted
 */
public record ByHand(List<String> kept, List<String> dropped) implements Serializable {
    /** Nothing was decided. */
    public static final ByHand NOTHING = new ByHand(List.of(), List.of());

    public ByHand {
        kept = List.copyOf(kept);
        dropped = List.copyOf(dropped);
    }

    /** Whether nothing was decided. */
    public boolean isNothing() {
        return kept.isEmpty() && dropped.isEmpty();
    }

    /** The decisions of several chunks together. */
    public static ByHand of(Collection<ByHand> chunks) {
        return new ByHand(
                chunks.stream().flatMap(of -> of.kept.stream()).sorted().toList(),
                chunks.stream().flatMap(of -> of.dropped.stream()).sorted().toList());
    }

    /** All decisions of a run folder, by the chunk of the mixed table. */
    public static Map<String, ByHand> read(RunFolder run) throws IOException {
        Map<String, SortedSet<String>> kept = new HashMap<>();
        Map<String, SortedSet<String>> dropped = new HashMap<>();
        for (String classId : run.classes(Table.CURATED)) {
            for (CuratedRow row : new CuratedTable(run, classId).rows().values()) {
                (row.kept() ? kept : dropped)
                        .computeIfAbsent(row.chunk(), chunk -> new TreeSet<>())
                        .add(row.mixId());
            }
        }
        Map<String, ByHand> byChunk = new HashMap<>();
        Stream.concat(kept.keySet().stream(), dropped.keySet().stream())
                .forEach(chunk -> byChunk.put(
                        chunk,
                        new ByHand(
                                List.copyOf(kept.getOrDefault(chunk, new TreeSet<>())),
                                List.copyOf(dropped.getOrDefault(chunk, new TreeSet<>())))));
        return byChunk;
    }
}
