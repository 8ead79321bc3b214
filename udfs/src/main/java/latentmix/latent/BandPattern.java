package latentmix.latent;

import java.util.Arrays;
import java.util.function.IntPredicate;

/**
 * A direction in the latent space that a bias may have: one channel's mean, or what a map has in a band of frequencies.
 *
 * @param name such as {@code channel 0} or {@code low frequencies}
 * @param unit p, C·H·W values of norm 1; all 0 where the map has nothing there
 */
public record BandPattern(String name, double[] unit) {
    /** A channel's mean, with the sign that the map's has: coordinates are √(H·W) times a channel mean. */
    public static BandPattern channel(Shape shape, double[] map, int channel) {
        return of("channel " + channel, shape, map, p -> p / shape.plane() == channel && band(shape, p) == 0);
    }

    /** The map's part in the frequencies 0 < f ≤ 1/4 of all channels. */
    public static BandPattern low(Shape shape, double[] map) {
        return of("low frequencies", shape, map, p -> band(shape, p) == 1);
    }

    /** The map's part in the frequencies above 5/8 of all channels. */
    public static BandPattern high(Shape shape, double[] map) {
        return of("high frequencies", shape, map, p -> band(shape, p) == 3);
    }

    /** ⟨z, p⟩: of noise N(0, I) it is N(0, 1). */
    public double coordinate(double[] z) {
        return Vectors.dot(z, 0, unit, 0, unit.length);
    }

    private static BandPattern of(String name, Shape shape, double[] map, IntPredicate kept) {
        var coefficients = Dct.forward(shape, map);
        for (int p = 0; p < coefficients.length; p++) {
            coefficients[p] = kept.test(p) ? coefficients[p] : 0;
        }
        var part = Dct.inverse(shape, coefficients);
        double norm = Vectors.norm(part, 0, part.length);
        return new BandPattern(
                name, Arrays.stream(part).map(x -> norm == 0 ? 0 : x / norm).toArray());
    }

    private static int band(Shape shape, int p) {
        return Bands.of(shape)[p % shape.plane()];
    }
}
