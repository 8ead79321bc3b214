package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import latentmix.image.Pixels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CorruptionTest {
    private static final int SIZE = 32;

    /** A bright square with a sharp edge on a ramp of colours. */
    private static Pixels image() {
        byte[] rgb = new byte[3 * SIZE * SIZE];
        for (int p = 0; p < SIZE * SIZE; p++) {
            int x = p % SIZE;
            int y = p / SIZE;
            boolean square = x > 9 && x < 22 && y > 9 && y < 22;
            rgb[3 * p] = (byte) (square ? 250 : 4 * x);
            rgb[3 * p + 1] = (byte) (square ? 230 : 4 * y);
            rgb[3 * p + 2] = (byte) (square ? 20 : 60);
        }
        return new Pixels(SIZE, SIZE, rgb);
    }

    /** The mean difference, in levels of a byte. */
    private static double difference(Pixels some, Pixels others) {
        double sum = 0;
        for (int i = 0; i < some.rgb().length; i++) {
            sum += Math.abs((some.rgb()[i] & 0xff) - (others.rgb()[i] & 0xff));
        }
        return sum / some.rgb().length;
    }

    @ParameterizedTest
    @EnumSource
    void spoilsMoreWithSeverityTheSameWayEachTime(Corruption corruption) {
        List<Double> differences = new ArrayList<>();
        for (int severity = 1; severity <= 5; severity++) {
            Pixels spoilt = corruption.apply(image(), severity);
            assertThat(spoilt.rgb())
                    .isEqualTo(corruption.apply(image(), severity).rgb());
            assertThat(spoilt.width()).isEqualTo(SIZE);
            differences.add(difference(image(), spoilt));
        }
        assertThat(differences.get(0)).isPositive().isLessThan(differences.get(4));
        assertThat(differences.get(4)).isLessThan(60);
    }

    /** Standard deviations of noise and shares of contrast are what they say. */
    @Test
    void strengthsAreThoseOfThePaper() {
        byte[] grey = new byte[3 * SIZE * SIZE];
        java.util.Arrays.fill(grey, (byte) 128);
        Pixels noisy = Corruption.GAUSSIAN_NOISE.apply(new Pixels(SIZE, SIZE, grey), 5);
        double squares = 0;
        for (byte level : noisy.rgb()) {
            squares += Math.pow((level & 0xff) - 128, 2) / grey.length;
        }
        assertThat(Math.sqrt(squares)).isBetween(0.095 * 255, 0.105 * 255);
        byte[] halves = new byte[3 * SIZE * SIZE];
        java.util.Arrays.fill(halves, halves.length / 2, halves.length, (byte) 200);
        byte[] flat =
                Corruption.CONTRAST.apply(new Pixels(SIZE, SIZE, halves), 2).rgb();
        assertThat((flat[flat.length - 1] & 0xff) - (flat[0] & 0xff)).isBetween(99, 101);
    }

    @Test
    void everyImageIsSeenUnderEachWithItsOwnLabel() {
        LabelledImages images = new LabelledImages.Builder(SIZE)
                .add(image(), 1)
                .add(image().mirrored(), 2)
                .build();
        LabelledImages spoilt = images.corrupted(List.of(Corruption.CONTRAST, Corruption.GAUSSIAN_BLUR), 3);
        assertThat(spoilt.count()).isEqualTo(4);
        assertThat(List.of(spoilt.label(0), spoilt.label(1), spoilt.label(2), spoilt.label(3)))
                .containsExactly(1, 2, 1, 2);
        assertThat(spoilt.pixels(3).rgb())
                .isEqualTo(Corruption.GAUSSIAN_BLUR.apply(image().mirrored(), 3).rgb());
        assertThat(images.corrupted(List.of(), 3).count()).isZero();
    }
}
