package latentmix.work;

import java.io.Serializable;
import latentmix.metric.CosineDistance;
import latentmix.metric.Estimate;
import latentmix.metric.FeatureSketch;
import latentmix.metric.GaussianStatistics;
import latentmix.metric.PairwiseDistance;

/**
 * What is known of the images of one kind in one network's features, as a mergeable aggregate over classes: their
 * sketch, and what is measured image by image or pair by pair of one class.
 */
public final class CellState implements Serializable {
    private final FeatureSketch images;
    private final GaussianStatistics distance = new GaussianStatistics(1); // to the class's mean
    private final GaussianStatistics confidence = new GaussianStatistics(1);
    private final PairwiseDistance pairs;
    private long right;

    /** The images of a class; their pairs are not yet looked at. */
    private CellState(FeatureSketch images, PairwiseDistance pairs) {
        this.images = images;
        this.pairs = pairs;
    }

    /** Adds up one class's images. */
    static final class Builder {
        private final CellState state;
        private final int label;
        private final double[] classMean;

        /**
         * No images yet.
         *
         * @param classMean the mean features of the class's reference; empty where there is none
         */
        Builder(int width, int sample, int label, double[] classMean) {
            state = new CellState(new FeatureSketch(width, sample), new PairwiseDistance());
            this.label = label;
            this.classMean = classMean;
        }

        void add(FeatureVector image) {
            state.images.add(image.id(), image.features());
            if (classMean.length > 0) {
                state.distance.add(new double[] {CosineDistance.between(image.doubles(), classMean)});
            }
            if (image.logits().length > 0) {
                double[] probabilities = image.probabilities();
                int best = 0;
                for (int k = 1; k < probabilities.length; k++) {
                    best = probabilities[k] > probabilities[best] ? k : best;
                }
                state.confidence.add(new double[] {probabilities[best]});
                state.right += best == label ? 1 : 0;
            }
        }

        CellState build() {
            state.pairs.merge(PairwiseDistance.of(state.images));
            return state;
        }
    }

    /** Adds another class's images. */
    public void merge(CellState other) {
        images.merge(other.images);
        distance.merge(other.distance);
        confidence.merge(other.confidence);
        pairs.merge(other.pairs);
        right += other.right;
    }

    /** A state to merge others into. */
    public static CellState like(CellState other, int sample) {
        return new CellState(new FeatureSketch(other.images.width(), sample), new PairwiseDistance());
    }

    /** All images' features. */
    public FeatureSketch images() {
        return images;
    }

    /** The cosine distance of an image's features to the mean of its class's reference, on average. */
    Estimate distance() {
        return Estimate.ofMean(distance).within(0, 2);
    }

    long pairs() {
        return pairs.pairs();
    }

    /** The distance of two images of one class, on average. */
    Estimate diversity() {
        return pairs.estimate();
    }

    /** The share of images whose likeliest class is their own. */
    Estimate accuracy() {
        return Estimate.ofShare(right, confidence.count());
    }

    /** The probability of an image's likeliest class, on average. */
    Estimate confidence() {
        return Estimate.ofMean(confidence).within(0, 1);
    }
}
