package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrechetDistanceTest {
    private static final List<String> ROUTES = List.of("symmetric_eigh", "sqrtm", "eigvals");

    /** 1e-8; where a covariance is singular 1e-5 of the value, since roots of rounding noise enter. */
    @ParameterizedTest
    @CsvSource({"a_vs_b, a, b, 0", "b_vs_a, b, a, 0", "a_vs_a, a, a, 0", "a_vs_c_few, a, c_few, 1e-5"})
    void allFiguresAreTheReferenceOnes(String pair, String first, String second, double relative) {
        JsonNode expected = Features.numbers().get(pair);
        FrechetDistance distance = FrechetDistance.between(
                Features.statistics(Features.golden(first)), Features.statistics(Features.golden(second)));
        for (String route : ROUTES) {
            double value = expected.get(route).doubleValue();
            assertThat(distance.value()).as(route).isCloseTo(value, within(1e-8 + relative * value));
        }
        assertThat(distance.meanTerm()).isCloseTo(expected.get("mean_term").doubleValue(), within(1e-8));
        assertThat(distance.trace1()).isCloseTo(expected.get("trace1").doubleValue(), within(1e-8));
        assertThat(distance.trace2()).isCloseTo(expected.get("trace2").doubleValue(), within(1e-8));
        double root = expected.get("trace_sqrt").doubleValue();
        assertThat(distance.traceOfRoot()).isCloseTo(root, within(1e-8 + relative * root));
        assertThat(distance.value()).isNotNegative();
    }

    @Test
    void itIsThatOfTheUnbiasedCovariancesAndNotOfThoseOverN() {
        JsonNode expected = Features.numbers().get("a_vs_b_ddof0");
        double[] mean1 = Features.goldenValues("a.mean");
        double[] mean2 = Features.goldenValues("b.mean");
        double[] cov1 = overN("a.cov");
        double[] cov2 = overN("b.cov");
        FrechetDistance distance = FrechetDistance.between(mean1, cov1, mean2, cov2);
        for (String route : ROUTES) {
            assertThat(distance.value()).isCloseTo(expected.get(route).doubleValue(), within(1e-8));
        }
        double unbiased = Features.numbers().get("a_vs_b").get("symmetric_eigh").doubleValue();
        assertThat(Math.abs(distance.value() - unbiased)).isGreaterThan(0.02);
    }

    private static double[] overN(String covariance) {
        return Arrays.stream(Features.goldenValues(covariance))
                .map(x -> x * 199 / 200)
                .toArray();
    }

    @Test
    void ofOneFeatureItIsTheSquaredDifferenceOfMeansAndOfDeviations() {
        FrechetDistance distance =
                FrechetDistance.between(new double[] {3}, new double[] {4}, new double[] {5}, new double[] {0.25});
        assertThat(distance.value()).isCloseTo(4 + 1.5 * 1.5, within(1e-14));
    }

    @Test
    void anotherBasisGivesTheSameAndARootFoundByIterationToo() {
        int width = 7;
        double[] first = covariance(width, 1);
        double[] second = covariance(width, 2);
        double[] mean = new double[width];
        double distance = FrechetDistance.between(mean, first, mean, second).value();
        double byIteration = trace(first, width)
                + trace(second, width)
                - 2 * trace(root(product(first, second, width), width), width);
        assertThat(distance).isCloseTo(byIteration, within(1e-9));

        double[] normal = gaussians(width, 3);
        double reflected = FrechetDistance.between(
                        mean, reflected(first, normal, width), mean, reflected(second, normal, width))
                .value();
        assertThat(reflected).isCloseTo(distance, within(1e-9));
    }

    @Test
    void mergedPartsInAnotherOrderGiveTheSame() {
        List<double[]> rows = Features.golden("a");
        GaussianStatistics whole = Features.statistics(rows);
        GaussianStatistics other = Features.statistics(Features.golden("b"));
        GaussianStatistics merged = Features.statistics(rows.subList(120, 200));
        merged.merge(Features.statistics(rows.subList(0, 120)));
        assertThat(FrechetDistance.between(merged, other).value())
                .isCloseTo(FrechetDistance.between(whole, other).value(), within(1e-11));
    }

    @Test
    void setsOfOtherFeaturesOrOfTooFewVectorsAreRefused() {
        GaussianStatistics few = new GaussianStatistics(16);
        few.add(new double[16]);
        GaussianStatistics other = Features.statistics(Features.golden("b"));
        assertThatThrownBy(() -> FrechetDistance.between(few, other)).hasMessageContaining("at least two vectors");
        assertThatThrownBy(() -> FrechetDistance.between(new GaussianStatistics(2), other))
                .hasMessageContaining("the same features, cannot be of: 2 and 16");
    }

    /** Inception's width: two covariances of one basis, whose distance is that of the roots of their eigenvalues. */
    @Test
    @Tag("heavy")
    void ofThe2048FeaturesItTakesLessThanAMinuteOfOneCore() {
        int width = 2048;
        double[] normal = gaussians(width, 4);
        double[] first = new double[width * width];
        double[] second = new double[width * width];
        double expected = 0;
        for (int i = 0; i < width; i++) {
            first[i * width + i] = 1 + i % 5;
            second[i * width + i] = 4.0 / (1 + i % 3);
            expected += Math.pow(Math.sqrt(first[i * width + i]) - Math.sqrt(second[i * width + i]), 2);
        }
        double[] mean = new double[width];
        FrechetDistance distance =
                FrechetDistance.between(mean, reflected(first, normal, width), mean, reflected(second, normal, width));
        assertThat(distance.value()).isCloseTo(expected, within(1e-8 * expected));
    }

    private static double[] gaussians(int size, long seed) {
        Random random = new Random(seed);
        return IntStream.range(0, size).mapToDouble(i -> random.nextGaussian()).toArray();
    }

    /** G Gᵀ, positive definite. */
    private static double[] covariance(int width, long seed) {
        double[] g = gaussians(width * width, seed);
        double[] transposed = new double[width * width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                transposed[j * width + i] = g[i * width + j];
            }
        }
        return product(g, transposed, width);
    }

    /** H A H with the reflection H = I - 2 v vᵀ / vᵀv, in O(width²). */
    private static double[] reflected(double[] matrix, double[] v, int width) {
        double square = Arrays.stream(v).map(x -> x * x).sum();
        double[] av = new double[width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                av[i] += matrix[i * width + j] * v[j];
            }
        }
        double vav = IntStream.range(0, width).mapToDouble(i -> v[i] * av[i]).sum();
        double[] out = new double[width * width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                out[i * width + j] = matrix[i * width + j]
                        - 2 / square * (v[i] * av[j] + av[i] * v[j])
                        + 4 * vav / (square * square) * v[i] * v[j];
            }
        }
        return out;
    }

    private static double trace(double[] matrix, int width) {
        return IntStream.range(0, width).mapToDouble(i -> matrix[i * width + i]).sum();
    }

    private static double[] product(double[] a, double[] b, int width) {
        double[] c = new double[width * width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                for (int k = 0; k < width; k++) {
                    c[i * width + j] += a[i * width + k] * b[k * width + j];
                }
            }
        }
        return c;
    }

    /** Denman and Beavers: y ← (y + z⁻¹) / 2, z ← (z + y⁻¹) / 2 from y = matrix, z = I; y becomes the root. */
    private static double[] root(double[] matrix, int width) {
        double[] y = matrix;
        double[] z = identity(width);
        for (int i = 0; i < 40; i++) {
            double[] next = half(y, inverse(z, width));
            z = half(z, inverse(y, width));
            y = next;
        }
        return y;
    }

    private static double[] identity(int width) {
        double[] identity = new double[width * width];
        IntStream.range(0, width).forEach(i -> identity[i * width + i] = 1);
        return identity;
    }

    private static double[] half(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> (a[i] + b[i]) / 2).toArray();
    }

    /** Gauss and Jordan, with the largest pivot of each column. */
    private static double[] inverse(double[] matrix, int width) {
        double[] a = matrix.clone();
        double[] b = identity(width);
        for (int column = 0; column < width; column++) {
            int pivot = column;
            for (int i = column; i < width; i++) {
                pivot = Math.abs(a[i * width + column]) > Math.abs(a[pivot * width + column]) ? i : pivot;
            }
            for (double[] m : List.of(a, b)) {
                for (int j = 0; j < width; j++) {
                    double kept = m[column * width + j];
                    m[column * width + j] = m[pivot * width + j];
                    m[pivot * width + j] = kept;
                }
            }
            double scale = 1 / a[column * width + column];
            for (int j = 0; j < width; j++) {
                a[column * width + j] *= scale;
                b[column * width + j] *= scale;
            }
            for (int i = 0; i < width; i++) {
                double factor = i == column ? 0 : a[i * width + column];
                for (int j = 0; j < width; j++) {
                    a[i * width + j] -= factor * a[column * width + j];
                    b[i * width + j] -= factor * b[column * width + j];
                }
            }
        }
        return b;
    }
}
