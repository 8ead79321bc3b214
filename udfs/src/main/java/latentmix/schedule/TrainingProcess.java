package latentmix.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * What a checkpoint's network is trained for: it sees x_t = signal · x0 + deviation · ε and predicts original · x0 +
 * noise · ε, with a mean squared error.
 */
public sealed interface TrainingProcess {
    /**
     * A level of noise.
     *
     * @param timestep as the network takes it
     * @param weight of the squared error
     */
    record Level(double timestep, double signal, double deviation, double original, double noise, double weight) {}

    /**
     * The level at a share of the way to noise.
     *
     * @param share from 0, nearly no noise, to 1
     * @param minSnr γ of min-SNR weighting; no weighting where it is 0
     * @throws IllegalArgumentException if the process has no such weighting
     */
    Level level(double share, double minSnr);

    /** Draws the share of a training example. */
    double share(UniformRandomProvider random);

    /**
     * The process of a checkpoint's {@code scheduler_config.json}.
     *
     * @throws IllegalArgumentException as of {@link Scheduler#of(JsonNode)}
     */
    static TrainingProcess of(JsonNode schedulerConfig) {
        Scheduler scheduler = Scheduler.of(schedulerConfig);
        if (scheduler instanceof FlowScheduler flow) {
            return new Flow(flow.flow());
        }
        DdimScheduler ddim = (DdimScheduler) scheduler;
        return new Diffusion(ddim.noise(), ddim.prediction());
    }

    /**
     * Diffusion: signal √ᾱ_t and deviation √(1−ᾱ_t), timesteps drawn evenly. By min-SNR the error of the original x0
     * weighs min(snr, γ), with snr = ᾱ_t/(1−ᾱ_t): that of ε weighs min(snr, γ)/snr, that of v min(snr, γ)/(snr + 1).
     *
     * @see <a href="https://arxiv.org/abs/2303.09556">Hang et al., Efficient Diffusion Training via Min-SNR
     *     Weighting</a>
     */
    record Diffusion(NoiseSchedule schedule, PredictionType prediction) implements TrainingProcess {
        @Override
        public Level level(double share, double minSnr) {
            int timesteps = schedule.trainTimesteps();
            return at(Math.min(timesteps - 1, (int) (share * timesteps)), minSnr);
        }

        /** The level of a timestep. */
        public Level at(int timestep, double minSnr) {
            double alpha = schedule.alphaCumprod(timestep);
            double snr = alpha / (1 - alpha);
            PredictionType.Target target = prediction.target(alpha);
            return new Level(
                    timestep,
                    Math.sqrt(alpha),
                    Math.sqrt(1 - alpha),
                    target.original(),
                    target.noise(),
                    minSnr == 0 ? 1 : Math.min(snr, minSnr) / prediction.unweighted(snr));
        }

        @Override
        public double share(UniformRandomProvider random) {
            return random.nextDouble();
        }
    }

    /**
     * A rectified flow: signal 1 − σ, deviation σ, the velocity ε − x0. Levels are drawn by a logit-normal density,
     * then shifted.
     *
     * @see <a href="https://arxiv.org/abs/2403.03206">Esser et al., Scaling Rectified Flow Transformers, Section
     *     3.1</a>
     */
    record Flow(FlowSchedule schedule) implements TrainingProcess {
        @Override
        public Level level(double share, double minSnr) {
            if (minSnr != 0) {
                throw new IllegalArgumentException(
                        "min-SNR weighting is for diffusion, and this checkpoint's process is a rectified flow");
            }
            double sigma = schedule.shifted(share);
            return new Level(schedule.timestep(sigma), 1 - sigma, sigma, -1, 1, 1);
        }

        @Override
        public double share(UniformRandomProvider random) {
            return 1
                    / (1
                            + Math.exp(-ZigguratSampler.NormalizedGaussian.of(random)
                                    .sample()));
        }
    }
}
