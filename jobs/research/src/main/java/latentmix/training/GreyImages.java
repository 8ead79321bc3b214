package latentmix.training;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import latentmix.checkpoint.Fingerprint;
import latentmix.codec.Level;
import latentmix.image.Pixels;
import latentmix.image.Resize;

/** Labelled square grey images of one size, a byte a pixel. */
public final class GreyImages implements Serializable {
    private static final long serialVersionUID = 1;

    private final int size;
    private final byte[][] images;
    private final int[] labels;

    private GreyImages(int size, byte[][] images, int[] labels) {
        this.size = size;
        this.images = images;
        this.labels = labels;
    }

    /** Takes images of any size and colour. */
    public static final class Builder {
        private final int size;
        private final List<byte[]> images = new ArrayList<>();
        private final List<Integer> labels = new ArrayList<>();

        /** Images that get this many pixels a side. */
        public Builder(int size) {
            this.size = size;
        }

        /** Adds an image's centre square, its colours averaged. */
        public Builder add(Pixels pixels, int label) {
            byte[] rgb = Resize.square(pixels, size).rgb();
            byte[] grey = new byte[size * size];
            for (int i = 0; i < grey.length; i++) {
                int sum = (rgb[3 * i] & 0xff) + (rgb[3 * i + 1] & 0xff) + (rgb[3 * i + 2] & 0xff);
                grey[i] = (byte) Math.round(sum / 3f);
            }
            images.add(grey);
            labels.add(label);
            return this;
        }

        /** The images in the order they came. */
        public GreyImages build() {
            return new GreyImages(
                    size,
                    images.toArray(byte[][]::new),
                    labels.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    /** The images of all parts, one part after the other; there is at least one part. */
    public static GreyImages concat(List<GreyImages> parts) {
        Builder all = new Builder(parts.get(0).size);
        for (GreyImages part : parts) {
            for (int i = 0; i < part.count(); i++) {
                all.images.add(part.images[i]);
                all.labels.add(part.labels[i]);
            }
        }
        return all.build();
    }

    /** The number of images. */
    public int count() {
        return labels.length;
    }

    int size() {
        return size;
    }

    int label(int index) {
        return labels[index];
    }

    /** One image's values in [-1, 1], row by row. */
    float[] values(int index) {
        byte[] image = images[index];
        float[] values = new float[image.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = Level.signed(image[i]);
        }
        return values;
    }

    /** The SHA-256 of all pixels and labels in their order. */
    public String fingerprint() {
        MessageDigest digest = Fingerprint.sha256();
        for (int i = 0; i < labels.length; i++) {
            digest.update((labels[i] + "\n").getBytes(StandardCharsets.UTF_8));
            digest.update(images[i]);
        }
        return HexFormat.of().formatHex(digest.digest());
    }
}
