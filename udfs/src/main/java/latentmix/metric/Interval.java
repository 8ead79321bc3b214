package latentmix.metric;

import org.apache.commons.math3.distribution.TDistribution;

/**
 * The 95 % interval of a number with a standard error: value ± t(ν) · standard error.
 *
 * <p>t(ν) is the 97.5 % quantile of <a
 * href="https://www.itl.nist.gov/div898/handbook/eda/section3/eda3664.htm">Student's t</a> with ν degrees of freedom.
 * With {@link #NORMAL} degrees it is that of the normal distribution. Whoever makes an interval says how many degrees
 * of freedom its standard error has: n - 1 for the mean of n values.
 */
public final class Interval {
    /** Degrees of freedom without end: the normal distribution. */
    public static final double NORMAL = Double.POSITIVE_INFINITY;

    private static final double UPPER = 0.975;
    private static final double NORMAL_QUANTILE = 1.959963984540054;

    private Interval() {}

    /**
     * t(ν), as the tables of a study have it.
     *
     * @param degreesOfFreedom ν, more than 0
     */
    public static double quantile(double degreesOfFreedom) {
        return degreesOfFreedom == NORMAL
                ? NORMAL_QUANTILE
                : new TDistribution(null, degreesOfFreedom).inverseCumulativeProbability(UPPER);
    }

    /**
     * t(ν), as the rows of metrics have it since format 3, whose bytes must stay: 1.96 for the normal distribution,
     * exact for 1 and 2 degrees, else the expansion in 1/ν (<a
     * href="https://personal.math.ubc.ca/~cbm/aands/page_949.htm">Abramowitz and Stegun 26.7.5</a>). It differs from
     * {@link #quantile} by 4e-3 at 3 degrees, and by less at more.
     *
     * @param degreesOfFreedom ν, at least 1
     */
    public static double rowQuantile(double degreesOfFreedom) {
        double v = degreesOfFreedom;
        if (v == NORMAL) {
            return 1.96;
        }
        if (v == 1) {
            return 12.706204736432095;
        }
        if (v == 2) {
            return 4.302652729911275;
        }
        double z = NORMAL_QUANTILE;
        double z2 = z * z;
        double g1 = z * (z2 + 1) / 4;
        double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
        double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
        double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
        return z + (g1 + (g2 + (g3 + g4 / v) / v) / v) / v;
    }
}
