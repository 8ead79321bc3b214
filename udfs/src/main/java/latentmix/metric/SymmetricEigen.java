package latentmix.metric;

import dev.ludovic.netlib.lapack.JavaLAPACK;
import dev.ludovic.netlib.lapack.LAPACK;
import org.netlib.util.intW;

/**
 * The eigendecomposition A = V diag(λ) Vᵀ of a symmetric matrix.
 *
 * <p>LAPACK's divide and conquer, <a
 * href="https://www.netlib.org/lapack/explore-html/d8/d1c/group__heevd.html">dsyevd</a>, always that in Java: figures
 * are the same on every machine, whatever is installed on it.
 *
 * @param values λ, ascending
 * @param vectors (D, D), an eigenvector a row; empty where only the values were asked for
 */
record SymmetricEigen(double[] values, double[] vectors) {
    private static final LAPACK JAVA = JavaLAPACK.getInstance();

    static {
        // LAPACK in Java works out the machine's constants in its first call, in static fields without a lock: threads
        // whose first calls meet read zeros there, and their iterations fail or never end. One thread initialises a
        // class.
        JAVA.dlamch("E");
    }

    /** All eigenvalues and eigenvectors of a (D, D) matrix. */
    static SymmetricEigen of(double[] matrix, int width) {
        double[] vectors = matrix.clone();
        return new SymmetricEigen(
                decompose("V", vectors, width, 1 + 6 * width + 2 * width * width, 3 + 5 * width), vectors);
    }

    /** All eigenvalues of a (D, D) matrix, ascending. */
    static double[] values(double[] matrix, int width) {
        return decompose("N", matrix.clone(), width, 1 + 2 * width, 1);
    }

    private static double[] decompose(String job, double[] matrix, int width, int work, int integers) {
        double[] values = new double[width];
        intW info = new intW(0);
        JAVA.dsyevd(job, "L", width, matrix, width, values, new double[work], work, new int[integers], integers, info);
        if (info.val != 0) {
            throw new ArithmeticException("The eigenvalues of a " + width + " × " + width
                    + " matrix did not converge (dsyevd's info is " + info.val + "); its entries must be finite");
        }
        return values;
    }
}
