package latentmix.latent;

import java.util.Arrays;
import java.util.Optional;

/**
 * Combination of Gaussian variables about a general mean μ of the latents' distribution, which is the class's.
 *
 * <pre>y = Σ w z,   α = Σ w,   β = Σ w²,   z' = (1 - α / √β) μ + y / √β</pre>
 *
 * At μ = 0 this is the grid's lol/0. About the class mean map it is lol/cmm without that one's correction for μ being
 * the mean of a finite pool.
 *
 * @see <a href="https://arxiv.org/abs/2408.08558">Bodin et al., Linear combinations of Gaussian latents in generative
 *     models</a>
 */
public record Cog(Mean mean) implements Blend {
    /** The choice of μ. */
    public enum Mean {
        /** The mean map of the class's latents. */
        MAP,
        /** The channel means of that map, constant in space. These are C numbers, which a small class can estimate. */
        CHANNELS;

        static Mean parse(String name) {
            return switch (name) {
                case "chm" -> CHANNELS;
                case "0" -> throw new IllegalArgumentException("Method 'cog(0)' has a mean of 0; write 'lol/0'");
                default ->
                    throw new IllegalArgumentException("Method 'cog(" + name
                            + ")': its mean must be that of the class, written 'cog', or its"
                            + " channel means, written 'cog(chm)'");
            };
        }
    }

    @Override
    public Optional<double[]> blend(Inputs inputs) {
        return Optional.of(combination(inputs, mu(inputs)));
    }

    /** The combination z' about any μ. */
    static double[] combination(Inputs inputs, double[] mu) {
        var w = inputs.weights();
        double alpha = 0;
        for (double weight : w) {
            alpha += weight;
        }
        double root = Math.sqrt(Vectors.dot(w, 0, w, 0, w.length));
        var z = Vectors.quotient(inputs.weightedSum(), root);
        Vectors.addScaled(1 - alpha / root, mu, z);
        return z;
    }

    private double[] mu(Inputs inputs) {
        var map = inputs.classMean().map();
        var shape = inputs.shape();
        if (map.length != shape.size()) {
            throw new IllegalArgumentException("Method " + this + " on latents of shape " + shape
                    + " needs a class mean of " + shape.size() + " values, cannot have: " + map.length);
        }
        if (mean == Mean.MAP) {
            return map;
        }
        var channels = new double[map.length];
        for (int c = 0; c < shape.channels(); c++) {
            int from = c * shape.plane();
            Arrays.fill(channels, from, from + shape.plane(), Vectors.mean(map, from, shape.plane()));
        }
        return channels;
    }

    @Override
    public InputCount inputs() {
        return ANY;
    }

    @Override
    public boolean needsClassMean() {
        return true;
    }

    /** The gain is 1, for what all inputs share is in μ, which is not scaled. */
    @Override
    public double predictedGain(double ess) {
        return 1;
    }

    @Override
    public String toString() {
        return mean == Mean.MAP ? "cog" : "cog(chm)";
    }
}
