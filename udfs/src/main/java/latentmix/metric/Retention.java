package latentmix.metric;

import java.io.Serializable;
import java.util.Arrays;
import java.util.List;

/**
 * Measures how much of its inputs an output keeps: whether it is closer to them than to other images of their class, as
 * a mergeable aggregate over outputs.
 *
 * <pre>
 * c_i   closeness of the output to input i, of weight w_i;   c_u   to image u of its class that is no input
 * auc      Σ w_i · (P(c_u &lt; c_i) + P(c_u = c_i) / 2)
 *          1/2 where nothing is kept, 1 where every input is closer than any other image
 * kept     Σ w_i c_i - mean c_u                         0 where nothing is kept
 * nearest  1 where the closest image of all is an input; by chance that is in N / (N + U) of outputs
 * </pre>
 *
 * auc is Mann and Whitney's U as a share of its largest value (<a
 * href="https://doi.org/10.1214/aoms/1177730491">1947</a>). Closeness is a choice: by {@link #cosines} it is the
 * correlation of what sets images of a class apart, in any space: an output's latent among the class's inverted ones,
 * or features of images. There kept has a scale: for c the cosines of a plain sum Σ w_i x_i with its independent inputs
 * it is about √Σ w² = 1 / √ESS, for a copy of its one input 1. Every output counts the same. Not for use by several
 * threads at once.
 */
public final class Retention implements Serializable {
    private static final int AUC = 0;
    private static final int KEPT = 1;
    private static final int NEAREST = 2;
    private static final int CHANCE = 3;

    private final GaussianStatistics outputs = new GaussianStatistics(4);

    /**
     * Adds one output.
     *
     * @param inputs c_i, at least one; more is closer
     * @param weights w_i, as many, not negative, not all 0; divided by their sum
     * @param others c_u, at least one
     */
    public void add(double[] inputs, double[] weights, double[] others) {
        if (inputs.length == 0 || others.length == 0 || inputs.length != weights.length) {
            throw new IllegalArgumentException(
                    "An output must have at least one input, a weight for each, and at least one"
                            + " other image, cannot have: "
                            + inputs.length + " inputs, " + weights.length + " weights, " + others.length + " others");
        }
        double sum = Arrays.stream(weights).sum();
        if (!(sum > 0 && sum < Double.POSITIVE_INFINITY)
                || Arrays.stream(weights).anyMatch(w -> !(w >= 0))) {
            throw new IllegalArgumentException(
                    "Weights must not be negative and not all 0, cannot be: " + Arrays.toString(weights));
        }
        double[] sorted = others.clone();
        Arrays.sort(sorted);
        double auc = 0;
        double kept = -Arrays.stream(others).sum() / others.length;
        double closest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < inputs.length; i++) {
            int below = below(sorted, inputs[i]);
            int notAbove = below(sorted, Math.nextUp(inputs[i]));
            auc += weights[i] / sum * (below + notAbove) / (2.0 * sorted.length);
            kept += weights[i] / sum * inputs[i];
            closest = Math.max(closest, inputs[i]);
        }
        double nearest = closest > sorted[sorted.length - 1] ? 1 : 0;
        double chance = (double) inputs.length / (inputs.length + others.length);
        outputs.add(new double[] {auc, kept, nearest, chance});
    }

    /** Adds the other's outputs to these. */
    public void merge(Retention other) {
        outputs.merge(other.outputs);
    }

    /** The number of outputs. */
    public long count() {
        return outputs.count();
    }

    /** The mean chance that an input is closer than an image that is none: 1/2 where nothing is kept. */
    public Estimate auc() {
        return share(AUC);
    }

    /** The distance by which inputs are closer, in units of the closeness. */
    public Estimate kept() {
        return share(KEPT);
    }

    /** The share of outputs whose closest image is an input, 0 to 1. */
    public Estimate nearest() {
        return share(NEAREST);
    }

    /** The value that {@link #nearest} would have if outputs knew nothing of their inputs. */
    public double chance() {
        return outputs.mean()[CHANCE];
    }

    /**
     * Closeness as correlation: cos(y - m, x - m) of an output y with every image x of its class, in -1 to 1.
     *
     * @param centre m, the class's mean, so that what all its images share counts for nothing
     */
    public static double[] cosines(double[] output, double[] centre, List<double[]> images) {
        double[] y = difference(output, centre);
        return images.stream()
                .mapToDouble(x -> 1 - CosineDistance.between(y, difference(x, centre)))
                .toArray();
    }

    private static double[] difference(double[] x, double[] y) {
        double[] difference = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            difference[i] = x[i] - y[i];
        }
        return difference;
    }

    /** The number of these that are below a value. */
    private static int below(double[] sorted, double value) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted[middle] < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private Estimate share(int measure) {
        return Estimate.ofMany(outputs, measure);
    }
}
