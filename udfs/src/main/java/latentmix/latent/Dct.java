package latentmix.latent;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The orthonormal two-dimensional discrete cosine transform (DCT-II) of every channel; any height and width.
 *
 * <pre>X = B_H · Z · B_Wᵀ,   B_n[u][i] = √(2/n) · cos(π (2i + 1) u / 2n),   row 0 divided by √2</pre>
 *
 * B is orthogonal: norms are the same on both sides, and the inverse is B_Hᵀ · X · B_W.
 */
final class Dct {
    private static final Map<Integer, Dct> KNOWN = new ConcurrentHashMap<>();

    private final double[] basis; // (frequency, position)
    private final double[] transposed; // (position, frequency)

    private Dct(int n) {
        basis = new double[n * n];
        transposed = new double[n * n];
        for (int u = 0; u < n; u++) {
            for (int i = 0; i < n; i++) {
                double b = Math.sqrt((u == 0 ? 1.0 : 2.0) / n)
                        * Math.cos(Math.PI * ((2L * i + 1) * u % (4L * n)) / (2.0 * n));
                basis[u * n + i] = b;
                transposed[i * n + u] = b;
            }
        }
    }

    private static Dct of(int n) {
        return KNOWN.computeIfAbsent(n, Dct::new);
    }

    /** Coefficients (C, U, V) of values (C, H, W). */
    static double[] forward(Shape shape, double[] values) {
        return transform(shape, of(shape.height()).basis, values, of(shape.width()).transposed);
    }

    /** Values (C, H, W) of coefficients (C, U, V). */
    static double[] inverse(Shape shape, double[] coefficients) {
        return transform(shape, of(shape.height()).transposed, coefficients, of(shape.width()).basis);
    }

    /** left (H, H) · x[c] (H, W) · right (W, W) of every channel. */
    private static double[] transform(Shape shape, double[] left, double[] x, double[] right) {
        int h = shape.height();
        int w = shape.width();
        var half = new double[x.length];
        var whole = new double[x.length];
        for (int c = 0; c < x.length; c += h * w) {
            for (int u = 0; u < h; u++) {
                for (int i = 0; i < h; i++) {
                    addScaled(left[u * h + i], x, c + i * w, half, c + u * w, w);
                }
            }
            for (int u = 0; u < h; u++) {
                for (int j = 0; j < w; j++) {
                    addScaled(half[c + u * w + j], right, j * w, whole, c + u * w, w);
                }
            }
        }
        return whole;
    }

    private static void addScaled(double a, double[] x, int xFrom, double[] y, int yFrom, int length) {
        for (int p = 0; p < length; p++) {
            y[yFrom + p] = Math.fma(a, x[xFrom + p], y[yFrom + p]);
        }
    }
}
