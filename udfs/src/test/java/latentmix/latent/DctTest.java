package latentmix.latent;

import static latentmix.latent.Latents.difference;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DctTest {
    @ParameterizedTest
    @CsvSource({"2, 8, 8", "3, 5, 7", "1, 1, 9", "2, 12, 1", "1, 1, 1"})
    void theTransformIsItsSumOfCosinesKeepsNormsAndHasAnInverse(int channels, int height, int width) {
        var shape = new Shape(channels, height, width);
        var z = Latents.normal(shape, 1, 0.5, "dct").get(0).values();
        var x = Dct.forward(shape, z);
        assertThat(difference(x, Definition.dct(shape, z))).isLessThan(1e-13);
        assertThat(difference(Dct.inverse(shape, x), z)).isLessThan(1e-13);
        assertThat(new Latent(shape, x).norm()).isCloseTo(new Latent(shape, z).norm(), within(1e-12));
    }

    @Test
    void bandsOn8By8AreZeroThenOneAndTwoThenThreeToFiveThenTheRest() {
        int[] bands = Bands.of(new Shape(4, 8, 8));
        for (int u = 0; u < 8; u++) {
            for (int v = 0; v < 8; v++) {
                int sum = u + v;
                assertThat(bands[8 * u + v]).isEqualTo(sum == 0 ? 0 : sum <= 2 ? 1 : sum <= 5 ? 2 : 3);
            }
        }
    }

    @Test
    void emptyBandsAreSkipped() {
        var shape = new Shape(1, 2, 2); // f = 0, 1/2, 1/2, 1: nothing in band 1
        assertThat(new PerBand(1).sizes(shape)).containsExactly(0, 0, 2, 1);
        var latents = Latents.normal(shape, 3, 0, "empty bands");
        assertThat(Latents.mix(latents, Method.parse("fix/0@band"), Latents.equal(3), Recipe.Pool.ALL))
                .isInstanceOf(Mixture.Mixed.class);
    }
}
