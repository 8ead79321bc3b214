package latentmix.schedule;

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

    @Override
    default List<Step> inversion(int steps) {
        return table(flow().ascending(steps));
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
