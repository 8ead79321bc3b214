package latentmix.latent;

import java.util.Arrays;
import java.util.Objects;

/**
 * The inputs of one mixture, their weights and the method.
 *
 * @param inputs N different indices into a pool, in any order, as many as the method takes
 * @param weights w, one for each, none negative, with a sum of 1
 * @param pool which latents of the pool the class mean of cmm is over; of no effect on methods without one
 * @param noise where its fresh noise comes from, if the method draws any
 */
public record Recipe(Method method, int[] inputs, double[] weights, Pool pool, FreshNoise noise) {
    /** The latents of a pool of M that a class mean is taken over. */
    public enum Pool {
        /** All M of them. */
        ALL,
        /** The M - N which are not inputs: (M·μ - Σ_S z) / (M - N). */
        LEAVE_INPUTS_OUT;

        /** Reads {@code all} or {@code leave-inputs-out}. */
        public static Pool parse(String name) {
            return switch (name) {
                case "all" -> ALL;
                case "leave-inputs-out" -> LEAVE_INPUTS_OUT;
                default ->
                    throw new IllegalArgumentException(
                            "A pool must be all or leave-inputs-out, cannot be: '" + name + "'");
            };
        }

        /** The spelling that {@link #parse} reads. */
        @Override
        public String toString() {
            return this == ALL ? "all" : "leave-inputs-out";
        }
    }

    private static final double ROUNDING = 1e-9;

    public Recipe {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(pool, "pool");
        Objects.requireNonNull(noise, "noise");
        if (inputs.length != weights.length) {
            throw new IllegalArgumentException("A recipe must have one weight for each input, cannot have: "
                    + inputs.length + " inputs and " + weights.length + " weights");
        }
        method.inputError(new InputCount(inputs.length, inputs.length)).ifPresent(error -> {
            throw new IllegalArgumentException(error);
        });
        if (Arrays.stream(inputs).distinct().count() != inputs.length
                || Arrays.stream(inputs).anyMatch(i -> i < 0)) {
            throw new IllegalArgumentException(
                    "Inputs must be different indices, cannot be: " + Arrays.toString(inputs));
        }
        if ((inputs.length > 0 && !(Math.abs(Arrays.stream(weights).sum() - 1) <= ROUNDING))
                || Arrays.stream(weights).anyMatch(w -> w < 0)) {
            throw new IllegalArgumentException(
                    "Weights must not be negative and have a sum of 1, cannot be: " + Arrays.toString(weights));
        }
    }

    /** A recipe whose method draws no noise. */
    public Recipe(Method method, int[] inputs, double[] weights, Pool pool) {
        this(method, inputs, weights, pool, FreshNoise.NONE);
    }

    /** The sum Σ w², which is 1 / ESS. */
    public double sumOfSquares() {
        return Vectors.dot(weights, 0, weights, 0, weights.length);
    }

    boolean leavesInputsOut() {
        return method.needsClassMean() && pool == Pool.LEAVE_INPUTS_OUT;
    }
}
