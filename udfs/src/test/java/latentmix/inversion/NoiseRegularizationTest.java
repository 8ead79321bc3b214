package latentmix.inversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;

class NoiseRegularizationTest {
    private static final int CHANNELS = 2;
    private static final int SIDE = 16;
    private static final int SIZE = CHANNELS * SIDE * SIDE;

    private static double[] normal(long seed, double scale, double mean) {
        var sampler = ZigguratSampler.NormalizedGaussian.of(rng(seed));
        return IntStream.range(0, SIZE)
                .mapToDouble(i -> mean + scale * sampler.sample())
                .toArray();
    }

    private static UniformRandomProvider rng(long seed) {
        return RandomSource.XO_SHI_RO_256_PP.create(seed);
    }

    /** The sum over patches and channels as the paper writes it. */
    private static double divergence(double[] noise, double[] reference) {
        double sum = 0;
        for (int patch = 0; patch < SIZE / 16; patch++) {
            int channel = patch / 16;
            int top = patch % 16 / 4 * 4;
            int left = patch % 4 * 4;
            double[] a = new double[16];
            double[] b = new double[16];
            for (int i = 0; i < 16; i++) {
                int at = (channel * SIDE + top + i / 4) * SIDE + left + i % 4;
                a[i] = noise[at];
                b[i] = reference[at];
            }
            double v0 = variance(a);
            double v1 = variance(b) + 1e-6;
            double apart = mean(a) - mean(b);
            sum += Math.abs(Math.log(v1 / (v0 + 1e-6)) + (v0 + apart * apart) / v1 - 1);
        }
        return sum;
    }

    /** Correlations of halved maps with the shifts that a generator gives, in the order of the implementation. */
    private static double correlation(double[] noise, long seed) {
        UniformRandomProvider random = rng(seed);
        double sum = 0;
        for (int c = 0; c < CHANNELS; c++) {
            double[] map = Arrays.copyOfRange(noise, c * SIDE * SIDE, (c + 1) * SIDE * SIDE);
            for (int side = SIDE; side >= 8; side /= 2) {
                int shift = random.nextInt(1, side / 2 + 1);
                double down = 0;
                double right = 0;
                for (int y = 0; y < side; y++) {
                    for (int x = 0; x < side; x++) {
                        down += map[y * side + x] * map[(y + shift) % side * side + x] / (side * side);
                        right += map[y * side + x] * map[y * side + (x + shift) % side] / (side * side);
                    }
                }
                sum += down * down + right * right;
                double[] half = new double[side * side / 4];
                for (int y = 0; y < side; y++) {
                    for (int x = 0; x < side; x++) {
                        half[y / 2 * (side / 2) + x / 2] += map[y * side + x] / 4;
                    }
                }
                map = half;
            }
        }
        return sum;
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static double variance(double[] values) {
        double mean = mean(values);
        return Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum() / (values.length - 1);
    }

    @Test
    void theGradientsAreThoseOfTheDivergenceAndTheCorrelation() {
        double[] noise = normal(1, 1.3, 0.2);
        double[] reference = normal(2, 1, 0);
        double[] kl = NoiseRegularization.klGradient(noise, reference, CHANNELS, SIDE, SIDE);
        double[] pair = NoiseRegularization.pairGradient(noise, CHANNELS, SIDE, SIDE, rng(3));
        for (int i = 0; i < SIZE; i += 7) {
            double[] more = noise.clone();
            double[] less = noise.clone();
            more[i] += 1e-5;
            less[i] -= 1e-5;
            assertThat(kl[i])
                    .isCloseTo((divergence(more, reference) - divergence(less, reference)) / 2e-5, within(1e-6));
            assertThat(pair[i]).isCloseTo((correlation(more, 3) - correlation(less, 3)) / 2e-5, within(1e-9));
        }
    }

    @Test
    void correlatedNoiseOfTheWrongScaleIsPulledTowardsTheReference() {
        double[] smooth = new double[SIZE];
        double[] white = normal(4, 1, 0);
        for (int i = 0; i < SIZE; i++) {
            smooth[i] = 0.5 + 0.4 * (white[i] + white[(i + 1) % SIZE]);
        }
        double[] reference = normal(5, 1, 0);

        float[] regular =
                NoiseRegularization.AUTHORS.apply(floats(smooth), floats(reference), CHANNELS, SIDE, SIDE, rng(6));

        double[] after = IntStream.range(0, SIZE).mapToDouble(i -> regular[i]).toArray();
        assertThat(divergence(after, reference)).isLessThan(0.8 * divergence(smooth, reference));
        assertThat(correlation(after, 7)).isLessThan(correlation(smooth, 7));
    }

    private static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }
}
