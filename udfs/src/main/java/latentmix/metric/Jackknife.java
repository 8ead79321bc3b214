package latentmix.metric;

import java.util.Arrays;

/**
 * The standard error of a metric by the delete-a-group jackknife.
 *
 * <p>Images fall into groups by their ids, which are hashes; the metric is computed without each group in turn. With n
 * images, m_g of them in group g, h_g = n / m_g, and θ₍g₎ the metric without group g:
 *
 * <pre>
 * θ_J = G θ - Σ (1 - m_g / n) θ₍g₎
 * se² = 1/G Σ (h_g θ - (h_g - 1) θ₍g₎ - θ_J)² / (h_g - 1)
 * </pre>
 *
 * (<a href="https://doi.org/10.1023/A:1007501303422">Busing, Meijer and van der Leeden 1999</a>.) Unlike in a
 * bootstrap, no image is there twice. Duplicates are each other's nearest neighbours and pairs at distance 0, and lower
 * a covariance's rank, so that a bootstrap shifts just the metrics compared here. Leaving out many at a time also suits
 * those that are not smooth (<a href="https://doi.org/10.1214/aos/1176347263">Shao and Wu 1989</a>).
 */
final class Jackknife {
    /** The largest number of groups G. */
    static final int GROUPS = 20;

    private Jackknife() {}

    /** The group of an image, by the last digits of its id of 32 hex digits. */
    static int group(String id) {
        return (int) (Long.parseLong(id.substring(id.length() - 12), 16) % GROUPS);
    }

    /**
     * The metric with its interval.
     *
     * @param without the metric without each group; not read where the group is empty, NaN where it is not defined
     * @param sizes images of each group
     */
    static Estimate estimate(double value, double[] without, int[] sizes) {
        int n = Arrays.stream(sizes).sum();
        int groups = (int) Arrays.stream(sizes).filter(size -> size > 0).count();
        double mean = groups * value;
        for (int g = 0; g < sizes.length; g++) {
            if (sizes[g] > 0) {
                mean -= (1 - (double) sizes[g] / n) * without[g];
            }
        }
        double variance = 0;
        for (int g = 0; g < sizes.length; g++) {
            if (sizes[g] > 0 && sizes[g] < n) {
                double h = (double) n / sizes[g];
                double pseudo = h * value - (h - 1) * without[g];
                variance += (pseudo - mean) * (pseudo - mean) / (h - 1) / groups;
            }
        }
        return Estimate.of(value, Math.sqrt(variance), groups - 1);
    }
}
