package latentmix.metric;

/**
 * 1 - ⟨x, y⟩ / (‖x‖ ‖y‖), from 0 (the same direction) to 2 (the opposite one), such as of an image's features to the
 * mean of its class's.
 *
 * <p>A mean may be that of the vectors or of their {@link #unit} vectors: the two differ where lengths do.
 */
public final class CosineDistance {
    private CosineDistance() {}

    /** The distance of two vectors of one width, neither of them 0. */
    public static double between(double[] x, double[] y) {
        if (x.length != y.length) {
            throw new IllegalArgumentException(
                    "Both vectors must be of the same features, cannot be of: " + x.length + " and " + y.length);
        }
        return 1 - dot(x, y) / (norm(x) * norm(y));
    }

    /** x / ‖x‖. */
    public static double[] unit(double[] x) {
        double norm = norm(x);
        double[] unit = new double[x.length];
        for (int i = 0; i < unit.length; i++) {
            unit[i] = x[i] / norm;
        }
        return unit;
    }

    private static double norm(double[] x) {
        double norm = Math.sqrt(dot(x, x));
        if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "A vector with a direction must have a finite length over 0, cannot have: " + norm);
        }
        return norm;
    }

    private static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum = Math.fma(x[i], y[i], sum);
        }
        return sum;
    }
}
