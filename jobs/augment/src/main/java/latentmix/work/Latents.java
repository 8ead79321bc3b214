package latentmix.work;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.Arrays;
import java.util.List;
import latentmix.codec.LittleEndian;
import latentmix.latent.Latent;
import latentmix.latent.Shape;
import latentmix.table.LatentColumn;

/** A micro-batch of latents on the Java side, (B, C, H, W) float32: the tables' edge. */
public record Latents(Shape shape, float[] values) {
    /** The reason in {@code rejected} of a row with NaN or infinity. */
    public static final String NOT_FINITE = "not finite";

    public static final Latents NONE = new Latents(new Shape(1, 1, 1), new float[0]);

    /** A batch off its device. */
    public static Latents of(NDArray batch) {
        ai.djl.ndarray.types.Shape shape = batch.getShape();
        return new Latents(new Shape((int) shape.get(1), (int) shape.get(2), (int) shape.get(3)), batch.toFloatArray());
    }

    /** A batch onto a device, float32 (B, C, H, W). */
    public static NDArray onto(NDManager manager, List<LatentColumn> columns) {
        Shape shape = columns.get(0).shape();
        float[] values = new float[columns.size() * shape.size()];
        for (int i = 0; i < columns.size(); i++) {
            LittleEndian.floats(columns.get(i).data(), values, i * shape.size(), shape.size());
        }
        return manager.create(
                values,
                new ai.djl.ndarray.types.Shape(columns.size(), shape.channels(), shape.height(), shape.width()));
    }

    public boolean finite(int row) {
        for (int i = row * shape.size(); i < (row + 1) * shape.size(); i++) {
            if (!Float.isFinite(values[i])) {
                return false;
            }
        }
        return true;
    }

    public LatentColumn column(int row) {
        byte[] data = LittleEndian.bytes(values, row * shape.size(), shape.size());
        return new LatentColumn(shape.channels(), shape.height(), shape.width(), data);
    }

    public Latent latent(int row) {
        return column(row).latent();
    }

    public static List<Double> boxed(double[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
