package latentmix.table;

import java.io.IOException;
import latentmix.table.RunFolder.Table;

/** What was learnt of one class: a chunk is an adapter, of one row. */
public final class AdaptersTable extends ChunkTable<AdapterRow> {
    /** What a person should know of an adapter; reads no vectors. */
    public record Result(String token, String prompt, int vectors, int images, double plainLoss, double loss) {}

    public AdaptersTable(RunFolder run, String classId) {
        super(run, Table.ADAPTERS, StageName.ADAPT, classId, AdapterRow.class);
    }

    /** An adapter. */
    public AdapterRow row(String adapterId) throws IOException {
        return read(adapterId, AdapterRow.class).get(0);
    }

    /** What a person should know of an adapter. */
    public Result result(String adapterId) throws IOException {
        return read(adapterId, Result.class).get(0);
    }
}
