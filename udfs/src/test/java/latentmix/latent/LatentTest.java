package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class LatentTest {
    private static final Shape SHAPE = new Shape(2, 1, 3);
    private static final Latent LATENT = new Latent(SHAPE, new double[] {1, 2, 3, -1.5, 0, 0.1});

    @Test
    void float32BytesAreLittleEndianAndReadBackAsTheRoundedValues() {
        var bytes = LATENT.toFloat32();
        assertThat(bytes).hasSize(24).startsWith(0, 0, 0x80, 0x3f); // 1.0f
        var read = Latent.ofFloat32(SHAPE, bytes);
        assertThat(read.values()).containsExactly(1, 2, 3, -1.5, 0, 0.1f);
        assertThat(Latent.ofFloats(SHAPE, LATENT.toFloats())).isEqualTo(read);
    }

    @Test
    void normAndChannelMeansAreOverTheirEntries() {
        assertThat(LATENT.norm()).isCloseTo(Math.sqrt(1 + 4 + 9 + 2.25 + 0.01), within(1e-15));
        assertThat(LATENT.channelMeans()).containsExactly(2, -1.4 / 3);
    }

    @Test
    void aLatentChecksItsSize() {
        assertThatThrownBy(() -> new Latent(SHAPE, new double[5]))
                .hasMessageContaining("6")
                .hasMessageContaining("5");
        assertThatThrownBy(() -> Latent.ofFloat32(SHAPE, new byte[23]))
                .hasMessageContaining("24")
                .hasMessageContaining("23");
    }

    @Test
    void slerpOfParallelLatentsIsLinearAndOfOppositeOnesUndefined() {
        var twice = new Latent(SHAPE, new double[] {2, 4, 6, -3, 0, 0.2});
        var minus = new Latent(SHAPE, new double[] {-1, -2, -3, 1.5, 0, -0.1});
        assertThat(slerp(twice, 0.5)).isInstanceOfSatisfying(Mixture.Mixed.class, mixed -> assertThat(mixed.norm())
                .isCloseTo(1.5 * LATENT.norm(), within(1e-12)));
        assertThat(slerp(twice, 0)).isInstanceOfSatisfying(Mixture.Mixed.class, mixed -> assertThat(mixed.latent())
                .isEqualTo(LATENT));
        assertThat(slerp(minus, 0.5)).isEqualTo(new Mixture.Undefined("no direction"));
    }

    private static Mixture slerp(Latent other, double t) {
        return new Slerp().mix(Blend.Inputs.of(List.of(LATENT, other), new double[] {1 - t, t}, ClassMean.NONE));
    }
}
