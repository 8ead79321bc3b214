package latentmix.training;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import org.apache.commons.rng.UniformRandomProvider;

/** Labelled square images of one size in sRGB, three bytes a pixel. */
public final class LabelledImages implements Serializable {
    private static final long serialVersionUID = 2;

    private final int size;
    private final byte[][] images;
    private final int[] labels;
    private final Map<Integer, Map<Integer, Double>> soft; // by place; of images of several classes alone

    private LabelledImages(int size, byte[][] images, int[] labels, Map<Integer, Map<Integer, Double>> soft) {
        this.size = size;
        this.images = images;
        this.labels = labels;
        this.soft = soft;
    }

    /** Takes images of any size. */
    public static final class Builder {
        private final int size;
        private final List<byte[]> images = new ArrayList<>();
        private final List<Integer> labels = new ArrayList<>();
        private final Map<Integer, Map<Integer, Double>> soft = new TreeMap<>();

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

        /** Adds an image's centre square with a soft label: shares of classes, with a sum of 1. */
        public Builder add(Pixels pixels, int label, Map<Integer, Double> shares) {
            soft.put(labels.size(), new TreeMap<>(shares));
            return add(pixels, label);
        }

        /** The images in the order they came. */
        public LabelledImages build() {
            return new LabelledImages(
                    size,
                    images.toArray(byte[][]::new),
                    labels.stream().mapToInt(Integer::intValue).toArray(),
                    new TreeMap<>(soft));
        }
    }

    /** The images of all parts, one part after the other; there is at least one part. */
    public static LabelledImages concat(List<LabelledImages> parts) {
        Builder all = new Builder(parts.get(0).size);
        for (LabelledImages part : parts) {
            part.soft.forEach((place, shares) -> all.soft.put(all.labels.size() + place, shares));
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
                places.stream().mapToInt(place -> labels[place]).toArray(),
                IntStream.range(0, places.size())
                        .filter(i -> soft.containsKey(places.get(i)))
                        .boxed()
                        .collect(Collectors.toMap(i -> i, i -> soft.get(places.get(i)))));
    }

    /** The images of some classes, in their order. */
    public LabelledImages of(Set<Integer> classes) {
        return only(IntStream.range(0, count())
                .filter(place -> classes.contains(labels[place]))
                .boxed()
                .toList());
    }

    /** How many images each class has, by its number. */
    public Map<Integer, Integer> counts() {
        Map<Integer, Integer> counts = new TreeMap<>();
        for (int label : labels) {
            counts.merge(label, 1, Integer::sum);
        }
        return counts;
    }

    /** The images under corruptions, each image under each of them, in the order of the corruptions. */
    public LabelledImages corrupted(List<Corruption> corruptions, int severity) {
        List<LabelledImages> all = new ArrayList<>();
        for (Corruption corruption : corruptions) {
            byte[][] changed = new byte[images.length][];
            for (int i = 0; i < images.length; i++) {
                changed[i] = corruption.apply(pixels(i), severity).rgb();
            }
            all.add(new LabelledImages(size, changed, labels, soft));
        }
        return all.isEmpty() ? only(List.of()) : concat(all);
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

    Map<Integer, Double> shares(int index) {
        return soft.getOrDefault(index, Map.of(labels[index], 1.0));
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
            public Map<Integer, Double> shares(int index) {
                return LabelledImages.this.shares(index);
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
