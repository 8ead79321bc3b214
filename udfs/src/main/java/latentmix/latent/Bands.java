package latentmix.latent;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The frequency bands of one channel's DCT coefficients.
 *
 * <pre>f = u/H + v/W:   band 0: f = 0;   1: f ≤ 1/4;   2: f ≤ 5/8;   3: above</pre>
 *
 * On 8×8: u + v = 0, 1–2, 3–5, 6 and more. A small plane may have empty bands.
 */
final class Bands {
    static final int COUNT = 4;

    private static final Map<Shape, int[]> KNOWN = new ConcurrentHashMap<>();

    private Bands() {}

    /** The band of every coefficient of a plane, (H, W). */
    static int[] of(Shape shape) {
        return KNOWN.computeIfAbsent(new Shape(1, shape.height(), shape.width()), Bands::layout);
    }

    private static int[] layout(Shape plane) {
        var bands = new int[plane.size()];
        for (int p = 0; p < bands.length; p++) {
            long u = p / plane.width();
            long v = p % plane.width();
            long f = u * plane.width() + v * plane.height(); // in units of 1 / (H·W)
            bands[p] = f == 0 ? 0 : 4 * f <= plane.size() ? 1 : 8 * f <= 5L * plane.size() ? 2 : 3;
        }
        return bands;
    }
}
