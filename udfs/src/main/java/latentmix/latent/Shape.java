package latentmix.latent;

import java.io.Serializable;

/** The shape (C, H, W) of one latent. */
public record Shape(int channels, int height, int width) implements Serializable {
    public Shape {
        if (channels < 1 || height < 1 || width < 1) {
            throw new IllegalArgumentException(
                    "A latent's shape must be positive, cannot be: " + channels + "x" + height + "x" + width);
        }
    }

    /** Entries of one channel, H·W. */
    public int plane() {
        return height * width;
    }

    /** Entries of the whole latent, D = C·H·W. */
    public int size() {
        return channels * height * width;
    }
}
