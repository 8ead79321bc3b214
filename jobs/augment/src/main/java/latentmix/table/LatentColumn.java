package latentmix.table;

import latentmix.latent.Latent;
import latentmix.latent.Shape;

/** A latent as tables hold it: {@code data} is C·H·W float32, little-endian, row-major. */
public record LatentColumn(int channels, int height, int width, byte[] data) {
    /** No latent: a column is never null. */
    public static final LatentColumn NONE = new LatentColumn(0, 0, 0, new byte[0]);

    /** A latent rounded to float32. */
    public static LatentColumn of(Latent latent) {
        Shape shape = latent.shape();
        return new LatentColumn(shape.channels(), shape.height(), shape.width(), latent.toFloat32());
    }

    /** The latent in double precision. */
    public Latent latent() {
        return Latent.ofFloat32(shape(), data);
    }

    /** Whether this is no latent. */
    public boolean isNone() {
        return data.length == 0;
    }

    /** The shape (C, H, W). */
    public Shape shape() {
        return new Shape(channels, height, width);
    }
}
