package latentmix.image;

/**
 * A decoded image: 8-bit sRGB, rows from the top, no alpha.
 *
 * @param rgb (height, width, 3), one byte a channel
 */
public record Pixels(int width, int height, byte[] rgb) {
    public Pixels {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("An image must be at least 1×1, cannot be: " + width + "×" + height);
        }
        if (rgb.length != 3L * width * height) {
            throw new IllegalArgumentException("%d×%d pixels take %d bytes, there are %d"
                    .formatted(width, height, 3L * width * height, rgb.length));
        }
    }

    /**
     * What an autoencoder is given: v / 255 · 2 - 1, computed in float32 as diffusers' VaeImageProcessor does.
     *
     * @return (3, height, width) in [-1, 1]
     */
    public float[] toChw() {
        int plane = width * height;
        float[] chw = new float[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) {
                chw[c * plane + i] = (rgb[3 * i + c] & 0xff) / 255f * 2 - 1;
            }
        }
        return chw;
    }

    /**
     * What an autoencoder gives back: clamp(x / 2 + 0.5) · 255, rounded half to even.
     *
     * @param chw holds (3, height, width), nominally in [-1, 1], from the offset on
     * @throws IllegalArgumentException if a value is NaN, which has no colour
     */
    public static Pixels ofChw(float[] chw, int offset, int width, int height) {
        int plane = width * height;
        byte[] rgb = new byte[3 * plane];
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < plane; i++) {
                float x = chw[offset + c * plane + i];
                if (Float.isNaN(x)) {
                    throw new IllegalArgumentException("A decoded image must be finite, channel %d at (%d, %d) is NaN"
                            .formatted(c, i % width, i / width));
                }
                rgb[3 * i + c] = (byte) Math.rint(Math.min(Math.max(x / 2 + 0.5f, 0), 1) * 255);
            }
        }
        return new Pixels(width, height, rgb);
    }
}
