package latentmix.latent;

import java.io.Serializable;

/**
 * The distance of a latent from nominal noise N(0, I), by scores whose mean and spread are known there.
 *
 * <pre>
 * norm                    ‖z‖ / √D                                                        1
 * channelMean             √(Σ_c m_c² · H·W / C), m_c a channel's mean, 1/√(H·W) its standard error   1
 * low, middle, high band  √(Σ X² / n) of the n DCT coefficients of bands 1 to 3 ({@link PerBand}), all channels   1
 * horizontal, vertical    autocorrelation at lag 1: the mean of (z_p - m_c)(z_q - m_c)
 *                         over neighbours p, q, divided by that of (z_p - m_c)²           0
 * </pre>
 *
 * The channel means' score is band 0's. A plane without a band has 1 there. Autocorrelations have 1/(H·W - 1) added,
 * which taking the mean away takes from them. {@link #nominal} tells mean and spread.
 */
public record Degeneracy(
        double norm,
        double channelMean,
        double lowBand,
        double middleBand,
        double highBand,
        double horizontal,
        double vertical)
        implements Serializable {

    /**
     * Mean and standard deviation of a score over some latents.
     *
     * @param deviation at least 0
     */
    public record Spread(double mean, double deviation) {
        /** How many standard deviations a value is above the mean; below it negative. */
        double deviations(double value) {
            return value == mean ? 0 : (value - mean) / deviation;
        }

        /** The root mean square of n standard normal numbers: √(1 - 1/2n) but for O(1/n²), and 1/√(2n). */
        static Spread ofRootMeanSquare(long n) {
            return n == 0 ? new Spread(1, 1) : new Spread(Math.sqrt(1 - 0.5 / n), Math.sqrt(0.5 / n));
        }

        /** The correlation of n pairs of independent numbers. */
        static Spread ofCorrelation(long n) {
            return new Spread(0, n == 0 ? 1 : Math.sqrt(1.0 / n));
        }
    }

    /** The scores of a latent. */
    public static Degeneracy of(Latent latent) {
        return of(latent.shape(), latent.values());
    }

    static Degeneracy of(Shape shape, double[] z) {
        var energies = new PerBand(0).norms(shape, z); // (C, bands)
        var sums = new double[Bands.COUNT];
        for (int unit = 0; unit < energies.length; unit++) {
            sums[unit % Bands.COUNT] += energies[unit] * energies[unit];
        }
        var counts = bandCounts(shape);
        var bands = new double[Bands.COUNT];
        for (int band = 0; band < bands.length; band++) {
            bands[band] = counts[band] == 0 ? 1 : Math.sqrt(sums[band] / counts[band]);
        }
        var centred = new double[z.length];
        for (int c = 0; c < shape.channels(); c++) {
            Vectors.centre(z, centred, c * shape.plane(), shape.plane());
        }
        return new Degeneracy(
                Vectors.norm(z, 0, z.length) / Math.sqrt(z.length),
                bands[0],
                bands[1],
                bands[2],
                bands[3],
                autocorrelation(shape, centred, 1, shape.width()),
                autocorrelation(shape, centred, shape.width(), shape.height()));
    }

    /** Mean and spread of every score over latents of N(0, I), in the order of {@link #values}. */
    static Spread[] nominal(Shape shape) {
        var counts = bandCounts(shape);
        return new Spread[] {
            Spread.ofRootMeanSquare(shape.size()),
            Spread.ofRootMeanSquare(counts[0]),
            Spread.ofRootMeanSquare(counts[1]),
            Spread.ofRootMeanSquare(counts[2]),
            Spread.ofRootMeanSquare(counts[3]),
            Spread.ofCorrelation((long) shape.channels() * shape.height() * (shape.width() - 1)),
            Spread.ofCorrelation((long) shape.channels() * (shape.height() - 1) * shape.width())
        };
    }

    /** The names of the scores, in the order of {@link #values}. */
    static String[] names() {
        return new String[] {"norm", "channel mean", "low band", "middle band", "high band", "horizontal", "vertical"};
    }

    double[] values() {
        return new double[] {norm, channelMean, lowBand, middleBand, highBand, horizontal, vertical};
    }

    /** The number of coefficients in each band, over all channels. */
    private static long[] bandCounts(Shape shape) {
        var counts = new long[Bands.COUNT];
        for (int band : Bands.of(shape)) {
            counts[band] += shape.channels();
        }
        return counts;
    }

    /**
     * The autocorrelation of values whose channels' means are 0.
     *
     * @param stride from an entry to its neighbour
     * @param length entries of a row or column
     */
    private static double autocorrelation(Shape shape, double[] z, int stride, int length) {
        double products = 0;
        double squares = 0;
        for (int p = 0; p < z.length; p++) {
            squares += z[p] * z[p];
            if (p % shape.plane() / stride % length < length - 1) {
                products += z[p] * z[p + stride];
            }
        }
        double pairs = (double) z.length * (length - 1) / length;
        return pairs == 0 || squares == 0 ? 0 : products / pairs / (squares / z.length) + 1.0 / (shape.plane() - 1);
    }
}
