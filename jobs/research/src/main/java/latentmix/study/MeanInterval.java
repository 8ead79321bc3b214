package latentmix.study;

import java.util.Collection;
import org.apache.commons.math3.distribution.TDistribution;

/**
 * The mean of repeats and its 95 % interval by <a
 * href="https://en.wikipedia.org/wiki/Student%27s_t-distribution">Student's t</a>: x̄ ± t₀.₉₇₅(n − 1) · s / √n.
 *
 * @param half half of the interval; NaN of a single value, which has none
 */
public record MeanInterval(double mean, double half) {
    /** Of at least one value. */
    public static MeanInterval of(Collection<Double> values) {
        int n = values.size();
        double mean = values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        if (n < 2) {
            return new MeanInterval(mean, Double.NaN);
        }
        double squares =
                values.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
        double t = new TDistribution(n - 1).inverseCumulativeProbability(0.975);
        return new MeanInterval(mean, t * Math.sqrt(squares / (n - 1) / n));
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
