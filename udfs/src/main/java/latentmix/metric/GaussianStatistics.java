package latentmix.metric;

import java.io.Serializable;

/**
 * Mean and covariance of any number of feature vectors as a mergeable aggregate.
 *
 * <pre>
 * one more:  δ = x - m,     m += δ / n,            S += (n - 1) / n · δ δᵀ
 * a merge:   δ = m₂ - m₁,   m += δ · n₂ / n,       S += S₂ + n₁ n₂ / n · δ δᵀ
 * cov = S / (n - 1)
 * </pre>
 *
 * (Welford; <a href="http://infolab.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf">Chan, Golub and
 * LeVeque 1979</a>.) Sums in double; deviations are summed instead of squares, so that a mean far from 0 costs no
 * digits. Not for use by several threads at once.
 */
public final class GaussianStatistics implements Serializable {
    private final double[] mean; // (D)
    private final double[][] scatter; // the lower triangle: row i has i + 1 entries
    private long count;

    /** Statistics without vectors, for vectors of this width. */
    public GaussianStatistics(int width) {
        if (width < 1) {
            throw new IllegalArgumentException("Features must be at least 1, cannot be: " + width);
        }
        mean = new double[width];
        scatter = new double[width][];
        for (int i = 0; i < width; i++) {
            scatter[i] = new double[i + 1];
        }
    }

    /** Adds one vector of features. */
    public void add(float[] features) {
        double[] values = new double[features.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = features[i];
        }
        add(values);
    }

    /** Adds one vector. */
    public void add(double[] values) {
        requireWidth(values.length);
        double[] deviation = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            if (!Double.isFinite(values[i])) {
                throw new IllegalArgumentException(
                        "Features must be finite, feature " + i + " cannot be: " + values[i]);
            }
            deviation[i] = values[i] - mean[i];
        }
        addDeviation(deviation, 1);
    }

    /** Adds the other's vectors to these; both must be of one width. */
    public void merge(GaussianStatistics other) {
        requireWidth(other.width());
        if (other.count == 0) {
            return;
        }
        double[] deviation = new double[width()];
        for (int i = 0; i < deviation.length; i++) {
            deviation[i] = other.mean[i] - mean[i];
            for (int j = 0; j <= i; j++) {
                scatter[i][j] += other.scatter[i][j];
            }
        }
        addDeviation(deviation, other.count);
    }

    /** Moves the mean towards others whose own mean deviates from it by this. */
    private void addDeviation(double[] deviation, long others) {
        double factor = (double) count * others / (count + others);
        count += others;
        for (int i = 0; i < deviation.length; i++) {
            mean[i] += deviation[i] * others / count;
            double scaled = factor * deviation[i];
            double[] row = scatter[i];
            for (int j = 0; j <= i; j++) {
                row[j] = Math.fma(scaled, deviation[j], row[j]);
            }
        }
    }

    private void requireWidth(int width) {
        if (width != width()) {
            throw new IllegalArgumentException("There must be " + width() + " features, cannot be: " + width);
        }
    }

    /** D. */
    public int width() {
        return mean.length;
    }

    /** The number of vectors. */
    public long count() {
        return count;
    }

    /** The mean, (D). */
    public double[] mean() {
        if (count == 0) {
            throw new IllegalStateException("A mean takes at least one vector, there is none");
        }
        return mean.clone();
    }

    /** The unbiased covariance, (D, D). */
    public double[] covariance() {
        if (count < 2) {
            throw new IllegalStateException("A covariance takes at least two vectors, there are: " + count);
        }
        int width = width();
        double[] covariance = new double[width * width];
        for (int i = 0; i < width; i++) {
            for (int j = 0; j <= i; j++) {
                double value = scatter[i][j] / (count - 1);
                covariance[i * width + j] = value;
                covariance[j * width + i] = value;
            }
        }
        return covariance;
    }
}
