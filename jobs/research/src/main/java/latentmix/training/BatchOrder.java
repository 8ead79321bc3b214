package latentmix.training;

import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.simple.RandomSource;

/**
 * The rows that a step sees: a fresh permutation of all rows every epoch, which depends on the seed and the epoch
 * alone. A last, smaller batch is left out.
 */
final class BatchOrder {
    /** This factor keeps the steps of neighbouring seeds apart. */
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private final long seed;
    private final int rows;
    private final int batch;
    private long epoch = -1;
    private int[] permutation;

    /**
     * An order of some rows.
     *
     * @throws IllegalArgumentException if there are fewer rows than a batch takes
     */
    BatchOrder(long seed, int rows, int batch) {
        if (rows < batch) {
            throw new IllegalArgumentException("expected at least a batch of " + batch + " images to train on, got "
                    + rows + "; add images, or make the batch smaller");
        }
        this.seed = seed;
        this.rows = rows;
        this.batch = batch;
    }

    /** The rows of a step, from 0 on. */
    int[] rows(long step) {
        int perEpoch = rows / batch;
        if (step / perEpoch != epoch) {
            epoch = step / perEpoch;
            permutation = new PermutationSampler(random(seed, epoch), rows, rows).sample();
        }
        int from = (int) (step % perEpoch) * batch;
        return Arrays.copyOfRange(permutation, from, from + batch);
    }

    /** A source of numbers that is the seed's and the step's alone. */
    static UniformRandomProvider random(long seed, long step) {
        return RandomSource.XO_RO_SHI_RO_128_PP.create(
                seed * GOLDEN_GAMMA + step); // a state of zeros would give zeros for ever
    }
}
