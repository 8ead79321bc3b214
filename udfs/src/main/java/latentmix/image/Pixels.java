package latentmix.image;

import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import latentmix.codec.Level;

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
     * The image as an autoencoder takes it, by {@link Level#signed}.
     *
     * @return (3, height, width) in [-1, 1]
     */
    public float[] toChw() {
        int plane = width * height;
        float[] chw = new float[3 * plane];
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < 3; c++) {
                chw[c * plane + i] = Level.signed(rgb[3 * i + c]);
            }
        }
        return chw;
    }

    /**
     * The image that an autoencoder gives back, by {@link Level#of}.
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
                rgb[3 * i + c] = Level.of(x);
            }
        }
        return new Pixels(width, height, rgb);
    }

    /** Left and right exchanged. */
    public Pixels mirrored() {
        byte[] turned = new byte[rgb.length];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                System.arraycopy(rgb, 3 * (y * width + x), turned, 3 * (y * width + width - 1 - x), 3);
            }
        }
        return new Pixels(width, height, turned);
    }

    /** Writes the levels channel by channel, (3, height, width). */
    public void putChw(ByteBuffer levels) {
        for (int c = 0; c < 3; c++) {
            for (int i = c; i < rgb.length; i += 3) {
                levels.put(rgb[i]);
            }
        }
    }

    /** The same pixels as an image that Java draws on, of type INT_RGB. */
    public BufferedImage toImage() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            int pixel = (rgb[3 * i] & 0xff) << 16 | (rgb[3 * i + 1] & 0xff) << 8 | (rgb[3 * i + 2] & 0xff);
            image.setRGB(i % width, i / width, pixel);
        }
        return image;
    }

    /** The pixels of an image that Java drew, which is opaque. */
    public static Pixels ofImage(BufferedImage image) {
        int width = image.getWidth();
        byte[] rgb = new byte[3 * width * image.getHeight()];
        for (int i = 0; i < width * image.getHeight(); i++) {
            int pixel = image.getRGB(i % width, i / width);
            rgb[3 * i] = (byte) (pixel >> 16);
            rgb[3 * i + 1] = (byte) (pixel >> 8);
            rgb[3 * i + 2] = (byte) pixel;
        }
        return new Pixels(width, image.getHeight(), rgb);
    }
}
