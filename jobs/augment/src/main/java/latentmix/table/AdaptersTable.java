package latentmix.table;

import java.io.IOException;
import java.util.List;
import latentmix.codec.LittleEndian;
import latentmix.table.RunFolder.Table;

/**
 * What was learnt of one class: a chunk is an adapter, of one row. The LoRA that all classes share is a row of no
 * class.
 */
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

    private final RunFolder run;

    public AdaptersTable(RunFolder run, String classId) {
        super(run, Table.ADAPTERS, StageName.ADAPT, classId, AdapterRow.class);
        this.run = run;
    }

    /** What classes share. */
    public static AdaptersTable shared(RunFolder run) {
        return new AdaptersTable(run, RunFolder.NO_CLASS);
    }

    /** A token's vectors. */
    public Vectors vectors(String adapterId) throws IOException {
        return read(adapterId, Vectors.class).get(0);
    }

    /** The weights of the LoRA that the class has, its own or the one that classes share. */
    public float[] lora(String adapterId) throws IOException {
        byte[] own = read(adapterId, Lora.class).get(0).lora();
        return LittleEndian.floats(
                own.length > 0
                        ? own
                        : shared(run).read(adapterId, Lora.class).get(0).lora());
    }

    /** What a person should know of an adapter. */
    public Result result(String adapterId) throws IOException {
        return read(adapterId, Result.class).get(0);
    }
}
