package latentmix.table;

import java.io.IOException;
import java.util.List;
import latentmix.table.RunFolder.Table;

/** What the real images of one class look like. */
public final class LooksTable extends ChunkTable<LookRow> {
    public LooksTable(RunFolder run, String classId) {
        super(run, Table.LOOKS, StageName.FILTER, classId, LookRow.class);
    }

    /** What a chunk's images look like. */
    public List<LookRow> rows(String chunk) throws IOException {
        return read(chunk, LookRow.class);
    }
}
