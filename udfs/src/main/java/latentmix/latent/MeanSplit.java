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
    public void residual(Shape shape, double[] z, double[] classMean, double[] r) {
        Vectors.centre(z, r, 0, z.length);
    }

    @Override
    public String toString() {
        return "m";
    }
}
