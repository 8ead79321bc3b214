package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each metric against its definition written out, and its interval against what repeats scatter by. */
class ComparisonTest {
    private static final int K = 3;
    private static final int REPEATS = 200;
    private static final List<float[]> X = Sketches.gaussians(60, 6, 0.2, 1, 11);
    private static final List<float[]> Y = Sketches.gaussians(80, 6, 0, 1.3, 12);

    private static ReferenceSet reference(List<float[]> rows) {
        return new ReferenceSet(Sketches.of(rows), K);
    }

    private static Comparison comparison() {
        return reference(Y).with(Sketches.of(X));
    }

    private static double dot(float[] x, float[] y) {
        return IntStream.range(0, x.length)
                .mapToDouble(d -> (double) x[d] * y[d])
                .sum();
    }

    private static double distance(float[] x, float[] y) {
        return Math.sqrt(IntStream.range(0, x.length)
                .mapToDouble(d -> ((double) x[d] - y[d]) * ((double) x[d] - y[d]))
                .sum());
    }

    private static List<float[]> without(List<float[]> rows, String name, int group) {
        return IntStream.range(0, rows.size())
                .filter(i -> Jackknife.group(Sketches.id(name + i)) != group)
                .mapToObj(rows::get)
                .toList();
    }

    @Test
    void kidIsItsDefinition() {
        double xx = 0;
        double yy = 0;
        double xy = 0;
        for (float[] a : X) {
            for (float[] b : X) {
                xx += a == b ? 0 : Math.pow(dot(a, b) / 6 + 1, 3);
            }
            for (float[] b : Y) {
                xy += Math.pow(dot(a, b) / 6 + 1, 3);
            }
        }
        for (float[] a : Y) {
            for (float[] b : Y) {
                yy += a == b ? 0 : Math.pow(dot(a, b) / 6 + 1, 3);
            }
        }
        double expected = xx / (60 * 59) + yy / (80 * 79) - 2 * xy / (60 * 80);
        assertThat(comparison().kid().value()).isCloseTo(expected, within(1e-12));
    }

    @Test
    void cmmdIsItsDefinition() {
        double sum = 0;
        List<float[]> all = new ArrayList<>(X);
        all.addAll(Y);
        for (int i = 0; i < all.size(); i++) {
            for (int j = 0; j < all.size(); j++) {
                float[] a = all.get(i);
                float[] b = all.get(j);
                double square = 0;
                for (int d = 0; d < 6; d++) {
                    square += Math.pow(a[d] / Math.sqrt(dot(a, a)) - b[d] / Math.sqrt(dot(b, b)), 2);
                }
                double weight = (i < 60 ? 1.0 / 60 : -1.0 / 80) * (j < 60 ? 1.0 / 60 : -1.0 / 80);
                sum += weight * Math.exp(-square / 200);
            }
        }
        assertThat(comparison().cmmd().value()).isCloseTo(1000 * sum, within(1e-9));
        assertThat(reference(X).with(Sketches.of(X)).cmmd().value()).isCloseTo(0, within(1e-9));
    }

    /** The distance to the k-th nearest other row. */
    private static double radius(float[] x, List<float[]> rows) {
        return rows.stream()
                .filter(row -> row != x)
                .mapToDouble(row -> distance(x, row))
                .sorted()
                .toArray()[K - 1];
    }

    private static double[] neighbours(List<float[]> x, List<float[]> y) {
        double precision = x.stream()
                .filter(a -> y.stream().anyMatch(b -> distance(a, b) < radius(b, y)))
                .count();
        double recall = y.stream()
                .filter(b -> x.stream().anyMatch(a -> distance(a, b) < radius(a, x)))
                .count();
        double density = x.stream()
                .mapToLong(a ->
                        y.stream().filter(b -> distance(a, b) < radius(b, y)).count())
                .sum();
        double coverage = y.stream()
                .filter(b -> x.stream().anyMatch(a -> distance(a, b) < radius(b, y)))
                .count();
        return new double[] {precision / x.size(), recall / y.size(), density / K / x.size(), coverage / y.size()};
    }

    @Test
    void precisionRecallDensityAndCoverageAreTheirDefinitions() {
        Neighbours found = comparison().neighbours().orElseThrow();
        assertThat(new double[] {
                    found.precision().value(),
                    found.recall().value(),
                    found.density().value(),
                    found.coverage().value()
                })
                .containsExactly(neighbours(X, Y), within(1e-12));
        assertThat(reference(Y).with(Sketches.of(X.subList(0, K))).neighbours()).isEmpty();
    }

    @Test
    void diversityIsTheMeanOverPairsOfOneSet() {
        double sum = 0;
        for (int i = 0; i < X.size(); i++) {
            for (int j = 0; j < i; j++) {
                sum += distance(X.get(i), X.get(j));
            }
        }
        PairwiseDistance pairs = PairwiseDistance.of(Sketches.of(X));
        assertThat(pairs.pairs()).isEqualTo(60 * 59 / 2);
        assertThat(pairs.estimate().value()).isCloseTo(sum / pairs.pairs(), within(1e-12));

        PairwiseDistance other = PairwiseDistance.of(Sketches.of(Y));
        double both = (sum + other.estimate().value() * other.pairs()) / (pairs.pairs() + other.pairs());
        other.merge(pairs);
        assertThat(other.estimate().value()).isCloseTo(both, within(1e-12));
    }

    /** Each jackknife's standard error against its formula over sets from which the group was taken away before. */
    @Test
    void theJackknifeIsThatOfTheMetricWithoutEachGroup() {
        String name = "x" + X.size() + " ";
        int[] sizes = Sketches.of(X).groups();
        int[] counts = new int[Jackknife.GROUPS];
        Arrays.stream(sizes).forEach(g -> counts[g]++);
        List<Function<List<float[]>, Double>> metrics = List.of(
                rows -> reference(Y).with(Sketches.of(rows)).kid().value(),
                rows -> reference(Y).with(Sketches.of(rows)).cmmd().value(),
                rows -> PairwiseDistance.of(Sketches.of(rows)).estimate().value(),
                rows -> neighbours(rows, Y)[1],
                rows -> neighbours(rows, Y)[3]);
        Comparison sets = comparison();
        Neighbours found = sets.neighbours().orElseThrow();
        List<Estimate> estimates = List.of(
                sets.kid(),
                sets.cmmd(),
                PairwiseDistance.of(Sketches.of(X)).estimate(),
                found.recall(),
                found.coverage());
        for (int metric = 0; metric < metrics.size(); metric++) {
            double[] without = new double[Jackknife.GROUPS];
            for (int g = 0; g < Jackknife.GROUPS; g++) {
                without[g] = metrics.get(metric).apply(without(X, name, g));
            }
            Estimate expected = Jackknife.estimate(estimates.get(metric).value(), without, counts);
            assertThat(estimates.get(metric).high())
                    .as("metric %d", metric)
                    .isCloseTo(metric > 2 ? Math.min(1, expected.high()) : expected.high(), within(1e-9));
        }
    }

    @ParameterizedTest
    @CsvSource({"a, b", "b, a", "a, c_few", "c_few, a"})
    void theFrechetDistanceIsTheReferenceOne(String first, String second) {
        FeatureSketch x = golden(first);
        FeatureSketch y = golden(second);
        double expected =
                FrechetDistance.between(x.statistics(), y.statistics()).value();
        assertThat(new ReferenceSet(y, K).with(x).frechet().value())
                .isCloseTo(expected, within(1e-6 + 1e-5 * expected)); // golden features are rounded to float32 here
    }

    private static FeatureSketch golden(String name) {
        return Sketches.of(Features.golden(name).stream()
                .map(row -> {
                    float[] floats = new float[row.length];
                    IntStream.range(0, row.length).forEach(d -> floats[d] = (float) row[d]);
                    return floats;
                })
                .toList());
    }

    /** Fewer images than features or more, in either set; a sample of them, or all. */
    @ParameterizedTest
    @CsvSource({"60, 80, 1000", "10, 80, 1000", "60, 10, 1000", "10, 12, 1000", "60, 80, 30", "60, 80, 5"})
    void everyWayToTheFrechetDistanceGivesTheSame(int n, int m, int capacity) {
        List<float[]> x = Sketches.gaussians(n, 20, 0.1, 1, 5);
        List<float[]> y = Sketches.gaussians(m, 20, 0, 1.5, 6);
        double expected = FrechetDistance.between(
                        Sketches.of(x).statistics(), Sketches.of(y).statistics())
                .value();
        Estimate found = new ReferenceSet(Sketches.of(y, "y", capacity), K)
                .with(Sketches.of(x, "x", capacity))
                .frechet();
        assertThat(found.value()).isCloseTo(expected, within(1e-7));
    }

    @Test
    void mergedPartsInAnyOrderGiveTheSameNumbers() {
        List<Integer> order = new ArrayList<>(IntStream.range(0, 60).boxed().toList());
        Collections.shuffle(order, new Random(3));
        FeatureSketch merged = new FeatureSketch(6, 1000);
        FeatureSketch rest = new FeatureSketch(6, 1000);
        order.forEach(i -> (i % 3 == 0 ? merged : rest).add(Sketches.id("x60 " + i), X.get(i)));
        merged.merge(rest);
        Comparison parts = reference(Y).with(merged);
        assertThat(parts.kid()).isEqualTo(comparison().kid());
        assertThat(parts.cmmd()).isEqualTo(comparison().cmmd());
        assertThat(parts.frechet()).isEqualTo(comparison().frechet());
        assertThat(parts.neighbours()).isEqualTo(comparison().neighbours());
    }

    /**
     * As many as Inception has: every metric of 1,000 images beside 3,000 real ones, whose covariance is decomposed.
     */
    @Test
    @Tag("heavy")
    void of2048FeaturesAllMetricsTakeLessThanTwoMinutesOfOneCore() {
        long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        Comparison sets = new ReferenceSet(Sketches.of(Sketches.gaussians(3000, 2048, 0, 1, 30), "y", 2000), 5)
                .with(Sketches.of(Sketches.gaussians(1000, 2048, 0.01, 1, 31), "x", 2000));
        assertThat(sets.frechet().value()).isPositive();
        assertThat(sets.kid().value()).isFinite();
        assertThat(sets.neighbours()).isPresent();
        assertThat(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start)
                .isLessThan(120_000_000_000L);
    }

    /**
     * Sets drawn again and again from one distribution: intervals hold the mean of all values about 95 times of 100.
     * 200 repeats of a share of .95 scatter by .015.
     */
    @ParameterizedTest
    @ValueSource(ints = {40, 150})
    void intervalsHoldTheExpectedValueAsOftenAsTheySay(int n) {
        ReferenceSet reference = new ReferenceSet(Sketches.of(Sketches.gaussians(300, 8, 0, 1, 20)), K);
        Map<String, List<Estimate>> found = new TreeMap<>();
        for (int seed = 0; seed < REPEATS; seed++) {
            Comparison sets = reference.with(
                    Sketches.of(Sketches.gaussians(n, 8, 0.15, 0.8, 1000 + seed), "repeat " + seed + " ", 1000));
            Neighbours neighbours = sets.neighbours().orElseThrow();
            Map.of(
                            "frechet", sets.frechet(),
                            "kid", sets.kid(),
                            "cmmd", sets.cmmd(),
                            "precision", neighbours.precision(),
                            "recall", neighbours.recall(),
                            "density", neighbours.density(),
                            "coverage", neighbours.coverage())
                    .forEach((metric, estimate) -> found.computeIfAbsent(metric, name -> new ArrayList<>())
                            .add(estimate));
        }
        found.forEach((metric, estimates) -> {
            double mean =
                    estimates.stream().mapToDouble(Estimate::value).average().orElseThrow();
            long held = estimates.stream()
                    .filter(estimate -> estimate.low() <= mean && mean <= estimate.high())
                    .count();
            assertThat((double) held / REPEATS).as(metric).isBetween(0.90, 0.995);
        });
    }
}
