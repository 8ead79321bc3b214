package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class BandPatternTest {
    private static final Shape SHAPE = new Shape(3, 8, 6);
    private static final double[] MAP =
            Latents.normal(SHAPE, 1, -0.2, "map").get(0).values();

    @Test
    void aChannelsCoordinateIsItsMeanInStandardErrorsAlongTheMaps() {
        var z = Latents.normal(SHAPE, 1, 0.4, "z").get(0);
        for (int channel = 0; channel < 3; channel++) {
            double mapMean = Vectors.mean(MAP, channel * 48, 48);
            assertThat(BandPattern.channel(SHAPE, MAP, channel).coordinate(z.values()))
                    .isCloseTo(Math.sqrt(48) * z.channelMeans()[channel] * Math.signum(mapMean), within(1e-12));
        }
    }

    @Test
    void patternsAreUnitVectorsThatHaveNothingInCommon() {
        var patterns = List.of(
                BandPattern.channel(SHAPE, MAP, 0),
                BandPattern.channel(SHAPE, MAP, 1),
                BandPattern.low(SHAPE, MAP),
                BandPattern.high(SHAPE, MAP));
        for (int i = 0; i < patterns.size(); i++) {
            assertThat(patterns.get(i).coordinate(MAP)).isPositive();
            for (int j = 0; j < patterns.size(); j++) {
                assertThat(patterns.get(i).coordinate(patterns.get(j).unit())).isCloseTo(i == j ? 1 : 0, within(1e-12));
            }
        }
    }

    @Test
    void aMapWithNothingThereGivesNoPattern() {
        assertThat(BandPattern.high(SHAPE, new double[SHAPE.size()]).unit()).containsOnly(0);
    }
}
