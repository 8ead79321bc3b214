package latentmix.latent;

import java.io.Serializable;

/**
 * The centroid of any number of latents as a mergeable aggregate.
 *
 * <pre>Σ w,   Σ w²,   Σ w z,   Σ w ‖r‖ of every unit;   merged by addition;   divided by Σ w at the end</pre>
 *
 * Sums in double. Not for use by several threads at once.
 */
public final class CentroidState implements Serializable {
    private final Interpolation interpolation;
    private final double[] weightedSum; // (C, H, W)
    private final double[] inputNorms; // (units)
    private double weights;
    private double squares;

    /**
     * A state without inputs.
     *
     * @param classMean {@link ClassMean#NONE} unless the method is one of {@code cmm}
     */
    public CentroidState(MeanAdjusted method, Shape shape, ClassMean classMean) {
        this.interpolation = new Interpolation(method, shape, classMean);
        this.weightedSum = new double[shape.size()];
        this.inputNorms = new double[interpolation.units()];
    }

    public MeanAdjusted method() {
        return interpolation.method();
    }

    public ClassMean classMean() {
        return interpolation.classMean();
    }

    /** Adds one input; weights need no particular sum. */
    public void add(Latent latent, double weight) {
        if (!latent.shape().equals(interpolation.shape())) {
            throw new IllegalArgumentException("A centroid's latents must all have the first one's shape, "
                    + interpolation.shape() + ", cannot have: " + latent.shape());
        }
        if (!(weight >= 0 && weight < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("A weight must be finite and at least 0, cannot be: " + weight);
        }
        if (weight > 0) {
            Vectors.addScaled(weight, latent.values(), weightedSum);
            Vectors.addScaled(weight, interpolation.residualNorms(latent.values(), scratch()), inputNorms);
            weights += weight;
            squares += weight * weight;
        }
    }

    /** Adds the other's inputs to this one's; both must be of one method and shape. */
    public void merge(CentroidState other) {
        if (!interpolation.method().equals(other.interpolation.method())
                || !interpolation.shape().equals(other.interpolation.shape())) {
            throw new IllegalArgumentException("Centroids to be merged must be of one method and shape, cannot be: "
                    + interpolation.method() + " of " + interpolation.shape() + " and " + other.interpolation.method()
                    + " of " + other.interpolation.shape());
        }
        Vectors.addScaled(1, other.weightedSum, weightedSum);
        Vectors.addScaled(1, other.inputNorms, inputNorms);
        weights += other.weights;
        squares += other.squares;
    }

    /** The centroid of what was added so far. */
    public Mixture finish() {
        if (weights == 0) {
            return new Mixture.Undefined("no weight");
        }
        return interpolation.mix(
                Vectors.quotient(weightedSum, weights),
                Vectors.quotient(inputNorms, weights),
                squares / (weights * weights),
                scratch());
    }

    private double[] scratch() {
        return new double[weightedSum.length]; // not kept: states travel
    }
}
