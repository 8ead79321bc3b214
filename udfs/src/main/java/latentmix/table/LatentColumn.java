package latentmix.table;

import latentmix.latent.Shape;

/** A latent as tables hold it: {@code data} is C·H·W float32, little-endian, row-major. */
public record LatentColumn(int channels, int height, int width, byte[] data) {
    /** The shape (C, H, W). */
    public Shape shape() {
        return new Shape(channels, height, width);
    }
}
