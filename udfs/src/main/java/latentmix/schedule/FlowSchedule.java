package latentmix.schedule;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The noise levels of a rectified flow, x_σ = (1 − σ)·x0 + σ·ε with velocity v = dx/dσ = ε − x0, σ from 1 (noise) to 0:
 *
 * <pre>shift(u) = s·u / (1 + (s − 1)·u),    σ_i = shift(u_i),    u_i evenly spaced from 1 to shift(1/T),    σ_N = 0
 * </pre>
 *
 * <p>The smallest level but 0 is thus shifted twice, as in diffusers. The network's timestep is σ·T.
 *
 * @param shift s; above 1 it moves the levels towards noise
 * @param trainTimesteps T
 * @see <a href="https://arxiv.org/abs/2403.03206">Esser et al., Scaling Rectified Flow Transformers, Section 5.3.2</a>
 */
public record FlowSchedule(double shift, int trainTimesteps) {
    public FlowSchedule {
        if (!(shift > 0) || Double.isInfinite(shift)) {
            throw new IllegalArgumentException("shift must be above 0, cannot be: " + shift);
        }
        if (trainTimesteps < 1) {
            throw new IllegalArgumentException("num_train_timesteps must be at least 1, cannot be: " + trainTimesteps);
        }
    }

    /** The levels that N steps join, N + 1 from 1 to 0. */
    public double[] descending(int steps) {
        if (steps < 1 || steps > trainTimesteps) {
            throw new IllegalArgumentException("steps must be in 1.." + trainTimesteps + ", cannot be: " + steps);
        }
        double least = shifted(1.0 / trainTimesteps);
        double stride = (1 - least) / Math.max(1, steps - 1);
        return IntStream.rangeClosed(0, steps)
                .mapToDouble(i -> i == steps ? 0 : shifted(1 - i * stride))
                .toArray();
    }

    /** The levels that N steps join, N + 1 from 0 to 1. */
    public double[] ascending(int steps) {
        double[] descending = descending(steps);
        return IntStream.rangeClosed(0, steps)
                .mapToDouble(i -> descending[steps - i])
                .toArray();
    }

    /** The levels that the last of N steps join, from noisy to 0. */
    double[] tail(int steps, int last) {
        if (last < 1 || last > steps) {
            throw new IllegalArgumentException(
                    "The last steps must be 1 to all " + steps + " of them, cannot be: " + last);
        }
        return Arrays.copyOfRange(descending(steps), steps - last, steps + 1);
    }

    /** Samples noised to a timestep's level: (1 − σ)·x0 + σ·ε, entry by entry. */
    float[] addNoise(float[] original, float[] noise, double timestep) {
        if (original.length != noise.length) {
            throw new IllegalArgumentException(
                    "Noise must have the sample's " + original.length + " entries, cannot have: " + noise.length);
        }
        double sigma = timestep / trainTimesteps;
        float[] noisy = new float[original.length];
        for (int i = 0; i < noisy.length; i++) {
            noisy[i] = (float) ((1 - sigma) * original[i] + sigma * noise[i]);
        }
        return noisy;
    }

    /** The timestep that the network takes for a level. */
    public double timestep(double sigma) {
        return sigma * trainTimesteps;
    }

    double shifted(double u) {
        return shift * u / (1 + (shift - 1) * u);
    }

    @Override
    public String toString() {
        return "rectified flow, shift " + shift + ", " + trainTimesteps + " trained timesteps";
    }
}
