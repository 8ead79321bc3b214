package latentmix.table;

import java.io.IOException;
import java.util.List;
import latentmix.codec.LittleEndian;
import latentmix.table.RunFolder.Table;

/** What was learnt of one class: a chunk is an adapter, of one row. */
public final class AdaptersTable extends ChunkTable<AdapterRow> {
    /** What a person should know of an adapter; reads no vectors. */
    public record Result(
            String token, String prompt, int vectors, int images, List<Double> losses, double plainLoss, double loss) {
        public Result {
            losses = List.copyOf(losses);
        }
    }

    /** A token's vectors, as of {@link AdapterRow}. */
    public record Vectors(byte[] clipL, byte[] clipG) {}

    /** A LoRA's weights, as of {@link AdapterRow}. */
    private record Lora(byte[] lora) {}

    public AdaptersTable(RunFolder run, String classId) {
        super(run, Table.ADAPTERS, StageName.ADAPT, classId, AdapterRow.class);
    }

    /** A token's vectors. */
    public Vectors vectors(String adapterId) throws IOException {
        return read(adapterId, Vectors.class).get(0);
    }

    /** A LoRA's weights. */
    public float[] lora(String adapterId) throws IOException {
        return LittleEndian.floats(read(adapterId, Lora.class).get(0).lora());
    }

    /** What a person should know of an adapter. */
    public Result result(String adapterId) throws IOException {
        return read(adapterId, Result.class).get(0);
    }
}
