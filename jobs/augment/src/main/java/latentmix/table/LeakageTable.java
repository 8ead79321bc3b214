package latentmix.table;

import java.io.IOException;
import java.util.List;
import latentmix.table.RunFolder.Table;

/** How near one class's images come to real ones: one chunk, that of the last dataset. */
public final class LeakageTable extends ChunkTable<LeakageRow> {
    public LeakageTable(RunFolder run, String classId) {
        super(run, Table.LEAKAGE, StageName.EXPORT, classId, LeakageRow.class);
    }

    /** A chunk's rows. */
    public List<LeakageRow> rows(String chunk) throws IOException {
        return read(chunk, LeakageRow.class);
    }

    /** Takes away all chunks but this one. */
    public void keep(String chunk) throws IOException {
        for (String other : chunks()) {
            if (!other.equals(chunk)) {
                forget(other);
            }
        }
    }
}
