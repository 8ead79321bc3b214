package latentmix.training;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/**
 * Labelled square grey images of one size, a byte a pixel.
 *
 * @param size pixels of a side
 * @param pixels an image each, row by row
 * @param labels an image's each
 */
public record GreyImages(int size, List<byte[]> pixels, List<Integer> labels) implements Serializable {
    public GreyImages {
        pixels = List.copyOf(pixels);
        labels = List.copyOf(labels);
        if (pixels.size() != labels.size()) {
            throw new IllegalArgumentException(
                    "There must be a label for each of " + pixels.size() + " images, there are " + labels.size());
        }
        int expected = size * size;
        pixels.forEach(image -> {
            if (image.length != expected) {
                throw new IllegalArgumentException(
                        "An image must have " + expected + " pixels, cannot have: " + image.length);
            }
        });
    }

    /** No images yet. */
    public static GreyImages none(int size) {
        return new GreyImages(size, List.of(), List.of());
    }

    /** The number of images. */
    public int count() {
        return labels.size();
    }

    /** These and those. */
    public GreyImages and(GreyImages others) {
        List<byte[]> images = new ArrayList<>(pixels);
        images.addAll(others.pixels);
        List<Integer> all = new ArrayList<>(labels);
        all.addAll(others.labels);
        return new GreyImages(size, images, all);
    }

    /** One image's values in [-1, 1]. */
    float[] values(int index) {
        byte[] image = pixels.get(index);
        float[] values = new float[image.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (image[i] & 0xff) / 127.5f - 1;
        }
        return values;
    }
}
