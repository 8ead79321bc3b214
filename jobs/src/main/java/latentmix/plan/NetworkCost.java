package latentmix.plan;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import latentmix.config.RunConfig;
import latentmix.inversion.InversionMethod;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Step;
import latentmix.work.GenerationSettings;

/** How often the denoising network sees one image, as its tables of steps tell without running them. */
public record NetworkCost(long inversion, Scheduler sampler, Guidance guidance, int steps) {
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
                        new Guidance(config.inversion().guidance()))
                .evaluations();
        Scheduler sampler = config.sampler(schedulerConfig);
        return new NetworkCost(
                inversion,
                sampler,
                config.generation().guidance(sampler.trainTimesteps()),
                config.generation().steps());
    }

    /**
     * Evaluations for a mixture.
     *
     * @param strength the share of the sampling steps that it takes
     */
    public long generation(double strength) {
        List<Step> table = sampler.tail(steps, GenerationSettings.steps(steps, strength));
        return guidance.evaluations(table);
    }
}
