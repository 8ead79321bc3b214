package latentmix.image;

import java.io.Serializable;

/**
 * Four scores that tell a degenerate image: too few levels, clipped pixels, too much colour, no edges.
 *
 * <pre>
 * entropy     -Σ p log₂ p over the 256 levels of grey: 0 (one level) to 8 bits
 * clipped     share of the red, green and blue values at 0 or 255
 * saturation  mean of (max - min) / max over a pixel's three values, 0 where it is black (HSV's)
 * sharpness   variance of the Laplacian, neighbours less four times the pixel, of the grey levels off the border
 * </pre>
 *
 * Grey is 0.299 R + 0.587 G + 0.114 B, rounded. None has a good value of its own: compare with source images, or
 * between methods. The variance of the Laplacian is <a href="https://doi.org/10.1109/ICPR.2000.903548">Pech-Pacheco et
 * al.'s</a> measure of focus.
 */
public record PixelScores(double entropy, double clipped, double saturation, double sharpness) implements Serializable {
    private static final int LEVELS = 256;

    /** The scores of an image; sharpness is 0 where there is no pixel off the border. */
    public static PixelScores of(Pixels image) {
        int[] grey = grey(image);
        return new PixelScores(
                entropy(grey), clipped(image.rgb()), saturation(image.rgb()), sharpness(grey, image.width()));
    }

    /** Grey levels 0 to 255, (height, width). */
    static int[] grey(Pixels image) {
        byte[] rgb = image.rgb();
        int[] grey = new int[image.width() * image.height()];
        for (int i = 0; i < grey.length; i++) {
            int weighted = 299 * (rgb[3 * i] & 0xff) + 587 * (rgb[3 * i + 1] & 0xff) + 114 * (rgb[3 * i + 2] & 0xff);
            grey[i] = (weighted + 500) / 1000;
        }
        return grey;
    }

    private static double entropy(int[] grey) {
        int[] histogram = new int[LEVELS];
        for (int level : grey) {
            histogram[level]++;
        }
        double entropy = 0;
        for (int count : histogram) {
            if (count > 0) {
                double p = (double) count / grey.length;
                entropy -= p * Math.log(p) / Math.log(2);
            }
        }
        return Math.max(entropy, 0); // not -0
    }

    private static double clipped(byte[] rgb) {
        int clipped = 0;
        for (byte value : rgb) {
            clipped += value == 0 || value == (byte) 255 ? 1 : 0;
        }
        return (double) clipped / rgb.length;
    }

    private static double saturation(byte[] rgb) {
        double sum = 0;
        int pixels = rgb.length / 3;
        for (int i = 0; i < rgb.length; i += 3) {
            int red = rgb[i] & 0xff;
            int green = rgb[i + 1] & 0xff;
            int blue = rgb[i + 2] & 0xff;
            int most = Math.max(red, Math.max(green, blue));
            int least = Math.min(red, Math.min(green, blue));
            sum += most == 0 ? 0 : (double) (most - least) / most;
        }
        return sum / pixels;
    }

    private static double sharpness(int[] grey, int width) {
        int height = grey.length / width;
        double sum = 0;
        double squares = 0;
        for (int y = 1; y < height - 1; y++) {
            for (int x = 1; x < width - 1; x++) {
                int p = y * width + x;
                int laplacian = grey[p - 1] + grey[p + 1] + grey[p - width] + grey[p + width] - 4 * grey[p];
                sum += laplacian;
                squares += (double) laplacian * laplacian;
            }
        }
        int count = Math.max(0, width - 2) * Math.max(0, height - 2);
        return count == 0 ? 0 : squares / count - (sum / count) * (sum / count);
    }
}
