package latentmix.metric;

import dev.ludovic.netlib.blas.BLAS;
import dev.ludovic.netlib.blas.JavaBLAS;

/**
 * The squared Fréchet distance of two Gaussians, by which images are compared through features of them.
 *
 * <pre>d² = ‖m₁ - m₂‖² + tr Σ₁ + tr Σ₂ - 2 tr √(Σ₁ Σ₂)</pre>
 *
 * With Σ₁ = V Λ Vᵀ the eigenvalues of Σ₁ Σ₂ are those of the symmetric √Λ Vᵀ Σ₂ V √Λ, so that no root of an unsymmetric
 * matrix is needed; those that rounding makes negative count as 0, also where covariances are singular (<a
 * href="https://arxiv.org/abs/1706.08500">Heusel et al. 2017</a>). Only on Inception's features is it the FID.
 *
 * @param meanTerm ‖m₁ - m₂‖²
 * @param trace1 tr Σ₁
 * @param trace2 tr Σ₂
 * @param traceOfRoot tr √(Σ₁ Σ₂)
 */
public record FrechetDistance(double meanTerm, double trace1, double trace2, double traceOfRoot) {
    private static final BLAS JAVA = JavaBLAS.getInstance();

    /** The distance of two sets of features of one width, at least two each; covariances are the unbiased ones. */
    public static FrechetDistance between(GaussianStatistics first, GaussianStatistics second) {
        if (first.width() != second.width()) {
            throw new IllegalArgumentException("Both sets must be of the same features, cannot be of: " + first.width()
                    + " and " + second.width());
        }
        return between(first.mean(), first.covariance(), second.mean(), second.covariance());
    }

    static FrechetDistance between(double[] mean1, double[] covariance1, double[] mean2, double[] covariance2) {
        int width = mean1.length;
        double meanTerm = 0;
        for (int i = 0; i < width; i++) {
            meanTerm += (mean1[i] - mean2[i]) * (mean1[i] - mean2[i]);
        }
        return new FrechetDistance(
                meanTerm,
                trace(covariance1, width),
                trace(covariance2, width),
                traceOfRoot(covariance1, covariance2, width));
    }

    /** d², at least 0. */
    public double value() {
        return Math.max(meanTerm + trace1 + trace2 - 2 * traceOfRoot, 0);
    }

    private static double trace(double[] matrix, int width) {
        double trace = 0;
        for (int i = 0; i < width; i++) {
            trace += matrix[i * width + i];
        }
        return trace;
    }

    private static double traceOfRoot(double[] first, double[] second, int width) {
        SymmetricEigen eigen = SymmetricEigen.of(first, width);
        double[] factor = eigen.vectors(); // V √Λ, column-major as LAPACK gives it
        for (int i = 0; i < width; i++) {
            double root = Math.sqrt(Math.max(eigen.values()[i], 0));
            for (int j = 0; j < width; j++) {
                factor[i * width + j] *= root;
            }
        }
        double[] half = new double[width * width];
        double[] product = new double[width * width];
        JAVA.dgemm("N", "N", width, width, width, 1, second, width, factor, width, 0, half, width);
        JAVA.dgemm("T", "N", width, width, width, 1, factor, width, half, width, 0, product, width);
        double trace = 0;
        for (double value : SymmetricEigen.values(product, width)) {
            trace += Math.sqrt(Math.max(value, 0));
        }
        return trace;
    }
}
