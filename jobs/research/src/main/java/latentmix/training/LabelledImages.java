package latentmix.training;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import org.apache.commons.rng.UniformRandomProvider;

/** Labelled square images of one size in sRGB, three bytes a pixel. */
public final class LabelledImages implements Serializable {
    private static final long serialVersionUID = 1;

    private final int size;
    private final byte[][] images;
    private final int[] labels;

    private LabelledImages(int size, byte[][] images, int[] labels) {
        this.size = size;
        this.images = images;
        this.labels = labels;
    }

    /** Takes images of any size. */
    public static final class Builder {
        private final int size;
        private final List<byte[]> images = new ArrayList<>();
        private final List<Integer> labels = new ArrayList<>();

        /** Images that get this many pixels a side. */
        public Builder(int size) {
            this.size = size;
        }

        /** Adds an image's centre square. */
        public Builder add(Pixels pixels, int label) {
            images.add(Resize.square(pixels, size).rgb());
            labels.add(label);
            return this;
        }

        /** The images in the order they came. */
        public LabelledImages build() {
            return new LabelledImages(
                    size,
                    images.toArray(byte[][]::new),
                    labels.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    /** The images of all parts, one part after the other; there is at least one part. */
    public static LabelledImages concat(List<LabelledImages> parts) {
        Builder all = new Builder(parts.get(0).size);
        for (LabelledImages part : parts) {
            all.images.addAll(List.of(part.images));
            for (int label : part.labels) {
                all.labels.add(label);
            }
        }
        return all.build();
    }

    /** Some of the images, in this order. */
    public LabelledImages only(List<Integer> places) {
        return new LabelledImages(
                size,
                places.stream().map(place -> images[place]).toArray(byte[][]::new),
                places.stream().mapToInt(place -> labels[place]).toArray());
    }

    /** The number of images. */
    public int count() {
        return labels.length;
    }

    /** Pixels of a side. */
    int size() {
        return size;
    }

    int label(int index) {
        return labels[index];
    }

    Pixels pixels(int index) {
        return new Pixels(size, size, images[index]);
    }

    /** What a network is trained on: an image (3, size, size) in [-1, 1], changed each time it is seen. */
    public Examples augmented(Augmentation augmentation) {
        return new Examples() {
            @Override
            public int count() {
                return LabelledImages.this.count();
            }

            @Override
            public int label(int index) {
                return LabelledImages.this.label(index);
            }

            @Override
            public float[] plain(int index) {
                return pixels(index).toChw();
            }

            @Override
            public float[] seen(int index, UniformRandomProvider rng) {
                return augmentation.apply(plain(index), size, Augmentation.Outside.EDGE, rng);
            }
        };
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
