package latentmix.latent;

import java.io.Serializable;

/**
 * The spread of a latent's energy over frequencies, by the orthonormal DCT of its channels and the bands of
 * {@link PerBand}.
 *
 * <pre>energy of a band = Σ X² / number of its coefficients in all channels:   1 on average for noise N(0, I)</pre>
 *
 * @param constant f = 0, the channel means
 * @param low f ≤ 1/4
 * @param middle f ≤ 5/8
 * @param high above; a band that a small plane does not have is 0
 */
public record BandEnergies(double constant, double low, double middle, double high) implements Serializable {
    public static BandEnergies of(Latent latent) {
        var coefficients = Dct.forward(latent.shape(), latent.values());
        int[] bands = Bands.of(latent.shape());
        var energies = new double[Bands.COUNT];
        var sizes = new int[Bands.COUNT];
        for (int p = 0; p < coefficients.length; p++) {
            int band = bands[p % bands.length];
            energies[band] += coefficients[p] * coefficients[p];
            sizes[band]++;
        }
        for (int band = 0; band < energies.length; band++) {
            energies[band] /= Math.max(1, sizes[band]);
        }
        return new BandEnergies(energies[0], energies[1], energies[2], energies[3]);
    }
}
