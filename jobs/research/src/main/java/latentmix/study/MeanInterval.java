package latentmix.study;

import java.util.Collection;
import latentmix.metric.Interval;

/**
 * The mean of n repeats and its {@link Interval} with n - 1 degrees of freedom: x̄ ± t(n - 1) · s / √n.
 *
 * @param half half of the interval; NaN of a single value, which has none
 */
public record MeanInterval(double mean, double half) {
    /** The mean of at least one value. */
    public static MeanInterval of(Collection<Double> values) {
        int n = values.size();
        double mean = values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        if (n < 2) {
            return new MeanInterval(mean, Double.NaN);
        }
        double squares =
                values.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
        return new MeanInterval(mean, Interval.quantile(n - 1) * Math.sqrt(squares / (n - 1) / n));
    }

    double low() {
        return mean - half;
    }

    double high() {
        return mean + half;
    }

    boolean known() {
        return !Double.isNaN(half);
    }
}
