package latentmix.latent;

/**
 * Splits off the latent's mean, as a constant.
 *
 * <pre>d = mean of all C·H·W entries of z</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 5, option 2</a>
 */
public record MeanSplit() implements Split {
    @Override
    public double[] residual(Shape shape, double[] z, double[] classMean) {
        var r = new double[z.length];
        Vectors.centre(z, r, 0, z.length);
        return r;
    }

    @Override
    public String toString() {
        return "m";
    }
}
