package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IntervalTest {
    /** Quantiles by R's {@code qt(0.975, df)}. */
    @ParameterizedTest
    @CsvSource({
        "1, 12.706205",
        "2, 4.302653",
        "3, 3.182446",
        "4, 2.776445",
        "5, 2.570582",
        "10, 2.228139",
        "19, 2.093024",
        "1000000, 1.959966",
        "Infinity, 1.959964"
    })
    void quantilesAreStudents(double degreesOfFreedom, double expected) {
        assertThat(Interval.quantile(degreesOfFreedom)).isCloseTo(expected, within(1e-6));
        assertThat(Interval.rowQuantile(degreesOfFreedom)).isCloseTo(expected, within(4e-3));
    }

    @Test
    void theQuantilesOfRowsKeepTheirBytes() {
        assertThat(Interval.rowQuantile(19)).isEqualTo(2.0930237450304117);
        assertThat(Interval.rowQuantile(99)).isEqualTo(1.9842169515086827);
        assertThat(Interval.rowQuantile(Interval.NORMAL)).isEqualTo(1.96);
    }

    @Test
    void anEstimateOfManyIsThatOfTheNormalDistribution() {
        GaussianStatistics values = new GaussianStatistics(2);
        for (double x : new double[] {1, 2, 3, 4}) {
            values.add(new double[] {0, x});
        }
        Estimate estimate = Estimate.ofMany(values, 1);
        double error = Math.sqrt(5 / 3.0 / 4); // s / √n
        assertThat(estimate.value()).isEqualTo(2.5);
        assertThat(estimate.high()).isCloseTo(2.5 + 1.96 * error, within(1e-12));
        assertThat(estimate.low()).isCloseTo(2.5 - 1.96 * error, within(1e-12));
    }
}
