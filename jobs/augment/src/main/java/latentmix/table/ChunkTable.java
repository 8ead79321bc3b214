package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import latentmix.table.RunFolder.Table;

/** The rows of one class in a table that stages fill chunk by chunk: one file a chunk, which says that it is done. */
public abstract sealed class ChunkTable<T extends Record>
        permits AdaptersTable,
                InvertedTable,
                MixedTable,
                GeneratedTable,
                LooksTable,
                JudgedTable,
                LeakageTable,
                FeaturesTable {
    private final RunFolder run;
    private final Table table;
    private final RejectedTable rejections;
    private final String classId;
    private final Class<T> type;

    ChunkTable(RunFolder run, Table table, StageName stage, String classId, Class<T> type) {
        this.run = run;
        this.table = table;
        this.rejections = new RejectedTable(run, stage);
        this.classId = classId;
        this.type = type;
    }

    /** The ids of the chunks that are done, sorted. */
    public final Set<String> chunks() throws IOException {
        return run.chunks(table, classId);
    }

    /** The number of a chunk's rows, from its file's footer alone. */
    public final long count(String chunk) throws IOException {
        return RowFile.count(run.chunk(table, classId, chunk), run.conf());
    }

    /**
     * Publishes the rows that a chunk refused, then the chunk. A task that fails between the two leaves the chunk
     * missing, and the next one writes the same rejected rows again.
     */
    public final void commit(String chunk, List<T> rows, List<RejectedRow> rejected) throws IOException {
        rejections.publish(chunk, rejected);
        run.publish(run.chunk(table, classId, chunk), RowFile.bytes(type, rows));
    }

    /** Makes a chunk missing: takes its file away, then the rows that it refused. */
    public final void forget(String chunk) throws IOException {
        run.delete(run.chunk(table, classId, chunk));
        rejections.forget(chunk);
    }

    /** All rows of a chunk, only the columns of {@code projection}. */
    final <P extends Record> List<P> read(String chunk, Class<P> projection) throws IOException {
        return RowFile.read(run.chunk(table, classId, chunk), run.conf(), projection);
    }

    /** A chunk's rows one after the other, only the columns of {@code projection}; the caller closes it. */
    final <P extends Record> RowFile.Cursor<P> open(String chunk, Class<P> projection) throws IOException {
        return RowFile.open(run.chunk(table, classId, chunk), run.conf(), projection);
    }
}
