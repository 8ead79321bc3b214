package latentmix.training;

import org.apache.commons.rng.UniformRandomProvider;

/**
 * The usual random changes of small images that leave their class as it is: mirrored, zoomed and shifted, made brighter
 * or darker, a rectangle erased (<a href="https://arxiv.org/abs/1708.04896">Zhong et al.</a>).
 *
 * @param mirror the probability that left and right change places
 * @param shift the largest shift in pixels either way, each direction for itself
 * @param zoom the largest change of size as a share, larger or smaller
 * @param brightness the largest change of brightness as a share of the range
 * @param erase the probability that a rectangle, with sides of an eighth to a half of the image's, is set to one random
 *     grey
 */
public record Augmentation(double mirror, int shift, double zoom, double brightness, double erase) {
    /** What a moved image shows where it had nothing. */
    enum Outside {
        /** Black. */
        BLACK,
        /** The nearest pixel of its edge. */
        EDGE
    }

    /** Images stay as they are. */
    public static final Augmentation NONE = new Augmentation(0, 0, 0, 0, 0);

    /** The usual augmentation for training on small images. */
    public static final Augmentation STANDARD = new Augmentation(0.5, 2, 0.1, 0.1, 0.25);

    public Augmentation {
        if (!(mirror >= 0 && mirror <= 1 && erase >= 0 && erase <= 1)) {
            throw new IllegalArgumentException(
                    "Probabilities must be from 0 to 1, cannot be: mirror " + mirror + ", erase " + erase);
        }
        if (!(shift >= 0 && zoom >= 0 && zoom < 1 && brightness >= 0 && brightness <= 1)) {
            throw new IllegalArgumentException(
                    "Shift must be at least 0, zoom below 1 and brightness at most 1, cannot be: " + shift + ", " + zoom
                            + ", " + brightness);
        }
    }

    /**
     * A changed copy.
     *
     * @param image an image (channels, size, size), values in [-1, 1], all channels changed alike
     */
    float[] apply(float[] image, int size, Outside outside, UniformRandomProvider rng) {
        if (equals(NONE)) {
            return image;
        }
        float[] changed = moved(image, size, outside, rng);
        float lighter = (float) (2 * brightness * between(-1, 1, rng));
        for (int i = 0; i < changed.length; i++) {
            changed[i] = Math.max(-1, Math.min(1, changed[i] + (changed[i] + 1) / 2 * lighter)); // black stays black
        }
        if (rng.nextDouble() < erase) {
            erase(changed, size, rng);
        }
        return changed;
    }

    /** The image mirrored, zoomed about the middle and shifted, in one bilinear step. */
    private float[] moved(float[] image, int size, Outside outside, UniformRandomProvider rng) {
        double across = rng.nextDouble() < mirror ? -1 : 1;
        double scale = 1 / (1 + zoom * between(-1, 1, rng));
        double right = shift == 0 ? 0 : rng.nextInt(-shift, shift + 1);
        double down = shift == 0 ? 0 : rng.nextInt(-shift, shift + 1);
        double middle = (size - 1) / 2.0;
        float[] moved = new float[image.length];
        for (int plane = 0; plane < image.length; plane += size * size) {
            Plane channel = new Plane(image, plane, size, outside);
            for (int y = 0; y < size; y++) {
                for (int x = 0; x < size; x++) {
                    double fromY = middle + (y - middle - down) * scale;
                    double fromX = middle + (x - middle - right) * scale * across;
                    moved[plane + y * size + x] = channel.at(fromY, fromX);
                }
            }
        }
        return moved;
    }

    /** One channel of an image, (size, size) from a place on. */
    private record Plane(float[] image, int from, int size, Outside outside) {
        float at(double y, double x) {
            int top = (int) Math.floor(y);
            int left = (int) Math.floor(x);
            double low = y - top;
            double right = x - left;
            return (float) ((1 - low) * ((1 - right) * pixel(top, left) + right * pixel(top, left + 1))
                    + low * ((1 - right) * pixel(top + 1, left) + right * pixel(top + 1, left + 1)));
        }

        private float pixel(int y, int x) {
            int row = Math.max(0, Math.min(size - 1, y));
            int column = Math.max(0, Math.min(size - 1, x));
            boolean inside = row == y && column == x;
            return inside || outside == Outside.EDGE ? image[from + row * size + column] : -1;
        }
    }

    private static void erase(float[] image, int size, UniformRandomProvider rng) {
        int height = rng.nextInt(Math.max(1, size / 8), size / 2 + 1);
        int width = rng.nextInt(Math.max(1, size / 8), size / 2 + 1);
        int top = rng.nextInt(size - height + 1);
        int left = rng.nextInt(size - width + 1);
        float grey = (float) between(-1, 1, rng);
        for (int plane = 0; plane < image.length; plane += size * size) {
            for (int y = top; y < top + height; y++) {
                for (int x = left; x < left + width; x++) {
                    image[plane + y * size + x] = grey;
                }
            }
        }
    }

    private static double between(double least, double most, UniformRandomProvider rng) {
        return least + (most - least) * rng.nextDouble();
    }
}
