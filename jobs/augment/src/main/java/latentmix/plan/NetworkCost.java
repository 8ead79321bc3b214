package latentmix.plan;

import ai.djl.ndarray.NDArray;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import latentmix.config.RunConfig;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Shape;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Step;
import latentmix.table.MixedTable;

/**
 * How often the denoising network sees one image, as its tables of steps tell without running them.
 *
 * @param inversion evaluations for an image; the most that there can be where an inversion ends early
 */
public record NetworkCost(InversionMethod method, long inversion, Scheduler sampler, Guidance guidance, int steps) {
    /** What samplers count with. */
    private record Unloaded() implements Denoiser {
        @Override
        public NDArray predict(NDArray sample, double timestep, PromptEmbeds prompt) {
            throw new UnsupportedOperationException("A plan runs no network");
        }

        @Override
        public Shape latentShape() {
            throw new UnsupportedOperationException("A plan runs no network");
        }

        @Override
        public void close() {}
    }

    /**
     * The cost under a configuration.
     *
     * @throws IllegalArgumentException if its solvers do not suit the checkpoint's process
     */
    public static NetworkCost of(RunConfig config, JsonNode schedulerConfig) {
        InversionMethod method = config.inversionMethod(schedulerConfig);
        long inversion = method.inversion(
                        Scheduler.of(schedulerConfig, method.solver()),
                        config.inversion().steps(),
                        new Guidance(config.inversion().guidance()),
                        config.inversion().forwardFirst())
                .evaluations();
        Scheduler sampler = config.sampler(schedulerConfig);
        return new NetworkCost(
                method,
                inversion,
                sampler,
                config.generation().guidance(sampler.trainTimesteps()),
                config.generation().steps());
    }

    /** Evaluations for a mixture. */
    public long generation(MixedTable.Effort effort) {
        List<Step> table = sampler.tail(steps, GenerationSettings.steps(steps, effort.strength()));
        Guidance own = effort.guidance().isEmpty()
                ? guidance
                : new Guidance(effort.guidance().get(0), guidance.least(), guidance.most());
        return method.sampling(new DenoisingLoop(table, new Unloaded(), own), sampler)
                .evaluations(1);
    }
}
