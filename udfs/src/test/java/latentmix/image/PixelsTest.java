package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import latentmix.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PixelsTest {
    private static final Golden GOLDEN = Golden.open("e2e-sd15");

    @Test
    void whatAnAutoencoderIsGivenIsWhatThePipelineGivesIt() {
        Pixels image = new Pixels(128, 128, GOLDEN.uint8("inv.image_u8"));

        assertThat(image.toChw()).isEqualTo(GOLDEN.floats("inv.image"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gen.g1", "gen.g7.5"})
    void decodedValuesBecomeThePipelinesBytes(String name) {
        Pixels image = Pixels.ofChw(GOLDEN.floats(name + ".decoded"), 0, 128, 128);

        assertThat(image.rgb()).isEqualTo(GOLDEN.uint8(name + ".image_u8"));
    }

    @Test
    void everyByteComesBack() {
        byte[] bytes = new byte[768];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }

        assertThat(Pixels.ofChw(new Pixels(16, 16, bytes).toChw(), 0, 16, 16).rgb())
                .isEqualTo(bytes);
    }

    @Test
    void aMirrorImageHasItsColumnsInTheOtherOrder() {
        Pixels image = new Pixels(2, 2, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
        assertThat(image.mirrored().rgb()).containsExactly(4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9);
    }

    @Test
    void valuesOutsideTheRangeAreClampedAndNanIsRefused() {
        assertThat(Pixels.ofChw(new float[] {9, -7, 2, Float.POSITIVE_INFINITY}, 1, 1, 1)
                        .rgb())
                .containsExactly(0, 255, 255);
        assertThatThrownBy(() -> Pixels.ofChw(new float[] {0, Float.NaN, 0}, 0, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("channel 1 at (0, 0) is NaN");
    }

    @Test
    void bytesMustFitTheSize() {
        assertThatThrownBy(() -> new Pixels(2, 2, new byte[11])).hasMessageContaining("take 12 bytes, there are 11");
        assertThatThrownBy(() -> new Pixels(0, 2, new byte[0])).hasMessageContaining("at least 1×1");
    }
}
