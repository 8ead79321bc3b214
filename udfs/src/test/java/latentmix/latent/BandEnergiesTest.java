package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BandEnergiesTest {
    private static final Shape SHAPE = new Shape(4, 8, 8);

    @Test
    void noiseHasUnitEnergyInEveryBand() {
        double[] sums = new double[4];
        for (var latent : Latents.normal(SHAPE, 400, 0, "band energies")) {
            var energies = BandEnergies.of(latent);
            sums[0] += energies.constant() / 400;
            sums[1] += energies.low() / 400;
            sums[2] += energies.middle() / 400;
            sums[3] += energies.high() / 400;
        }
        for (double mean : sums) {
            assertThat(mean).isCloseTo(1, within(0.12)); // √(2 / 1600) = 0.035 in the smallest band
        }
    }

    @Test
    void theEnergiesOfAllCoefficientsAreTheSquaredNorm() {
        var latent = Latents.normal(SHAPE, 1, 0.3, "parseval").get(0);
        var energies = BandEnergies.of(latent);
        // on 8×8: 1, 5, 15 and 43 coefficients a channel
        double sum = 4 * (energies.constant() + 5 * energies.low() + 15 * energies.middle() + 43 * energies.high());
        assertThat(sum).isCloseTo(latent.norm() * latent.norm(), within(1e-9));
    }

    @Test
    void aConstantIsInTheFirstBandAndACheckerboardInTheLast() {
        var constant = IntStream.range(0, SHAPE.size()).mapToDouble(p -> 0.5).toArray();
        assertThat(BandEnergies.of(new Latent(SHAPE, constant)).constant()).isCloseTo(64 * 0.25, within(1e-9));
        var checkerboard = IntStream.range(0, SHAPE.size())
                .mapToDouble(p -> (p % 8 + p / 8) % 2 == 0 ? 1 : -1)
                .toArray();
        var energies = BandEnergies.of(new Latent(SHAPE, checkerboard));
        assertThat(energies.low()).isLessThan(0.2);
        assertThat(energies.high()).isGreaterThan(1);
    }
}
