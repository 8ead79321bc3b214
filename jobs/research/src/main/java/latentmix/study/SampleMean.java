package latentmix.study;

import java.util.Arrays;
import latentmix.metric.Interval;
import org.apache.commons.math3.stat.descriptive.SummaryStatistics;

/**
 * The mean of a sample and its {@link Interval} with n - 1 degrees of freedom: x̄ ± t(n - 1) · s / √n.
 *
 * @param values n, how many were seen; of one value the interval is the value itself
 */
record SampleMean(double mean, double low, double high, int values) {
    /** The mean of at least one value. */
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
        double half =
                Interval.quantile(values.length - 1) * statistics.getStandardDeviation() / Math.sqrt(values.length);
        return new SampleMean(mean, mean - half, mean + half, values.length);
    }
}
