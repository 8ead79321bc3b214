package latentmix.latent;

import java.util.Arrays;

/**
 * Splits off the latent's mean, as a constant.
 *
 * <pre>d = mean of all C·H·W entries of z</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 5, option 2</a>
 */
public record MeanSplit() implements Split {
    @Override
    public double[] deterministic(Shape shape, double[] z, double[] classMean) {
        var d = new double[shape.size()];
        Arrays.fill(d, Vectors.mean(z, 0, z.length));
        return d;
    }

    @Override
    public String toString() {
        return "m";
    }
}
