package latentmix.latent;

import java.util.Arrays;
import java.util.Objects;
import latentmix.codec.LittleEndian;

/**
 * One point of a diffusion model's latent space. Computation is in double precision, storage in float32.
 *
 * @param shape (C, H, W)
 * @param values row-major, C·H·W of them; owned by the latent once given, not to be written to again
 */
public record Latent(Shape shape, double[] values) {
    public Latent {
        Objects.requireNonNull(shape, "shape");
        if (values.length != shape.size()) {
            throw new IllegalArgumentException("A latent of shape " + shape + " must have " + shape.size()
                    + " values, cannot have: " + values.length);
        }
    }

    /** Reads C·H·W float32 values, little-endian and row-major, as the tables hold them. */
    public static Latent ofFloat32(Shape shape, byte[] littleEndian) {
        if (littleEndian.length != Float.BYTES * shape.size()) {
            throw new IllegalArgumentException("A latent of shape " + shape + " must have " + Float.BYTES * shape.size()
                    + " bytes of float32, cannot have: " + littleEndian.length);
        }
        return new Latent(shape, LittleEndian.doubles(littleEndian));
    }

    public static Latent ofFloats(Shape shape, float[] values) {
        var doubles = new double[values.length];
        for (int p = 0; p < values.length; p++) {
            doubles[p] = values[p];
        }
        return new Latent(shape, doubles);
    }

    /** The values rounded to float32, little-endian and row-major. */
    public byte[] toFloat32() {
        return LittleEndian.bytes(values);
    }

    public float[] toFloats() {
        var floats = new float[values.length];
        for (int p = 0; p < floats.length; p++) {
            floats[p] = (float) values[p];
        }
        return floats;
    }

    /** ‖z‖, the L2 norm over all entries. */
    public double norm() {
        return Vectors.norm(values, 0, values.length);
    }

    /** Each channel's mean over its H·W entries. */
    public double[] channelMeans() {
        var means = new double[shape.channels()];
        for (int c = 0; c < means.length; c++) {
            means[c] = Vectors.mean(values, c * shape.plane(), shape.plane());
        }
        return means;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Latent that && shape.equals(that.shape) && Arrays.equals(values, that.values);
    }

    @Override
    public int hashCode() {
        return 31 * shape.hashCode() + Arrays.hashCode(values);
    }
}
