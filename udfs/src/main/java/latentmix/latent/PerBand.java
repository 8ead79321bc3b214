package latentmix.latent;

/**
 * The norm is restored in every frequency band of every channel, on orthonormal DCT coefficients; lower bands are
 * interpolated linearly.
 *
 * <pre>C·4 units (channel, band) of D = n_band, none below the lowest</pre>
 *
 * @param lowest the lowest band that is a unit: 1 (band 0 is one coefficient, the channel's mean), or 2 after a
 *     low-pass split, which leaves nothing of band 1
 */
public record PerBand(int lowest) implements Scope {
    @Override
    public int[] sizes(Shape shape) {
        var sizes = new int[shape.channels() * Bands.COUNT];
        int[] bands = Bands.of(shape);
        for (int p = 0; p < shape.size(); p++) {
            int band = bands[p % bands.length];
            sizes[p / bands.length * Bands.COUNT + band] += band < lowest ? 0 : 1;
        }
        return sizes;
    }

    @Override
    public double[] norms(Shape shape, double[] r) {
        var norms = new double[shape.channels() * Bands.COUNT];
        var coefficients = Dct.forward(shape, r);
        int[] bands = Bands.of(shape);
        for (int p = 0; p < r.length; p++) {
            norms[p / bands.length * Bands.COUNT + bands[p % bands.length]] += coefficients[p] * coefficients[p];
        }
        for (int unit = 0; unit < norms.length; unit++) {
            norms[unit] = Math.sqrt(norms[unit]);
        }
        return norms;
    }

    @Override
    public void addScaled(Shape shape, double[] r, double[] factors, double[] z) {
        var coefficients = Dct.forward(shape, r);
        int[] bands = Bands.of(shape);
        for (int p = 0; p < r.length; p++) {
            coefficients[p] *= factors[p / bands.length * Bands.COUNT + bands[p % bands.length]];
        }
        Vectors.addScaled(1, Dct.inverse(shape, coefficients), z);
    }

    @Override
    public String toString() {
        return "@band";
    }
}
