package latentmix.latent;

import java.util.Arrays;

/**
 * Many weight vectors over a block of latents at once.
 *
 * <pre>C += W · Z,   C[k] = fma(w_k,i, z_i, C[k]) for i = 0, 1, …</pre>
 *
 * Every entry is summed in the order of its inputs by fused multiply-adds, so the bytes are the same whatever the sizes of blocks and tiles, the machine and the
 * BLAS installed on it. The inner loop is written so that HotSpot makes vector instructions of it.
 */
final class MatrixProduct {
    /** Columns worked on at a time: of 64 inputs they fit into a core's second-level cache. */
    private static final int COLUMNS = 256;

    private MatrixProduct() {}

    /**
     * Adds the product to c.
     *
     * @param c (K, D)
     * @param w (K, at least inputs)
     * @param z (at least inputs, D), finite
     */
    static void add(double[][] c, double[][] w, double[][] z, int inputs) {
        int d = c[0].length;
        int groups = (inputs + 3) / 4;
        var packed = new double[4 * groups * COLUMNS]; // (inputs, COLUMNS), padded by zeros to whole groups
        var weights = new double[c.length + c.length % 2][];
        for (int k = 0; k < weights.length; k++) {
            weights[k] = k < c.length ? Arrays.copyOf(Arrays.copyOf(w[k], inputs), 4 * groups) : new double[4 * groups];
        }
        var spare = new double[d];
        for (int from = 0; from < d; from += COLUMNS) {
            int columns = Math.min(COLUMNS, d - from);
            for (int i = 0; i < inputs; i++) {
                System.arraycopy(z[i], from, packed, i * COLUMNS, columns);
            }
            for (int k = 0; k < c.length; k += 2) {
                for (int i = 0; i < 4 * groups; i += 4) {
                    if (anyWeight(weights[k], i) || anyWeight(weights[k + 1], i)) {
                        add(
                                c[k],
                                k + 1 < c.length ? c[k + 1] : spare,
                                from,
                                columns,
                                weights[k],
                                weights[k + 1],
                                i,
                                packed);
                    }
                }
            }
        }
    }

    private static boolean anyWeight(double[] w, int i) {
        return w[i] != 0 || w[i + 1] != 0 || w[i + 2] != 0 || w[i + 3] != 0;
    }

    /** Two rows of c, four inputs. */
    private static void add(
            double[] c, double[] d, int from, int columns, double[] w, double[] v, int i, double[] packed) {
        double w0 = w[i];
        double w1 = w[i + 1];
        double w2 = w[i + 2];
        double w3 = w[i + 3];
        double v0 = v[i];
        double v1 = v[i + 1];
        double v2 = v[i + 2];
        double v3 = v[i + 3];
        int z0 = i * COLUMNS;
        int z1 = z0 + COLUMNS;
        int z2 = z1 + COLUMNS;
        int z3 = z2 + COLUMNS;
        for (int p = 0; p < columns; p++) {
            double x0 = packed[z0 + p];
            double x1 = packed[z1 + p];
            double x2 = packed[z2 + p];
            double x3 = packed[z3 + p];
            c[from + p] = Math.fma(w3, x3, Math.fma(w2, x2, Math.fma(w1, x1, Math.fma(w0, x0, c[from + p]))));
            d[from + p] = Math.fma(v3, x3, Math.fma(v2, x2, Math.fma(v1, x1, Math.fma(v0, x0, d[from + p]))));
        }
    }
}
