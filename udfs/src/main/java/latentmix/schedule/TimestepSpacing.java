package latentmix.schedule;

import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * The choice of N of the T trained timesteps, named as diffusers' {@code timestep_spacing}.
 *
 * @see <a href="https://arxiv.org/abs/2305.08891">Lin et al., Common Diffusion Noise Schedules are Flawed, Table 2</a>
 */
public enum TimestepSpacing {
    /** The timesteps i·(T div N) + offset. They start at the offset and never reach the noisiest steps. */
    LEADING {
        @Override
        IntUnaryOperator ascending(int steps, int trainTimesteps, int offset) {
            int stride = trainTimesteps / steps;
            return i -> i * stride + offset;
        }
    },

    /**
     * The timesteps round(T − i·T/N) − 1, counted from the noisy end. They always start at the last trained timestep.
     */
    TRAILING {
        @Override
        IntUnaryOperator ascending(int steps, int trainTimesteps, int offset) {
            // The difference as numpy's arange forms it: it decides which way halves fall.
            double stride = trainTimesteps - (trainTimesteps - (double) trainTimesteps / steps);
            return i -> (int) Math.rint(trainTimesteps - (steps - 1 - i) * stride) - 1;
        }
    },

    /** The timesteps round(i·(T−1)/(N−1)), which reach both ends. */
    LINSPACE {
        @Override
        IntUnaryOperator ascending(int steps, int trainTimesteps, int offset) {
            double stride = (trainTimesteps - 1.0) / Math.max(1, steps - 1);
            return i -> (int) Math.rint(i * stride);
        }
    };

    /** The i-th smallest timestep, i from 0 to steps − 1; halves round to even, only leading has an offset. */
    abstract IntUnaryOperator ascending(int steps, int trainTimesteps, int offset);

    /**
     * The timesteps in ascending order for a solver whose last step leads to a noiseless sample: of one more than there
     * are steps, the lowest gives way to it where it lies at the low end.
     */
    int[] timestepsAboveNoiseless(int steps, int trainTimesteps, int offset) {
        return this == TRAILING
                ? timesteps(steps, trainTimesteps, offset)
                : Arrays.copyOfRange(timesteps(steps + 1, trainTimesteps, offset), 1, steps + 1);
    }

    /** The timesteps in ascending order. */
    int[] timesteps(int steps, int trainTimesteps, int offset) {
        return IntStream.range(0, steps)
                .map(ascending(steps, trainTimesteps, offset))
                .toArray();
    }
}
