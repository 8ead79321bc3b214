package latentmix.table;

import java.io.IOException;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.table.RunFolder.Table;

/**
 * What a person decided of the images made of one class: one file, which each decision writes anew. No run writes it or
 * takes it away.
 */
public final class CuratedTable {
    private final OneFile<CuratedRow> file;

    public CuratedTable(RunFolder run, String classId) {
        this.file = new OneFile<>(run, Table.CURATED, classId, "curated", CuratedRow.class);
    }

    /** The decisions by mix id, sorted. */
    public SortedMap<String, CuratedRow> rows() throws IOException {
        TreeMap<String, CuratedRow> rows = new TreeMap<>();
        file.rows().forEach(row -> rows.put(row.mixId(), row));
        return Collections.unmodifiableSortedMap(rows);
    }

    /**
     * Adds decisions to those that stand, or replaces them.
     *
     * @param withdrawn the mix ids of images of which nothing is decided any more
     */
    public void decide(Collection<CuratedRow> decided, Set<String> withdrawn) throws IOException {
        TreeMap<String, CuratedRow> rows = new TreeMap<>(rows());
        decided.forEach(row -> rows.put(row.mixId(), row));
        rows.keySet().removeAll(withdrawn);
        file.publish(List.copyOf(rows.values()));
    }
}
