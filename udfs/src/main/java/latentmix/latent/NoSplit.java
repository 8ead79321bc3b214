package latentmix.latent;

/**
 * No split: everything is noise.
 *
 * <pre>d = 0</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 5, option 1</a>
 */
public record NoSplit() implements Split {
    @Override
    public void residual(Shape shape, double[] z, double[] classMean, double[] r) {
        System.arraycopy(z, 0, r, 0, z.length);
    }

    @Override
    public String toString() {
        return "0";
    }
}
