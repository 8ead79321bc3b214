package latentmix.stage;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import latentmix.config.RunConfig;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Step;

/** Whether a checkpoint's process has the solvers, steps and guided timesteps that a configuration asks for. */
final class Solving {
    private final List<String> problems = new ArrayList<>();

    private Solving() {}

    /** What it has not, each with its key and what to do. */
    static List<String> problems(RunConfig config, JsonNode schedulerConfig) {
        Solving solving = new Solving();
        solving.tried("inversion.method", () -> inverting(config, schedulerConfig))
                .ifPresent(scheduler -> solving.tried("inversion.steps", () -> config.inversionMethod(schedulerConfig)
                        .inversion(
                                scheduler,
                                config.inversion().steps(),
                                new Guidance(config.inversion().guidance()),
                                config.inversion().forwardFirst())));
        solving.tried("generation.solver", () -> config.generation().scheduler(schedulerConfig));
        if (solving.problems.isEmpty()) {
            Scheduler sampler = config.sampler(schedulerConfig);
            solving.tried(
                            "generation.steps",
                            () -> sampler.sampling(config.generation().steps()))
                    .ifPresent(table -> solving.guided(config.generation(), sampler, table));
        }
        return solving.problems;
    }

    private static Scheduler inverting(RunConfig config, JsonNode schedulerConfig) {
        return Scheduler.of(
                schedulerConfig, config.inversionMethod(schedulerConfig).solver());
    }

    private void guided(RunConfig.Generation generation, Scheduler scheduler, List<Step> table) {
        Guidance guidance = generation.guidance(scheduler.trainTimesteps());
        if (guidance.scale() > 1 && table.stream().noneMatch(step -> guidance.branches(step.timestep()) == 2)) {
            problems.add("generation.guidance_interval: expected at least one of the " + table.size()
                    + " timesteps from " + table.get(table.size() - 1).timestep() + " to "
                    + table.get(0).timestep() + " in it, got " + generation.guidanceInterval()
                    + "; widen it, or set generation.guidance to 1");
        }
    }

    private <T> Optional<T> tried(String key, Supplier<T> work) {
        try {
            return Optional.of(work.get());
        } catch (IllegalArgumentException e) {
            problems.add(key + ": " + e.getMessage());
            return Optional.empty();
        }
    }
}
