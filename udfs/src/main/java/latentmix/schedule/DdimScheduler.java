package latentmix.schedule;

import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Denoising diffusion implicit models: a step from the level a = ᾱ to the level b, in either direction, is
 *
 * <pre>next = √b · x0 + √(1 − b − σ²) · ε + σ · z,    σ = η · √((1 − b)/(1 − a) · (1 − a/b))</pre>
 *
 * <p>with x0 and ε predicted at level a. A visited timestep t joins the levels ᾱ_t and ᾱ_{t − T div N} (below timestep
 * 0: the final level). Sampling goes down from the first to the second, inversion up from the second to the first; both
 * evaluate the network at t, so that inversion looks at the target timestep and undoes sampling exactly where both see
 * the same ε.
 *
 * @param finalAlphaCumprod the level below timestep 0: 1 if {@code set_alpha_to_one}, else ᾱ_0
 * @param configuredClass the scheduler that the checkpoint names, in whose place this one runs
 * @see <a href="https://arxiv.org/abs/2010.02502">Song et al., equations 12 and 16</a>
 * @see <a
 *     href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/schedulers/scheduling_ddim.py">diffusers'
 *     DDIMScheduler, beside it DDIMInverseScheduler</a>
 */
public record DdimScheduler(
        NoiseSchedule noise,
        PredictionType prediction,
        TimestepSpacing spacing,
        int stepsOffset,
        double finalAlphaCumprod,
        String configuredClass)
        implements Scheduler {
    public DdimScheduler {
        if (stepsOffset < 0) {
            throw new IllegalArgumentException("steps_offset must be at least 0, cannot be: " + stepsOffset);
        }
        if (prediction == PredictionType.EPSILON && noise.alphaCumprod(noise.trainTimesteps() - 1) == 0) {
            throw new IllegalArgumentException("prediction_type must be v_prediction or sample where the last timestep"
                    + " is pure noise (rescale_betas_zero_snr), cannot be: epsilon");
        }
    }

    @Override
    public List<Step> sampling(int steps) {
        return sampling(steps, 0);
    }

    /** Stochastic sampling: eta 0 is DDIM, eta 1 has DDPM's variance. */
    public List<Step> sampling(int steps, double eta) {
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta must be in [0, 1], cannot be: " + eta);
        }
        int[] ascending = timesteps(steps);
        return IntStream.range(0, steps)
                .map(i -> ascending[steps - 1 - i])
                .mapToObj(t -> step(t, level(t), level(previous(t, steps)), eta))
                .toList();
    }

    @Override
    public List<Step> inversion(int steps) {
        if (prediction == PredictionType.SAMPLE && finalAlphaCumprod == 1) {
            throw new IllegalArgumentException("set_alpha_to_one must be false to invert with prediction_type sample,"
                    + " cannot be: true (a sample without noise says nothing about its noise)");
        }
        return IntStream.of(timesteps(steps))
                .mapToObj(t -> step(t, level(previous(t, steps)), level(t), 0))
                .toList();
    }

    /**
     * Rows that go on from each visited timestep but the last to the next noisier one with the prediction made at the
     * first, in ascending order: {@code steps − 1} of them.
     */
    public List<Step> continuation(int steps) {
        int[] ascending = timesteps(steps);
        return IntStream.range(0, steps - 1)
                .mapToObj(i -> step(ascending[i], level(ascending[i]), level(ascending[i + 1]), 0))
                .toList();
    }

    @Override
    public float[] addNoise(float[] original, float[] noise, double timestep) {
        return this.noise.addNoise(original, noise, (int) timestep);
    }

    @Override
    public Solver solver() {
        return Solver.DDIM;
    }

    @Override
    public int trainTimesteps() {
        return noise.trainTimesteps();
    }

    @Override
    public String description() {
        String place = configuredClass.equals("DDIMScheduler")
                ? ""
                : " (in place of " + configuredClass + ", on the same noise schedule)";
        return "DDIM" + place + ", " + prediction.name().toLowerCase(Locale.ROOT) + ", "
                + spacing.name().toLowerCase(Locale.ROOT) + " spacing, " + noise.trainTimesteps()
                + " trained timesteps";
    }

    /** The visited timesteps in ascending order. */
    int[] timesteps(int steps) {
        int trained = noise.trainTimesteps();
        if (steps < 1 || steps > trained) {
            throw new IllegalArgumentException("steps must be in 1.." + trained + ", cannot be: " + steps);
        }
        int[] timesteps = spacing.timesteps(steps, trained, stepsOffset);
        if (timesteps[steps - 1] >= trained) {
            throw new IllegalArgumentException("steps must keep to the trained timesteps 0.." + (trained - 1)
                    + ", cannot be: " + steps + ", which with steps_offset " + stepsOffset + " reaches timestep "
                    + timesteps[steps - 1] + "; choose fewer steps");
        }
        return timesteps;
    }

    private int previous(int timestep, int steps) {
        return timestep - noise.trainTimesteps() / steps;
    }

    private double level(int timestep) {
        return timestep < 0 ? finalAlphaCumprod : noise.alphaCumprod(timestep);
    }

    private Step step(int timestep, double from, double to, double eta) {
        double deviation = eta == 0 ? 0 : eta * Math.sqrt((1 - to) / (1 - from) * (1 - from / to));
        double signal = Math.sqrt(to);
        double direction = Math.sqrt(1 - to - deviation * deviation);
        PredictionType.Linear original = prediction.original(from);
        PredictionType.Linear noise = prediction.noise(from);
        return new Step(
                timestep,
                List.of(signal * original.sample() + direction * noise.sample()),
                List.of(signal * original.output() + direction * noise.output()),
                deviation);
    }
}
