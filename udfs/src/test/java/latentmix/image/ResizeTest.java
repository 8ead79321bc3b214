package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import latentmix.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResizeTest {
    private static final Golden GOLDEN = Golden.open("clip-vision");
    private static final double[] MEAN = {0.48145466, 0.4578275, 0.40821073};
    private static final double[] DEVIATION = {0.26862954, 0.26130258, 0.27577711};

    @ParameterizedTest
    @CsvSource({"pre_down, 70, 50, 44, 32", "pre_up, 24, 20, 38, 32"})
    void bytesArePillows(String name, int width, int height, int newWidth, int newHeight) {
        Pixels image = new Pixels(width, height, GOLDEN.uint8(name + ".image_uint8_hwc"));

        Pixels resized = Resize.to(image, newWidth, newHeight);

        assertThat(resized.rgb()).isEqualTo(GOLDEN.uint8(name + ".resized_uint8_hwc"));
    }

    @ParameterizedTest
    @CsvSource({"pre_down, 70, 50", "pre_up, 24, 20"})
    void theSquareIsThatOfClipsImageProcessor(String name, int width, int height) {
        Pixels square = Resize.square(new Pixels(width, height, GOLDEN.uint8(name + ".image_uint8_hwc")), 32);

        float[] expected = GOLDEN.floats(name + ".pixel_values");
        for (int i = 0; i < expected.length; i++) {
            int channel = i / (32 * 32);
            int value = square.rgb()[3 * (i % (32 * 32)) + channel] & 0xff;
            assertThat((value / 255.0 - MEAN[channel]) / DEVIATION[channel])
                    .isCloseTo((double) expected[i], within(1e-6));
        }
    }

    @ParameterizedTest
    @CsvSource({"37, 91, 16", "91, 37, 64", "64, 64, 64", "33, 32, 32", "500, 31, 7"})
    void theSquareIsTheMiddleOfTheWholeImageResized(int width, int height, int size) {
        Pixels image = noise(width, height);
        int shortest = Math.min(width, height);
        Pixels whole = Resize.to(image, size * width / shortest, size * height / shortest);
        int left = (whole.width() - size) / 2;
        int top = (whole.height() - size) / 2;

        Pixels square = Resize.square(image, size);

        assertThat(Resize.corner(width, height, size, size)).isEqualTo(new Resize.Corner(left, top));
        for (int y = 0; y < size; y++) {
            int from = 3 * ((top + y) * whole.width() + left);
            assertThat(Arrays.copyOfRange(square.rgb(), 3 * y * size, 3 * (y + 1) * size))
                    .isEqualTo(Arrays.copyOfRange(whole.rgb(), from, from + 3 * size));
        }
    }

    @Test
    void anImageOfTheRightSizeStaysAsItIs() {
        Pixels image = noise(28, 28);

        assertThat(Resize.square(image, 28).rgb()).isEqualTo(image.rgb());
    }

    @Test
    void aLineOfPixelsCostsNoMoreThanItsSquare() {
        Pixels line = noise(1_000_000, 1);

        assertThat(Resize.square(line, 512).width()).isEqualTo(512); // the whole would be 512 000 000 × 512
    }

    private static Pixels noise(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        new Random(3).nextBytes(rgb);
        return new Pixels(width, height, rgb);
    }
}
