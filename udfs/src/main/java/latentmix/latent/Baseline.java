package latentmix.latent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The scores of a class's own inverted latents, beside those of nominal noise. A mixture's scores are judged by both.
 *
 * <pre>
 * gain  ⟨z, μ⟩ / ‖μ‖²          how many times the class's mean map μ shows in z: 1 in the pool's mean, 0 in noise
 * z     of a score s: 0 between the pool's mean and the nominal one;
 *       outside of both, in the standard deviations of the nearer
 * </pre>
 *
 * Inverted latents are not nominal: those of one class share a bias, and a mixture that looks like one of them is none
 * the worse for it. So a score counts only where it is far from both, to the same side. A pool's deviation counts for
 * no less than the nominal one.
 */
public final class Baseline {
    /** The name of the gain among the scores. */
    static final String GAIN = "class mean";

    private final double[] classMean; // μ, C·H·W
    private final Degeneracy.Spread[] pool;
    private final Degeneracy.Spread[] nominal;

    private Baseline(double[] classMean, Degeneracy.Spread[] pool, Degeneracy.Spread[] nominal) {
        this.classMean = classMean;
        this.pool = pool;
        this.nominal = nominal;
    }

    /**
     * A score of one latent.
     *
     * @param deviations how far it is from what is usual, 0 or more
     */
    public record Finding(
            String score, double value, double deviations, Degeneracy.Spread pool, Degeneracy.Spread nominal) {
        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%s is %.3g, by %.1f deviations beyond the class's own latents' %.3g ± %.2g and"
                            + " noise's %.3g ± %.2g",
                    score,
                    value,
                    deviations,
                    pool.mean(),
                    pool.deviation(),
                    nominal.mean(),
                    nominal.deviation());
        }
    }

    /** The mean map of a pool, C·H·W values; one pass. */
    public static double[] mean(LatentPool pool) {
        var total = new double[pool.shape().size()];
        pool.forEach((index, z) -> Vectors.addScaled(1, z, total));
        return Vectors.quotient(total, pool.size());
    }

    /**
     * The baseline of a pool; one pass.
     *
     * @param classMean its mean map
     */
    public static Baseline of(LatentPool pool, double[] classMean) {
        var nominal = nominal(pool.shape(), classMean);
        var baseline = new Baseline(classMean, new Degeneracy.Spread[0], nominal);
        var means = new double[nominal.length];
        var scatter = new double[nominal.length]; // Welford's: Σ (s - mean)²
        pool.forEach((index, z) -> {
            var values = baseline.values(pool.shape(), z);
            for (int s = 0; s < values.length; s++) {
                double deviation = values[s] - means[s];
                means[s] += deviation / (index + 1);
                scatter[s] += deviation * (values[s] - means[s]);
            }
        });
        var spreads = new Degeneracy.Spread[nominal.length];
        for (int s = 0; s < spreads.length; s++) {
            double deviation = pool.size() < 2 ? 0 : Math.sqrt(scatter[s] / (pool.size() - 1));
            spreads[s] = new Degeneracy.Spread(means[s], Math.max(deviation, nominal[s].deviation()));
        }
        return new Baseline(classMean, spreads, nominal);
    }

    /** ⟨z, μ⟩ / ‖μ‖²; 0 where there is no mean to show. */
    public static double gain(double[] classMean, double[] z) {
        double square = Vectors.dot(classMean, 0, classMean, 0, classMean.length);
        return square == 0 ? 0 : Vectors.dot(classMean, 0, z, 0, z.length) / square;
    }

    /** Every score of a latent. */
    public List<Finding> findings(Latent latent) {
        var names = Degeneracy.names();
        var values = values(latent.shape(), latent.values());
        var findings = new ArrayList<Finding>();
        for (int s = 0; s < values.length; s++) {
            double own = pool[s].deviations(values[s]);
            double noise = nominal[s].deviations(values[s]);
            double deviations = own * noise <= 0 ? 0 : Math.min(Math.abs(own), Math.abs(noise));
            findings.add(new Finding(s < names.length ? names[s] : GAIN, values[s], deviations, pool[s], nominal[s]));
        }
        return findings;
    }

    /** The score of a latent that is furthest from what is usual. */
    public Finding worst(Latent latent) {
        var findings = findings(latent);
        var worst = findings.get(0);
        for (var finding : findings) {
            worst = finding.deviations() > worst.deviations() ? finding : worst;
        }
        return worst;
    }

    private static Degeneracy.Spread[] nominal(Shape shape, double[] classMean) {
        var scores = Degeneracy.nominal(shape);
        var nominal = Arrays.copyOf(scores, scores.length + 1);
        double norm = Vectors.norm(classMean, 0, classMean.length);
        nominal[scores.length] = new Degeneracy.Spread(0, norm == 0 ? 1 : 1 / norm);
        return nominal;
    }

    private double[] values(Shape shape, double[] z) {
        var scores = Degeneracy.of(shape, z).values();
        var values = Arrays.copyOf(scores, scores.length + 1);
        values[scores.length] = gain(classMean, z);
        return values;
    }
}
