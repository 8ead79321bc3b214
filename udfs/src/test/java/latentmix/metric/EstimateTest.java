package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EstimateTest {
    /** R: prop.test(x, n, correct = FALSE). */
    @ParameterizedTest
    @CsvSource({"0, 10, 0, 0.2775", "10, 10, 0.7225, 1", "45, 50, 0.7864, 0.9565", "500, 1000, 0.4691, 0.5309"})
    void aSharesIntervalIsWilsons(long hits, long n, double low, double high) {
        Estimate share = Estimate.ofShare(hits, n);
        assertThat(share.value()).isEqualTo((double) hits / n);
        assertThat(share.low()).isCloseTo(low, within(1e-4));
        assertThat(share.high()).isCloseTo(high, within(1e-4));
    }

    @Test
    void ofAMeanTheJackknifeIsTheUsualStandardError() {
        Random random = new Random(1);
        GaussianStatistics values = new GaussianStatistics(1);
        double[] sums = new double[Jackknife.GROUPS];
        int[] sizes = new int[Jackknife.GROUPS];
        double sum = 0;
        for (int i = 0; i < Jackknife.GROUPS; i++) { // one a group: the jackknife of every one in turn
            double value = random.nextGaussian();
            values.add(new double[] {value});
            sums[i] = value;
            sizes[i] = 1;
            sum += value;
        }
        double[] without = new double[Jackknife.GROUPS];
        for (int i = 0; i < without.length; i++) {
            without[i] = (sum - sums[i]) / (without.length - 1);
        }
        Estimate jackknife = Jackknife.estimate(sum / without.length, without, sizes);
        Estimate usual = Estimate.ofMean(values);
        assertThat(jackknife.low()).isCloseTo(usual.low(), within(1e-12));
        assertThat(jackknife.high()).isCloseTo(usual.high(), within(1e-12));
    }

    @Test
    void fromOneGroupOrOneImageThereIsNoInterval() {
        GaussianStatistics one = new GaussianStatistics(1);
        one.add(new double[] {3});
        assertThat(Estimate.ofMean(one)).isEqualTo(new Estimate(3, Double.NaN, Double.NaN));
        int[] sizes = new int[Jackknife.GROUPS];
        sizes[4] = 7;
        assertThat(Jackknife.estimate(2, new double[Jackknife.GROUPS], sizes).low())
                .isNaN();
    }
}
