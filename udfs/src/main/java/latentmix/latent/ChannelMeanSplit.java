package latentmix.latent;

/**
 * Splits off every channel's mean, constant in space.
 *
 * <pre>d[c] = mean over H·W of z[c]</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 5, option 3, the paper's choice</a>
 */
public record ChannelMeanSplit() implements Split {
    @Override
    public void residual(Shape shape, double[] z, double[] classMean, double[] r) {
        for (int c = 0; c < shape.channels(); c++) {
            Vectors.centre(z, r, c * shape.plane(), shape.plane());
        }
    }

    @Override
    public String toString() {
        return "chm";
    }
}
