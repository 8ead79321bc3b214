package latentmix.metric;

import java.util.Arrays;

/**
 * The part of a Fréchet distance that depends on the reference alone, computed once: with Σ₂ = F Fᵀ the root's trace is
 * tr √(Σ₁ Σ₂) = tr √(Fᵀ Σ₁ F).
 *
 * <p>F is (D, r): the reference's deviations over √(m - 1) where they are fewer than features, else V √Λ of its
 * covariance's eigenvectors. For the n deviations X of few images, B = X F, and Fᵀ Σ₁ F = Bᵀ B / (n - 1) has the
 * eigenvalues of the smaller B Bᵀ / (n - 1), so that 2,048 features of some hundred images take seconds.
 *
 * <p>The interval is that of the delta method: the distance is differentiable in m₁ and Σ₁ (with T = F (Fᵀ Σ₁ F)^(-1/2)
 * Fᵀ, the optimal transport's map, d tr √(Σ₁ Σ₂) = ½ tr T dΣ₁; <a
 * href="https://doi.org/10.1016/j.jmva.2016.06.005">Rippl, Munk and Sturm 2016</a>), so an image x contributes
 *
 * <pre>IF(x) = 2 ⟨m₁ - m₂, x - m₁⟩ + ‖x - m₁‖² - (x - m₁)ᵀ T (x - m₁)</pre>
 *
 * and the standard error is that of the mean of IF (the infinitesimal jackknife). Unlike a bootstrap it takes one
 * decomposition. It tells the spread, not the bias: the distance of few images is too large.
 */
final class FrechetReference {
    /** Eigenvalues below this share of the largest are rounding. */
    private static final double NEGLIGIBLE = 1e-12;

    private final double[] mean;
    private final Points factor; // the columns of F as rows, (r, D)
    private final double trace;

    FrechetReference(FeatureSketch set) {
        mean = set.mean();
        if (set.isWhole() && set.count() <= set.width()) {
            Points deviations = set.points().less(mean);
            double scale = 1 / Math.sqrt(set.count() - 1.0);
            factor = new Points(
                    Arrays.stream(deviations.values())
                            .map(value -> scale * value)
                            .toArray(),
                    deviations.count(),
                    deviations.width());
        } else {
            factor = factor(set.statistics().covariance(), set.width());
        }
        trace = Arrays.stream(factor.squares()).sum();
    }

    private static Points factor(double[] covariance, int width) {
        SymmetricEigen eigen = SymmetricEigen.of(covariance, width);
        double[] factor = eigen.vectors();
        for (int i = 0; i < width; i++) {
            double root = Math.sqrt(Math.max(eigen.values()[i], 0));
            for (int j = 0; j < width; j++) {
                factor[i * width + j] *= root;
            }
        }
        return new Points(factor, width, width);
    }

    /** The distance of a set of at least two images. */
    Estimate to(FeatureSketch set) {
        double[] center = set.mean();
        Points deviations = set.points().less(center);
        Points b = new Points(deviations.inner(factor), deviations.count(), factor.count()); // B, (n, r)
        Root root = set.isWhole() ? root(b) : Root.of(projected(set.statistics()), b);
        double[] own = deviations.squares();
        double[] shift = new double[mean.length];
        double meanTerm = 0;
        for (int d = 0; d < mean.length; d++) {
            shift[d] = center[d] - mean[d];
            meanTerm += shift[d] * shift[d];
        }
        double[] along = deviations.inner(new Points(shift, 1, shift.length));
        GaussianStatistics influence = new GaussianStatistics(1);
        double total = 0;
        for (int i = 0; i < own.length; i++) {
            influence.add(new double[] {2 * along[i] + own[i] - root.transported[i]});
            total += own[i];
        }
        double variance = set.isWhole() ? total / (set.count() - 1) : trace(set.statistics());
        double value = Math.max(0, meanTerm + variance + trace - 2 * root.trace);
        double error = Math.sqrt(influence.covariance()[0] / set.count());
        return Estimate.of(value, error, (double) (influence.count() - 1)).within(0, Double.POSITIVE_INFINITY);
    }

    /**
     * The trace tr √(Fᵀ Σ₁ F), and what each image adds to its change.
     *
     * @param transported (x - m₁)ᵀ T (x - m₁) of each image
     */
    private record Root(double trace, double[] transported) {
        /** Takes the root of Fᵀ Σ₁ F, (r, r), with the images' B, (n, r): xᵀ T x = Σₖ ⟨b, uₖ⟩² / √λₖ. */
        static Root of(double[] matrix, Points b) {
            SymmetricEigen eigen = SymmetricEigen.of(matrix, b.width());
            double[] along = b.inner(new Points(eigen.vectors(), b.width(), b.width()));
            double[] transported = new double[b.count()];
            double trace = 0;
            double least = NEGLIGIBLE * Math.max(0, eigen.values()[b.width() - 1]);
            for (int k = 0; k < b.width(); k++) {
                double value = eigen.values()[k];
                if (value > least) {
                    trace += Math.sqrt(value);
                    for (int i = 0; i < transported.length; i++) {
                        double part = along[i * b.width() + k];
                        transported[i] += part * part / Math.sqrt(value);
                    }
                }
            }
            return new Root(trace, transported);
        }
    }

    /** The root from all images' B, through the smaller of the two products. */
    private static Root root(Points b) {
        int n = b.count();
        if (n > b.width()) {
            double[] product = new double[b.width() * b.width()];
            Points.JAVA.dgemm(
                    "N",
                    "T",
                    b.width(),
                    b.width(),
                    n,
                    1.0 / (n - 1),
                    b.values(),
                    b.width(),
                    b.values(),
                    b.width(),
                    0,
                    product,
                    b.width());
            return Root.of(product, b);
        }
        SymmetricEigen eigen = SymmetricEigen.of(b.inner(b), n); // B Bᵀ = W Λ Wᵀ
        double[] transported = new double[n];
        double trace = 0;
        double least = NEGLIGIBLE * Math.max(0, eigen.values()[n - 1]);
        for (int k = 0; k < n; k++) {
            double value = eigen.values()[k] / (n - 1);
            if (eigen.values()[k] > least) {
                trace += Math.sqrt(value);
                for (int i = 0; i < n; i++) { // ⟨bᵢ, uₖ⟩ = √(n - 1) √λₖ Wᵢₖ
                    double w = eigen.vectors()[k * n + i];
                    transported[i] += (n - 1) * Math.sqrt(value) * w * w;
                }
            }
        }
        return new Root(trace, transported);
    }

    /** Fᵀ Σ₁ F. */
    private double[] projected(GaussianStatistics set) {
        Points covariance = new Points(set.covariance(), mean.length, mean.length);
        Points half = new Points(factor.inner(covariance), factor.count(), mean.length); // Fᵀ Σ₁: Σ₁ is symmetric
        return half.inner(factor);
    }

    private static double trace(GaussianStatistics set) {
        double[] covariance = set.covariance();
        double trace = 0;
        for (int i = 0; i < set.width(); i++) {
            trace += covariance[i * set.width() + i];
        }
        return trace;
    }
}
