package latentmix.schedule;

import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The trained noise levels of a diffusion model: ᾱ_t = Π_{s≤t} (1 − β_s) and x_t = √ᾱ_t·x0 + √(1−ᾱ_t)·ε, t from 0 to T
 * − 1, in double precision (diffusers computes them in float32: they agree to about 1e-6).
 *
 * @see <a href="https://arxiv.org/abs/2006.11239">Ho et al., Denoising Diffusion Probabilistic Models</a>
 */
public final class NoiseSchedule {
    private final double[] betas;
    private final double[] alphasCumprod;

    private NoiseSchedule(double[] betas) {
        this.betas = betas;
        alphasCumprod = new double[betas.length];
        double product = 1;
        for (int t = 0; t < betas.length; t++) {
            boolean last = t == betas.length - 1;
            if (!(betas[t] >= 0 && (betas[t] < 1 || (last && betas[t] == 1)))) {
                throw new IllegalArgumentException(
                        "A beta must be in [0, 1), only the last may be 1; beta " + t + " cannot be: " + betas[t]);
            }
            product *= 1 - betas[t];
            alphasCumprod[t] = product;
        }
    }

    /** The schedule of these betas: diffusers' {@code trained_betas}. */
    public static NoiseSchedule ofBetas(double... betas) {
        if (betas.length == 0) {
            throw new IllegalArgumentException("A noise schedule must have at least 1 beta, cannot be: 0");
        }
        return new NoiseSchedule(betas.clone());
    }

    /** {@code linear}: betas evenly spaced from start to end. */
    public static NoiseSchedule linear(double start, double end, int trainTimesteps) {
        return tabulated(trainTimesteps, linspace(start, end, trainTimesteps));
    }

    /** {@code scaled_linear}: square roots of the betas evenly spaced, as latent diffusion was trained. */
    public static NoiseSchedule scaledLinear(double start, double end, int trainTimesteps) {
        IntToDoubleFunction root = linspace(Math.sqrt(start), Math.sqrt(end), trainTimesteps);
        return tabulated(trainTimesteps, t -> root.applyAsDouble(t) * root.applyAsDouble(t));
    }

    /**
     * {@code squaredcos_cap_v2}: ᾱ(u) = cos²((u + 0.008)/1.008 · π/2), betas capped at 0.999.
     *
     * @see <a href="https://arxiv.org/abs/2102.09672">Nichol and Dhariwal, Improved DDPM, Section 3.2</a>
     */
    public static NoiseSchedule squaredCosine(int trainTimesteps) {
        IntToDoubleFunction alphaBar =
                t -> Math.pow(Math.cos(((double) t / trainTimesteps + 0.008) / 1.008 * Math.PI / 2), 2);
        return tabulated(
                trainTimesteps, t -> Math.min(1 - alphaBar.applyAsDouble(t + 1) / alphaBar.applyAsDouble(t), 0.999));
    }

    /**
     * The schedule with zero terminal signal: √ᾱ shifted so that its last is 0 and scaled so that its first is kept.
     *
     * @see <a href="https://arxiv.org/abs/2305.08891">Lin et al., Algorithm 1</a>
     */
    public NoiseSchedule zeroTerminalSnr() {
        double first = Math.sqrt(alphaCumprod(0));
        double last = Math.sqrt(alphaCumprod(trainTimesteps() - 1));
        IntToDoubleFunction rescaled = t -> Math.pow((Math.sqrt(alphaCumprod(t)) - last) * first / (first - last), 2);
        return tabulated(
                trainTimesteps(),
                t -> t == 0 ? beta(0) : 1 - rescaled.applyAsDouble(t) / rescaled.applyAsDouble(t - 1));
    }

    /** The number of trained timesteps, T. */
    public int trainTimesteps() {
        return betas.length;
    }

    public double beta(int timestep) {
        return betas[timestep];
    }

    /** ᾱ_t: the share of signal in the variance at a timestep from 0 to T − 1. */
    public double alphaCumprod(int timestep) {
        return alphasCumprod[timestep];
    }

    /** Samples noised to a timestep's level: √ᾱ_t·x0 + √(1−ᾱ_t)·ε, entry by entry. */
    public float[] addNoise(float[] original, float[] noise, int timestep) {
        if (original.length != noise.length) {
            throw new IllegalArgumentException(
                    "Noise must have the sample's " + original.length + " entries, cannot have: " + noise.length);
        }
        double signal = Math.sqrt(alphaCumprod(timestep));
        double deviation = Math.sqrt(1 - alphaCumprod(timestep));
        float[] noisy = new float[original.length];
        for (int i = 0; i < noisy.length; i++) {
            noisy[i] = (float) (signal * original[i] + deviation * noise[i]);
        }
        return noisy;
    }

    private static NoiseSchedule tabulated(int trainTimesteps, IntToDoubleFunction beta) {
        return ofBetas(IntStream.range(0, trainTimesteps).mapToDouble(beta).toArray());
    }

    private static IntToDoubleFunction linspace(double start, double end, int points) {
        return i -> points == 1 ? start : start + (end - start) * i / (points - 1);
    }
}
