package latentmix.study;

import java.util.Arrays;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;

/**
 * A mean and the interval that holds the true one with a probability of 95 %, by Student's t.
 *
 * <pre>x̄ ± t(0.975, n - 1) · s / √n</pre>
 *
 * @param values n, how many were seen; of one value the interval is the value itself
 */
record SampleMean(double mean, double low, double high, int values) {
    private static final double UPPER = 0.975;

    /** Of at least one value. */
    static SampleMean of(double... values) {
        if (values.length == 0) {
            throw new IllegalArgumentException("A mean must be of at least one value");
        }
        var statistics = new SummaryStatistics();
        Arrays.stream(values).forEach(statistics::addValue);
        double mean = statistics.getMean();
        if (values.length == 1) {
            return new SampleMean(mean, mean, mean, 1);
        }
        double half = new TDistribution(null, values.length - 1).inverseCumulativeProbability(UPPER)
                * statistics.getStandardDeviation()
                / Math.sqrt(values.length);
        return new SampleMean(mean, mean - half, mean + half, values.length);
    }
}
