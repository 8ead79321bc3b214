package latentmix.latent;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A method beside the grid: it sees its inputs themselves, a few latents in memory, where the grid sees sums over any
 * number.
 */
public sealed interface Blend extends Method
        permits Slerp, SphericalMean, Nao, Cog, Fill, Arc, Adain, Tint, Sdedit, DiffMix, Prompt {
    /**
     * The facts that a blend may use.
     *
     * @param latents N inputs of C·H·W values each, which are not to be written to
     * @param weights w, as many, with a sum of 1
     * @param classMean μ, C·H·W values, or none where the method needs none
     * @param noise where its fresh noise comes from
     */
    record Inputs(Shape shape, List<double[]> latents, double[] weights, ClassMean classMean, FreshNoise noise) {
        public Inputs {
            latents = List.copyOf(latents);
        }

        /**
         * Inputs of a blend that draws no noise; their weights are divided by their sum.
         *
         * @throws IllegalArgumentException where shapes differ or weights are negative, not finite or all 0
         */
        public static Inputs of(List<Latent> latents, double[] weights, ClassMean classMean) {
            var shape = latents.get(0).shape();
            double sum = Arrays.stream(weights).sum();
            if (!latents.stream().allMatch(latent -> latent.shape().equals(shape))) {
                throw new IllegalArgumentException("A mixture's latents must all have the first one's shape, " + shape);
            }
            if (!(sum > 0 && sum < Double.POSITIVE_INFINITY)
                    || Arrays.stream(weights).anyMatch(w -> !(w >= 0))) {
                throw new IllegalArgumentException(
                        "Weights must not be negative and not all 0, cannot be: " + Arrays.toString(weights));
            }
            return new Inputs(
                    shape,
                    latents.stream().map(Latent::values).toList(),
                    Vectors.quotient(weights, sum),
                    classMean,
                    FreshNoise.NONE);
        }

        double[] latent(int i) {
            return latents.get(i);
        }

        double norm(int i) {
            return Vectors.norm(latents.get(i), 0, shape.size());
        }

        /** Σ w ‖z‖ */
        double interpolatedNorm() {
            double norm = 0;
            for (int i = 0; i < weights.length; i++) {
                norm += weights[i] * norm(i);
            }
            return norm;
        }

        /** Σ w z */
        double[] weightedSum() {
            return combination(weights);
        }

        /** Σ a z */
        double[] combination(double[] a) {
            var sum = new double[shape.size()];
            for (int i = 0; i < a.length; i++) {
                if (a[i] != 0) {
                    Vectors.addScaled(a[i], latents.get(i), sum);
                }
            }
            return sum;
        }
    }

    /** Reason of a mixture whose inputs point to opposite sides, so that no direction lies between them. */
    String NO_DIRECTION = "no direction";

    /** One blend of each kind. */
    static List<Blend> all() {
        return List.of(
                new Slerp(),
                new SphericalMean(),
                new Nao(),
                new Cog(Cog.Mean.MAP),
                new Cog(Cog.Mean.CHANNELS),
                new Fill(new ChannelMeanSplit()),
                new Fill(new ClassMeanSplit()),
                new Arc(),
                new Adain(),
                new Tint(0.3),
                new Sdedit(0.5),
                new DiffMix(0.7, DiffMix.GAMMA),
                new Prompt());
    }

    /** The mixture z', C·H·W values that the caller owns; none where the inputs leave no direction. */
    Optional<double[]> blend(Inputs inputs);

    /** The mixture of these inputs, whose count must be one that the method takes. */
    default Mixture mix(Inputs inputs) {
        int n = inputs.weights().length;
        inputError(new InputCount(n, n)).ifPresent(error -> {
            throw new IllegalArgumentException(error);
        });
        double squares = Vectors.dot(inputs.weights(), 0, inputs.weights(), 0, n);
        double ess = n == 0 ? 0 : 1 / squares;
        return blend(inputs)
                .<Mixture>map(values -> new Mixture.Mixed(new Latent(inputs.shape(), values), ess, predictedGain(ess)))
                .orElse(new Mixture.Undefined(NO_DIRECTION));
    }
}
