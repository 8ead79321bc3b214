package latentmix.latent;

import java.util.stream.IntStream;

/**
 * The product of many weight vectors with a block of latents.
 *
 * <pre>C += W · Z,   C[k] = fma(w_k,i, z_i, C[k]) for i = 0, 1, … where w_k,i is not 0</pre>
 *
 * Every entry is summed in the order of its inputs by fused multiply-adds, so the bytes are the same whatever the sizes
 * of blocks and tiles, the machine, and the BLAS that is or is not installed on it. Weights of 0 cost nothing. HotSpot
 * makes vector instructions of the innermost loop: longer ones (eight inputs, two rows) are no longer unrolled and were
 * two to three times slower.
 */
final class MatrixProduct {
    /** The number of columns in a tile. Those of 64 inputs fit into a core's second-level cache. */
    private static final int COLUMNS = 512;

    private MatrixProduct() {}

    /**
     * Adds the product to c.
     *
     * @param c (K, D)
     * @param w (K, at least inputs)
     * @param z (at least inputs, D)
     */
    static void add(double[][] c, double[][] w, double[][] z, int inputs) {
        if (c.length == 0 || inputs == 0) {
            return;
        }
        var used = new int[c.length][]; // each row's inputs, without those of weight 0
        for (int k = 0; k < c.length; k++) {
            var row = w[k];
            used[k] = IntStream.range(0, inputs).filter(i -> row[i] != 0).toArray();
        }
        var columns = new double[inputs][COLUMNS];
        var sum = new double[COLUMNS];
        for (int from = 0; from < c[0].length; from += COLUMNS) {
            int length = Math.min(COLUMNS, c[0].length - from);
            for (int i = 0; i < inputs; i++) {
                System.arraycopy(z[i], from, columns[i], 0, length);
            }
            for (int k = 0; k < c.length; k++) {
                System.arraycopy(c[k], from, sum, 0, length);
                addRow(sum, w[k], columns, used[k]);
                System.arraycopy(sum, 0, c[k], from, length);
            }
        }
    }

    private static void addRow(double[] sum, double[] w, double[][] z, int[] used) {
        int i = 0;
        for (; i + 4 <= used.length; i += 4) {
            int i0 = used[i];
            int i1 = used[i + 1];
            int i2 = used[i + 2];
            int i3 = used[i + 3];
            addFour(sum, w[i0], w[i1], w[i2], w[i3], z[i0], z[i1], z[i2], z[i3]);
        }
        for (; i < used.length; i++) {
            Vectors.addScaled(w[used[i]], z[used[i]], sum);
        }
    }

    private static void addFour(
            double[] sum,
            double w0,
            double w1,
            double w2,
            double w3,
            double[] z0,
            double[] z1,
            double[] z2,
            double[] z3) {
        for (int p = 0; p < sum.length; p++) {
            sum[p] = Math.fma(w3, z3[p], Math.fma(w2, z2[p], Math.fma(w1, z1[p], Math.fma(w0, z0[p], sum[p]))));
        }
    }
}
