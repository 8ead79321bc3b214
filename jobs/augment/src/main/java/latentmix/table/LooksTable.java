package latentmix.table;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import latentmix.table.RunFolder.Table;

/** What the real images of one class look like. */
public final class LooksTable extends ChunkTable<LookRow> {
    public LooksTable(RunFolder run, String classId) {
        super(run, Table.LOOKS, StageName.FILTER, classId, LookRow.class);
    }

    /** What a chunk's images look like, but for those of these ids. */
    public List<LookRow> rows(String chunk, Collection<String> leftOut) throws IOException {
        Set<String> without = Set.copyOf(leftOut);
        return read(chunk, LookRow.class).stream()
                .filter(row -> !without.contains(row.imageId()))
                .toList();
    }
}
