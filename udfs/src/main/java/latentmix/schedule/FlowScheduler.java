package latentmix.schedule;

import java.util.Arrays;
import java.util.List;

/**
 * A scheduler on the levels of a rectified flow: how rows lead from level to level, in either direction, is the
 * member's own.
 */
sealed interface FlowScheduler extends Scheduler
        permits FlowMatchEulerScheduler, FlowMatchMidpointScheduler, FireFlowScheduler {
    FlowSchedule flow();

    /** The rows that lead through these levels, from the first to the last. */
    List<Step> table(double[] sigmas);

    @Override
    default List<Step> sampling(int steps) {
        return table(flow().descending(steps));
    }

    /** The rows that an inversion leads through these levels by. */
    default List<Step> inversionTable(double[] sigmas) {
        return table(sigmas);
    }

    @Override
    default List<Step> inversion(int steps) {
        return inversion(steps, 0);
    }

    @Override
    default List<Step> inversion(int steps, int first) {
        return inversionTable(
                Arrays.copyOfRange(flow().ascending(steps), Scheduler.requireLeft(steps, first), steps + 1));
    }

    @Override
    default double reached(int steps, int first) {
        return flow().timestep(flow().ascending(steps)[first]);
    }

    /** A multistep method begins anew at the first of the last steps. */
    @Override
    default List<Step> tail(int steps, int last) {
        return table(flow().tail(steps, last));
    }

    @Override
    default float[] addNoise(float[] original, float[] noise, double timestep) {
        return flow().addNoise(original, noise, timestep);
    }

    @Override
    default int trainTimesteps() {
        return flow().trainTimesteps();
    }
}
