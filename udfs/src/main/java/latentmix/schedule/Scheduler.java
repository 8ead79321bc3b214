package latentmix.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/**
 * A sampler as a table: every step's linear coefficients, known before the loop starts.
 *
 * <p>To add one: compute its {@link Step}s in double precision, permit it here, and choose it in {@link #of}.
 */
public sealed interface Scheduler permits DdimScheduler {
    /**
     * The table that leads from noise to a sample.
     *
     * @throws IllegalArgumentException if the schedule has no such number of steps
     */
    List<Step> sampling(int steps);

    /**
     * The last steps of that table: they lead from a sample that has the noise of the first of them. A multistep method, which knows no
     * step before its first, begins them anew.
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

    /** Samples with the noise of a step's timestep added, entry by entry: what that step expects. */
    float[] addNoise(float[] original, float[] noise, double timestep);

    /**
     * The table that leads from a sample to its noise.
     *
     * @throws IllegalArgumentException if the schedule has no such number of steps, or cannot be inverted
     */
    List<Step> inversion(int steps);

    /** What runs, in words for a person, and in whose place if the checkpoint names another scheduler. */
    String description();

    /**
     * The scheduler of a checkpoint's {@code scheduler_config.json}. Absent keys mean diffusers' defaults.
     *
     * @throws IllegalArgumentException if a setting is not supported; the message names it and what to do
     */
    static Scheduler of(JsonNode schedulerConfig) {
        return new SchedulerConfig(schedulerConfig).scheduler();
    }
}
