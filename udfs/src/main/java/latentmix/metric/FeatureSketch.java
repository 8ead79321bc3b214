package latentmix.metric;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The features of any number of images as a mergeable aggregate: all of them up to a capacity; beyond it their mean and
 * covariance, and a sample.
 *
 * <p>The sample is the images whose ids, which are hashes, are lowest: a random one that depends on nothing but the
 * images (bottom-k sketch, <a href="https://doi.org/10.1145/1281100.1281133">Cohen and Kaplan 2007</a>), and that of a
 * union is found in the samples of its parts. Each image is added once. Not for use by several threads at once.
 */
public final class FeatureSketch implements Serializable {
    private final int width;
    private final int capacity;
    private final TreeMap<String, float[]> sample = new TreeMap<>();
    private GaussianStatistics statistics; // of all images, from the moment they are too many; null before
    private long count;

    /**
     * A sketch without images.
     *
     * @param width features of an image
     * @param capacity images of the sample, at least 2
     */
    public FeatureSketch(int width, int capacity) {
        if (width < 1 || capacity < 2) {
            throw new IllegalArgumentException(
                    "A sketch must be of at least 1 feature and 2 images, cannot be of: " + width + " and " + capacity);
        }
        this.width = width;
        this.capacity = capacity;
    }

    /** Adds an image that is not in it. */
    public void add(String id, float[] features) {
        requireWidth(features.length);
        for (float value : features) {
            if (!Float.isFinite(value)) {
                throw new IllegalArgumentException(
                        "Features must be finite, those of " + id + " cannot hold: " + value);
            }
        }
        count++;
        sample.put(id, features);
        if (statistics != null) {
            statistics.add(features);
        }
        shrink();
    }

    /** Adds the other's images to these. */
    public void merge(FeatureSketch other) {
        requireWidth(other.width);
        if (other.statistics != null && statistics == null) {
            statistics = gathered();
        }
        if (statistics != null) {
            statistics.merge(other.statistics == null ? other.gathered() : other.statistics);
        }
        count += other.count;
        sample.putAll(other.sample);
        shrink();
    }

    private void shrink() {
        if (sample.size() > capacity && statistics == null) {
            statistics = gathered();
        }
        while (sample.size() > capacity) {
            sample.pollLastEntry();
        }
    }

    private GaussianStatistics gathered() {
        GaussianStatistics all = new GaussianStatistics(width);
        sample.values().forEach(all::add);
        return all;
    }

    private void requireWidth(int other) {
        if (other != width) {
            throw new IllegalArgumentException("There must be " + width + " features, cannot be: " + other);
        }
    }

    /** The number of images. */
    public long count() {
        return count;
    }

    public int width() {
        return width;
    }

    /** The mean over all images, of which there is at least one. */
    public double[] mean() {
        return statistics().mean();
    }

    /** Whether the sample is all there is. */
    boolean isWhole() {
        return statistics == null;
    }

    /** Mean and covariance of all images. */
    GaussianStatistics statistics() {
        return statistics == null ? gathered() : statistics;
    }

    /** The sample, in the order of ids. */
    Points points() {
        return Points.of(List.copyOf(sample.values()), width);
    }

    /** The sample, by id. */
    Map<String, float[]> sample() {
        return sample;
    }

    /** The jackknife group of each image of the sample. */
    int[] groups() {
        return sample.keySet().stream().mapToInt(Jackknife::group).toArray();
    }
}
