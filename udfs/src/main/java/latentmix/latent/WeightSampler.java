package latentmix.latent;

import java.util.Arrays;
import java.util.function.DoubleFunction;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.DirichletSampler;

/**
 * The source of a mixture's weights: {@code equal}, {@code dirichlet(1)}, {@code ess(4)}, {@code fixed(0.5,0.3,0.2)} or
 * {@code path(0.5)}.
 */
public sealed interface WeightSampler {
    /** Draws weights for so many inputs: none negative, with a sum of 1. */
    double[] sample(int inputs, UniformRandomProvider rng);

    /** The approximate effective count of inputs, 1 / Σ w², of these weights. */
    double expectedEss(int inputs);

    /** Checks that weights can be drawn for this count of inputs; throws IllegalArgumentException if not. */
    default void requireInputs(InputCount inputs) {}

    /** The centroid: w_i = 1/N. */
    record Equal() implements WeightSampler {
        @Override
        public double[] sample(int inputs, UniformRandomProvider rng) {
            var weights = new double[inputs];
            Arrays.fill(weights, 1.0 / inputs);
            return weights;
        }

        @Override
        public double expectedEss(int inputs) {
            return inputs;
        }

        @Override
        public String toString() {
            return "equal";
        }
    }

    /**
     * The symmetric Dirichlet distribution: alpha 1 is uniform over all weights, above it nears equal ones, below it
     * one-hot.
     *
     * @param alpha above 0
     */
    record Dirichlet(double alpha) implements WeightSampler {
        public Dirichlet {
            if (!(alpha > 0 && alpha < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("Dirichlet's alpha must be above 0, cannot be: " + alpha);
            }
        }

        @Override
        public double[] sample(int inputs, UniformRandomProvider rng) {
            return inputs == 1
                    ? new double[] {1}
                    : DirichletSampler.symmetric(rng, inputs, alpha).sample();
        }

        /** 1 / E[Σ w²] = (N·alpha + 1) / (alpha + 1), a little below E[1 / Σ w²]. */
        @Override
        public double expectedEss(int inputs) {
            return (inputs * alpha + 1) / (alpha + 1);
        }

        @Override
        public String toString() {
            return "dirichlet(" + number(alpha) + ")";
        }
    }

    /**
     * The symmetric Dirichlet distribution whose effective count of inputs has the wanted mean: E[1 / Σ w²] = ess.
     *
     * @param ess from 1 (one input alone) to the number of inputs (equal weights)
     */
    record EffectiveCount(double ess) implements WeightSampler {
        public EffectiveCount {
            if (!(ess >= 1 && ess < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("An effective count must be at least 1, cannot be: " + ess);
            }
        }

        @Override
        public double[] sample(int inputs, UniformRandomProvider rng) {
            if (ess == inputs) {
                return new Equal().sample(inputs, rng);
            }
            if (ess == 1) {
                var weights = new double[inputs];
                weights[rng.nextInt(inputs)] = 1;
                return weights;
            }
            return new Dirichlet(DirichletEss.alpha(inputs, ess)).sample(inputs, rng);
        }

        @Override
        public double expectedEss(int inputs) {
            return ess;
        }

        @Override
        public void requireInputs(InputCount inputs) {
            if (ess > inputs.least()) {
                throw new IllegalArgumentException("Weights " + this + " need at least as many inputs, cannot have: "
                        + inputs + "; use more inputs or a lower count");
            }
        }

        @Override
        public String toString() {
            return "ess(" + number(ess) + ")";
        }
    }

    /**
     * The same weights every time, divided by their sum.
     *
     * @param weights not negative, not all 0
     */
    record Fixed(double[] weights) implements WeightSampler {
        public Fixed {
            if (!(Arrays.stream(weights).sum() > 0) || Arrays.stream(weights).anyMatch(w -> !(w >= 0))) {
                throw new IllegalArgumentException(
                        "Fixed weights must not be negative and not all 0, cannot be: " + Arrays.toString(weights));
            }
        }

        @Override
        public double[] sample(int inputs, UniformRandomProvider rng) {
            requireInputs(new InputCount(inputs, inputs));
            double sum = Arrays.stream(weights).sum();
            return Arrays.stream(weights).map(w -> w / sum).toArray();
        }

        @Override
        public double expectedEss(int inputs) {
            double sum = Arrays.stream(weights).sum();
            return sum * sum / Vectors.dot(weights, 0, weights, 0, weights.length);
        }

        @Override
        public void requireInputs(InputCount inputs) {
            if (inputs.least() != weights.length || inputs.most() != weights.length) {
                throw new IllegalArgumentException(
                        "Weights " + this + " need " + weights.length + " inputs, cannot have: " + inputs);
            }
        }

        @Override
        public String toString() {
            return Arrays.stream(weights)
                    .mapToObj(WeightSampler::number)
                    .collect(Collectors.joining(",", "fixed(", ")"));
        }
    }

    /**
     * A point on the straight path from the first input to the centroid of all; every point of it has the same inputs.
     *
     * <pre>w = (1 - s) e_1 + s / N</pre>
     *
     * @param position s, 0 at the input and 1 at the centroid; with two inputs also on to 2, the other one
     */
    record Path(double position) implements WeightSampler {
        public Path {
            if (!(position >= 0 && position <= 2)) {
                throw new IllegalArgumentException(
                        "A position on a path must be 0 to 1, or to 2 with two inputs, cannot be: " + position);
            }
        }

        @Override
        public double[] sample(int inputs, UniformRandomProvider rng) {
            requireInputs(new InputCount(inputs, inputs));
            var weights = new double[inputs];
            Arrays.fill(weights, position / inputs);
            weights[0] = 1 - position * (inputs - 1) / inputs;
            return weights;
        }

        @Override
        public double expectedEss(int inputs) {
            double others = (inputs - 1.0) / inputs;
            double first = 1 - position * others;
            return 1 / (first * first + position * position * others / inputs);
        }

        @Override
        public void requireInputs(InputCount inputs) {
            if (position > 1 && (inputs.least() != 2 || inputs.most() != 2)) {
                throw new IllegalArgumentException(
                        "Weights " + this + " need 2 inputs, cannot have: " + inputs + "; use a position up to 1");
            }
        }

        @Override
        public String toString() {
            return "path(" + number(position) + ")";
        }
    }

    /**
     * Reads a sampler's spelling.
     *
     * @throws IllegalArgumentException saying what was expected and what came
     */
    static WeightSampler parse(String spelling) {
        var parts = Pattern.compile("(\\w+)(?:\\(([^()]*)\\))?").matcher(spelling.strip());
        if (parts.matches()) {
            String kind = parts.group(1);
            String numbers = parts.group(2);
            if (kind.equals("equal") && numbers == null) {
                return new Equal();
            }
            if (kind.equals("dirichlet") && numbers != null) {
                return one(Dirichlet::new, numbers, spelling);
            }
            if (kind.equals("ess") && numbers != null) {
                return one(EffectiveCount::new, numbers, spelling);
            }
            if (kind.equals("fixed") && numbers != null) {
                return new Fixed(numbers(numbers, spelling));
            }
            if (kind.equals("path") && numbers != null) {
                return one(Path::new, numbers, spelling);
            }
        }
        throw refusal(spelling);
    }

    private static WeightSampler one(DoubleFunction<WeightSampler> kind, String numbers, String spelling) {
        var values = numbers(numbers, spelling);
        if (values.length != 1) {
            throw refusal(spelling);
        }
        return kind.apply(values[0]);
    }

    private static double[] numbers(String numbers, String spelling) {
        try {
            return Arrays.stream(numbers.split(",", -1))
                    .mapToDouble(Double::parseDouble)
                    .toArray();
        } catch (NumberFormatException e) {
            throw refusal(spelling);
        }
    }

    private static IllegalArgumentException refusal(String spelling) {
        return new IllegalArgumentException(
                "Weights must be equal, dirichlet(alpha), ess(count), fixed(w1,w2,…) or path(s), cannot be: '"
                        + spelling + "'");
    }

    /** The number as text: 1 rather than 1.0. */
    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e9
                ? Long.toString((long) value)
                : Double.toString(value);
    }
}
