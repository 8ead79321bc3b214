package latentmix.metric;

import java.io.Serializable;

/**
 * A number with its 95 % confidence interval; NaN at both ends where there are too few images for one.
 *
 * <p>An interval speaks of the images measured: where would the number lie if as many other images had been made? The
 * reference is taken as given.
 */
public record Estimate(double value, double low, double high) implements Serializable {
    /**
     * The number with the {@link Interval} of its standard error.
     *
     * @param degreesOfFreedom of the standard error; below 1 there is no interval
     */
    public static Estimate of(double value, double standardError, double degreesOfFreedom) {
        if (degreesOfFreedom < 1) {
            return new Estimate(value, Double.NaN, Double.NaN);
        }
        double half = Interval.rowQuantile(degreesOfFreedom) * standardError;
        return new Estimate(value, value - half, value + half);
    }

    /** The mean of one number an image, with s / √n as its standard error. */
    public static Estimate ofMean(GaussianStatistics values) {
        long n = values.count();
        double variance = n < 2 ? Double.NaN : values.covariance()[0];
        return of(values.mean()[0], Math.sqrt(variance / n), (double) (n - 1));
    }

    /**
     * The mean of one of several numbers an image, of which there are many: the standard error counts as known, so that
     * the interval is the normal distribution's.
     *
     * @param component which number
     */
    public static Estimate ofMany(GaussianStatistics values, int component) {
        double mean = values.mean()[component];
        if (values.count() < 2) {
            return new Estimate(mean, Double.NaN, Double.NaN);
        }
        double variance = values.covariance()[component * (values.width() + 1)];
        return of(mean, Math.sqrt(variance / values.count()), Interval.NORMAL);
    }

    /**
     * A share of images with Wilson's score interval, which is not empty where all are alike (<a
     * href="https://doi.org/10.1080/01621459.1927.10502953">Wilson 1927</a>).
     */
    public static Estimate ofShare(long hits, long n) {
        double z = Interval.quantile(Interval.NORMAL);
        double p = (double) hits / n;
        double shrink = 1 + z * z / n;
        double centre = (p + z * z / (2 * n)) / shrink;
        double half = z / shrink * Math.sqrt(p * (1 - p) / n + z * z / (4.0 * n * n));
        return new Estimate(p, Math.max(0, Math.min(p, centre - half)), Math.min(1, Math.max(p, centre + half)));
    }

    /** This estimate with an interval that is cut at the bounds of the number itself. */
    public Estimate within(double least, double most) {
        return new Estimate(value, Math.max(least, low), Math.min(most, high));
    }

    /** This estimate in another unit. */
    Estimate times(double factor) {
        return new Estimate(factor * value, factor * low, factor * high);
    }
}
