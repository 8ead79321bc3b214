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
    private static final String FILE = "curated";

    private final RunFolder run;
    private final String classId;

    public CuratedTable(RunFolder run, String classId) {
        this.run = run;
        this.classId = classId;
    }

    /** The decisions by mix id, sorted. */
    public SortedMap<String, CuratedRow> rows() throws IOException {
        TreeMap<String, CuratedRow> rows = new TreeMap<>();
        if (run.chunks(Table.CURATED, classId).contains(FILE)) {
            RowFile.read(run.chunk(Table.CURATED, classId, FILE), run.conf(), CuratedRow.class)
                    .forEach(row -> rows.put(row.mixId(), row));
        }
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
        run.publish(
                run.chunk(Table.CURATED, classId, FILE), RowFile.bytes(CuratedRow.class, List.copyOf(rows.values())));
    }
}
