package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GaussianStatisticsTest {
    private static final List<double[]> ROWS = Features.golden("a");

    private static void assertSame(GaussianStatistics actual, GaussianStatistics expected) {
        assertThat(actual.count()).isEqualTo(expected.count());
        assertThat(actual.mean()).containsExactly(expected.mean(), within(1e-13));
        assertThat(actual.covariance()).containsExactly(expected.covariance(), within(1e-12));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "b"})
    void meanAndCovarianceAreTheReferenceOnes(String set) {
        GaussianStatistics statistics = Features.statistics(Features.golden(set));
        assertThat(statistics.count()).isEqualTo(200);
        assertThat(statistics.mean()).containsExactly(Features.goldenValues(set + ".mean"), within(1e-13));
        assertThat(statistics.covariance()).containsExactly(Features.goldenValues(set + ".cov"), within(1e-12));
    }

    @Test
    void theOrderOfTheVectorsDoesNotMatter() {
        List<double[]> shuffled = new ArrayList<>(ROWS);
        Collections.shuffle(shuffled, new Random(5));
        assertSame(Features.statistics(shuffled), Features.statistics(ROWS));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 77, 199, 200})
    void mergedPartsAreTheWhole(int first) {
        GaussianStatistics merged = new GaussianStatistics(16);
        ROWS.subList(0, first).forEach(merged::add);
        GaussianStatistics rest = new GaussianStatistics(16);
        ROWS.subList(first, ROWS.size()).forEach(rest::add);
        merged.merge(rest);
        assertSame(merged, Features.statistics(ROWS));
    }

    @Test
    void aMergedPartStaysAsItIs() {
        GaussianStatistics part = Features.statistics(ROWS.subList(0, 9));
        Features.statistics(ROWS).merge(part);
        assertSame(part, Features.statistics(ROWS.subList(0, 9)));
    }

    @Test
    void aMeanFarFromZeroCostsNoDigits() {
        List<double[]> far = ROWS.stream()
                .map(row -> Arrays.stream(row).map(x -> x + 1e8).toArray())
                .toList();
        double[] expected = Features.goldenValues("a.cov");
        assertThat(Features.statistics(far).covariance())
                .containsExactly(expected, within(1e-6)); // 1e8 has steps of 1.5e-8
    }

    @Test
    void float32FeaturesAreAddedAsTheyAre() {
        GaussianStatistics statistics = new GaussianStatistics(2);
        statistics.add(new float[] {0.1f, 2});
        statistics.add(new float[] {0.3f, 6});
        assertThat(statistics.mean()).containsExactly(new double[] {((double) 0.1f + 0.3f) / 2, 4}, within(1e-15));
        double half = ((double) 0.3f - 0.1f) / 2;
        assertThat(statistics.covariance())
                .containsExactly(new double[] {2 * half * half, 4 * half, 4 * half, 8}, within(1e-15));
    }

    @Test
    void itTravelsBetweenMachines() throws Exception {
        GaussianStatistics statistics = Features.statistics(ROWS);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(statistics);
        }
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertSame((GaussianStatistics) in.readObject(), statistics);
        }
    }

    @Test
    void whatIsNotDefinedIsRefusedWithTheReason() {
        GaussianStatistics statistics = new GaussianStatistics(2);
        assertThatThrownBy(statistics::mean).hasMessageContaining("at least one vector");
        statistics.add(new double[] {1, 2});
        assertThatThrownBy(statistics::covariance).hasMessageContaining("at least two vectors, there are: 1");
        assertThatThrownBy(() -> statistics.add(new double[3])).hasMessageContaining("2 features, cannot be: 3");
        assertThatThrownBy(() -> statistics.merge(new GaussianStatistics(4)))
                .hasMessageContaining("2 features, cannot be: 4");
        assertThatThrownBy(() -> statistics.add(new double[] {0, Double.NaN}))
                .hasMessageContaining("feature 1 cannot be: NaN");
        assertThat(statistics.count()).isEqualTo(1);
        assertThatThrownBy(() -> new GaussianStatistics(0)).hasMessageContaining("at least 1");
    }
}
