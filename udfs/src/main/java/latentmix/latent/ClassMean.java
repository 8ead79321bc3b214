package latentmix.latent;

import java.io.Serializable;

/**
 * The mean map that {@code cmm} splits off.
 *
 * @param map μ, C·H·W values, or none where a method needs none
 * @param shared share c of one input's variance that all residuals z_i - μ have in common, see {@link Lol}
 */
public record ClassMean(double[] map, double shared) implements Serializable {
    public static final ClassMean NONE = new ClassMean(new double[0], 0);

    /** The mean of a pool of M latents, the inputs among them: c = 1/M. */
    public static ClassMean ofPool(double[] map, int pool) {
        return new ClassMean(map, 1.0 / pool);
    }

    /** The mean of so many other latents, the inputs not among them: c = -1/(M - N). */
    public static ClassMean ofOthers(double[] map, int others) {
        return new ClassMean(map, -1.0 / others);
    }
}
