package latentmix.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * A sampler as a table: every step's linear coefficients, known before the loop starts.
 *
 * <p>To add one: compute its {@link Step}s in double precision, permit it here, name it in {@link Solver}, and choose
 * it in {@link SchedulerConfig}.
 */
public sealed interface Scheduler permits DdimScheduler, DpmSolverMultistepScheduler, FlowScheduler {
    /**
     * The table that leads from noise to a sample.
     *
     * @throws IllegalArgumentException if the schedule has no such number of steps
     */
    List<Step> sampling(int steps);

    /**
     * The last steps of that table: they lead from a sample that has the noise of the first of them. A multistep
     * method, which knows no step before its first, begins them anew.
     *
     * @throws IllegalArgumentException if the schedule has no such number of steps, or not so many last ones
     */
    default List<Step> tail(int steps, int last) {
        if (last < 1 || last > steps) {
            throw new IllegalArgumentException(
                    "The last steps must be 1 to all " + steps + " of them, cannot be: " + last);
        }
        return sampling(steps).subList(steps - last, steps);
    }

    /** Samples with the noise of a step's timestep added, entry by entry, as that step expects them. */
    float[] addNoise(float[] original, float[] noise, double timestep);

    /**
     * The table that leads from a sample to its noise.
     *
     * @throws IllegalArgumentException if the schedule has no such number of steps, or cannot be inverted
     */
    List<Step> inversion(int steps);

    /**
     * The rows of that table behind its first ones: they lead from a sample that has the noise of {@link #reached}. A
     * multistep method begins them anew.
     *
     * @throws IllegalArgumentException as of {@link #inversion(int)}, or if no row is left
     */
    default List<Step> inversion(int steps, int first) {
        return inversion(steps).subList(requireLeft(steps, first), steps);
    }

    /** The timestep of the level that the first steps of an inversion lead to, at least one of them. */
    default double reached(int steps, int first) {
        return inversion(steps).get(first - 1).timestep();
    }

    /** The number of first steps, of which one at least must be left. */
    static int requireLeft(int steps, int first) {
        if (first < 0 || first >= steps) {
            throw new IllegalArgumentException(
                    "The first steps must be fewer than all " + steps + " of them, cannot be: " + first);
        }
        return first;
    }

    /**
     * This scheduler with a sampling table that starts from the level where an inversion ended, if it can choose where
     * to start; DDIM starts where its spacing does, a flow from σ = 1.
     *
     * @param timestep of that level
     */
    default Scheduler startingAt(double timestep) {
        return this;
    }

    /** The solver that this scheduler is. */
    Solver solver();

    /** The number of trained timesteps T. Timesteps are from 0 (a sample) to T (noise). */
    int trainTimesteps();

    /** The scheduler in words for a person, with the one that it replaces if the checkpoint names another. */
    String description();

    /**
     * The scheduler that belongs to the process in a checkpoint's {@code scheduler_config.json}: DDIM, or Euler for a
     * flow. Absent keys mean diffusers' defaults.
     *
     * @throws IllegalArgumentException if a setting is not supported; the message names it and what to do
     */
    static Scheduler of(JsonNode schedulerConfig) {
        return new SchedulerConfig(schedulerConfig).scheduler();
    }

    /**
     * This solver on the process of a checkpoint's {@code scheduler_config.json}.
     *
     * @throws IllegalArgumentException as of {@link #of(JsonNode)}, and if the solver does not suit the process
     */
    static Scheduler of(JsonNode schedulerConfig, Solver solver) {
        return new SchedulerConfig(schedulerConfig).scheduler(solver);
    }

    /** What of a checkpoint's {@code scheduler_config.json} makes no difference, though it says it does, in lines. */
    static List<String> remarks(JsonNode schedulerConfig) {
        return new SchedulerConfig(schedulerConfig).remarks();
    }
}
