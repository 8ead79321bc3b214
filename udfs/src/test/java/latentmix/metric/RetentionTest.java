package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RetentionTest {
    private static final int WIDTH = 256;

    @Test
    void everyPairOfAnInputAndAnotherImageIsCompared() {
        Random random = new Random(7);
        Retention retention = new Retention();
        double auc = 0;
        double kept = 0;
        double nearest = 0;
        int outputs = 50;
        for (int k = 0; k < outputs; k++) {
            double[] inputs = coarse(3, random); // few values, so that there are ties
            double[] weights = {1 + k % 3, 2, 0.5};
            double[] others = coarse(11, random);
            retention.add(inputs, weights, others);
            double sum = Arrays.stream(weights).sum();
            double best = Arrays.stream(inputs).max().orElseThrow();
            nearest += Arrays.stream(others).allMatch(other -> other < best) ? 1 : 0;
            for (int i = 0; i < inputs.length; i++) {
                for (double other : others) {
                    double share = weights[i] / sum / others.length;
                    auc += share * (inputs[i] > other ? 1 : inputs[i] == other ? 0.5 : 0);
                    kept += share * (inputs[i] - other);
                }
            }
        }
        assertThat(retention.count()).isEqualTo(outputs);
        assertThat(retention.auc().value()).isCloseTo(auc / outputs, within(1e-12));
        assertThat(retention.kept().value()).isCloseTo(kept / outputs, within(1e-12));
        assertThat(retention.nearest().value()).isCloseTo(nearest / outputs, within(1e-12));
        assertThat(retention.chance()).isCloseTo(3.0 / 14, within(1e-12));
    }

    @Test
    void mergedPartsAreTheWhole() {
        Random random = new Random(3);
        Retention whole = new Retention();
        Retention merged = new Retention();
        for (int part = 0; part < 4; part++) {
            Retention state = new Retention();
            for (int k = 0; k < part * 5; k++) {
                double[] inputs = coarse(2, random);
                double[] others = coarse(5, random);
                whole.add(inputs, new double[] {0.3, 0.7}, others);
                state.add(inputs, new double[] {0.3, 0.7}, others);
            }
            merged.merge(state);
        }
        assertThat(merged.count()).isEqualTo(whole.count());
        assertThat(merged.auc().value()).isCloseTo(whole.auc().value(), within(1e-12));
        assertThat(merged.auc().high()).isCloseTo(whole.auc().high(), within(1e-12));
        assertThat(merged.kept().low()).isCloseTo(whole.kept().low(), within(1e-12));
    }

    @Test
    void outputsThatKnowNothingOfTheirInputsAreAtChance() {
        Retention retention = mixtures(8, 0);
        assertThat(retention.auc().low()).isLessThan(0.5);
        assertThat(retention.auc().high()).isGreaterThan(0.5);
        assertThat(retention.kept().value()).isCloseTo(0, within(0.01));
        assertThat(retention.nearest().value()).isCloseTo(retention.chance(), within(0.1));
    }

    @Test
    void aPlainSumKeepsTheRootOfItsEffectiveCountOfEachInput() {
        for (int inputs : new int[] {1, 4, 16}) {
            Retention retention = mixtures(inputs, 1);
            assertThat(retention.kept().value()).isCloseTo(1 / Math.sqrt(inputs), within(0.03));
            assertThat(retention.auc().value()).isGreaterThan(0.98);
            assertThat(retention.nearest().value()).isEqualTo(1);
        }
    }

    @Test
    void itIsLessTheMoreNoiseIsMixedIn() {
        assertThat(mixtures(8, 1).kept().value())
                .isGreaterThan(mixtures(8, 0.5).kept().value());
        assertThat(mixtures(8, 0.5).kept().value())
                .isGreaterThan(mixtures(8, 0.1).kept().value());
    }

    @Test
    void itsIntervalHoldsTheTruthAsOftenAsItSays() {
        int held = 0;
        Random random = new Random(11);
        for (int study = 0; study < 400; study++) {
            Retention retention = new Retention();
            for (int k = 0; k < 60; k++) {
                retention.add(normal(2, random), new double[] {1, 1}, normal(9, random));
            }
            held += retention.auc().low() <= 0.5 && retention.auc().high() >= 0.5 ? 1 : 0;
        }
        assertThat(held / 400.0).isBetween(0.92, 0.98);
    }

    @Test
    void whatCannotBeComparedIsRefused() {
        Retention retention = new Retention();
        assertThatThrownBy(() -> retention.add(new double[1], new double[1], new double[0]))
                .hasMessageContaining("cannot have: 1 inputs, 1 weights, 0 others");
        assertThatThrownBy(() -> retention.add(new double[2], new double[2], new double[1]))
                .hasMessageContaining("not all 0, cannot be: [0.0, 0.0]");
        assertThat(retention.count()).isZero();
    }

    /**
     * Outputs that are a share of a plain mean of their inputs, the rest noise; the pool has a mean of its own, which
     * is centred away.
     */
    private static Retention mixtures(int inputs, double share) {
        Random random = new Random(inputs);
        double[] shared = Arrays.stream(normal(WIDTH, random)).map(x -> 5 * x).toArray();
        List<double[]> pool = Stream.generate(() -> sum(1, normal(WIDTH, random), 1, shared))
                .limit(64)
                .toList();
        Retention retention = new Retention();
        for (int k = 0; k < 100; k++) {
            int first = random.nextInt(64 - inputs + 1);
            double[] output = normal(WIDTH, random);
            output = Arrays.stream(output).map(x -> x * (1 - share)).toArray();
            for (int i = first; i < first + inputs; i++) {
                output = sum(1, output, share / Math.sqrt(inputs), sum(1, pool.get(i), -1, shared));
            }
            double[] closeness = Retention.cosines(sum(1, output, 3, shared), scaled(shared, 3), shifted(pool, shared));
            double[] weights = new double[inputs];
            Arrays.fill(weights, 1);
            int from = first;
            retention.add(
                    Arrays.copyOfRange(closeness, first, first + inputs),
                    weights,
                    IntStream.range(0, 64)
                            .filter(i -> i < from || i >= from + inputs)
                            .mapToDouble(i -> closeness[i])
                            .toArray());
        }
        return retention;
    }

    /** The pool moved by twice what it shares: cosines about a centre know nothing of where all lies. */
    private static List<double[]> shifted(List<double[]> pool, double[] shared) {
        return pool.stream().map(x -> sum(1, x, 2, shared)).toList();
    }

    private static double[] scaled(double[] x, double a) {
        return Arrays.stream(x).map(v -> a * v).toArray();
    }

    private static double[] sum(double a, double[] x, double b, double[] y) {
        return IntStream.range(0, x.length)
                .mapToDouble(i -> a * x[i] + b * y[i])
                .toArray();
    }

    private static double[] normal(int count, Random random) {
        return IntStream.range(0, count).mapToDouble(i -> random.nextGaussian()).toArray();
    }

    private static double[] coarse(int count, Random random) {
        return IntStream.range(0, count).mapToDouble(i -> random.nextInt(6)).toArray();
    }
}
