package latentmix.latent;

/**
 * Splits off every channel's coarse pattern.
 *
 * <pre>d[c] = DCT⁻¹(DCT(z[c]) where u/H + v/W ≤ 1/4, else 0)</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 5, option 4, named but not tried there</a>
 */
public record LowPassSplit() implements Split {
    /** The first band above the low pass. */
    static final int CUTOFF = 2;

    @Override
    public void residual(Shape shape, double[] z, double[] classMean, double[] r) {
        var coefficients = Dct.forward(shape, z);
        int[] bands = Bands.of(shape);
        for (int p = 0; p < coefficients.length; p++) {
            if (bands[p % bands.length] < CUTOFF) {
                coefficients[p] = 0;
            }
        }
        System.arraycopy(Dct.inverse(shape, coefficients), 0, r, 0, r.length);
    }

    @Override
    public String toString() {
        return "lp";
    }
}
