package latentmix.metric;

import java.io.Serializable;

/**
 * A number with its 95 % confidence interval; NaN at both ends where there are too few images for one.
 *
 * <p>An interval speaks of the images measured: where would the number be had as many others been made? The reference
 * is taken as given.
 */
public record Estimate(double value, double low, double high) implements Serializable {
    /** The 97.5 % quantile of the normal distribution. */
    private static final double Z = 1.959963984540054;

    /** Value ± t · standard error, with Student's t of these degrees of freedom; at least 1. */
    public static Estimate of(double value, double standardError, long degreesOfFreedom) {
        if (degreesOfFreedom < 1) {
            return new Estimate(value, Double.NaN, Double.NaN);
        }
        double half = student(degreesOfFreedom) * standardError;
        return new Estimate(value, value - half, value + half);
    }

    /** The mean of one number an image, with s / √n as its standard error. */
    public static Estimate ofMean(GaussianStatistics values) {
        long n = values.count();
        double variance = n < 2 ? Double.NaN : values.covariance()[0];
        return of(values.mean()[0], Math.sqrt(variance / n), n - 1);
    }

    /**
     * A share of images with Wilson's score interval, which is not empty where all are alike (<a
     * href="https://doi.org/10.1080/01621459.1927.10502953">Wilson 1927</a>).
     */
    public static Estimate ofShare(long hits, long n) {
        double p = (double) hits / n;
        double shrink = 1 + Z * Z / n;
        double centre = (p + Z * Z / (2 * n)) / shrink;
        double half = Z / shrink * Math.sqrt(p * (1 - p) / n + Z * Z / (4.0 * n * n));
        return new Estimate(p, Math.max(0, Math.min(p, centre - half)), Math.min(1, Math.max(p, centre + half)));
    }

    /** The same, held within bounds that the number itself has. */
    public Estimate within(double least, double most) {
        return new Estimate(value, Math.max(least, low), Math.min(most, high));
    }

    /** The same number in another unit. */
    Estimate times(double factor) {
        return new Estimate(factor * value, factor * low, factor * high);
    }

    /**
     * The 97.5 % quantile of Student's t: exact for 1 and 2 degrees of freedom, else the expansion in 1/ν, 4e-3 off at
     * 3 and ever less from there on (<a href="https://personal.math.ubc.ca/~cbm/aands/page_949.htm">Abramowitz and
     * Stegun 26.7.5</a>).
     */
    static double student(long degreesOfFreedom) {
        double v = degreesOfFreedom;
        if (v == 1) {
            return 12.706204736432095;
        }
        if (v == 2) {
            return 4.302652729911275;
        }
        double z2 = Z * Z;
        double g1 = Z * (z2 + 1) / 4;
        double g2 = Z * ((5 * z2 + 16) * z2 + 3) / 96;
        double g3 = Z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
        double g4 = Z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
        return Z + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v;
    }
}
