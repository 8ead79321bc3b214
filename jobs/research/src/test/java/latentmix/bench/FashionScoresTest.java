package latentmix.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import latentmix.bench.FashionScores.Labelled;
import latentmix.bench.FashionScores.Scores;
import latentmix.image.Pixels;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class FashionScoresTest {
    private static final List<Labelled> SAMPLE = FashionScores.sample();
    private static FashionScores scores;

    @BeforeAll
    static void open() {
        scores = FashionScores.open();
    }

    @AfterAll
    static void close() {
        scores.close();
    }

    private static List<Labelled> half(int parity) {
        return IntStream.range(0, SAMPLE.size())
                .filter(i -> i % 2 == parity)
                .mapToObj(SAMPLE::get)
                .toList();
    }

    /** Every image mixed with noise: grey values moved towards random ones by the share given. */
    private static List<Labelled> noisy(List<Labelled> images, double share) {
        Random random = new Random(7);
        return images.stream()
                .map(image -> {
                    byte[] rgb = image.pixels().rgb().clone();
                    for (int i = 0; i < rgb.length; i += 3) {
                        int grey = (int) ((1 - share) * (rgb[i] & 0xff) + share * random.nextInt(256));
                        Arrays.fill(rgb, i, i + 3, (byte) grey);
                    }
                    return new Labelled(new Pixels(32, 32, rgb), image.label());
                })
                .toList();
    }

    @Test
    void theSampleIsAtDistanceZeroOfItselfAndMostlyKnown() {
        Scores real = scores.of(SAMPLE);
        assertThat(real.images()).isEqualTo(640);
        assertThat(real.frechetDistance()).isCloseTo(0, within(1e-6));
        assertThat(real.accuracy()).isBetween(0.9, 1.0);
    }

    @Test
    void theMoreNoiseInImagesTheFartherTheyAreAndTheLessTheyAreKnown() {
        Scores none = scores.of(half(0));
        Scores little = scores.of(noisy(half(0), 0.05));
        Scores more = scores.of(noisy(half(0), 0.2));
        Scores nothingElse = scores.of(noisy(half(0), 1));
        assertThat(none.frechetDistance()).isPositive();
        assertThat(little.frechetDistance()).isGreaterThan(2 * none.frechetDistance());
        assertThat(more.frechetDistance()).isGreaterThan(2 * little.frechetDistance());
        assertThat(nothingElse.frechetDistance()).isGreaterThan(2 * more.frechetDistance());
        assertThat(little.accuracy()).isLessThanOrEqualTo(none.accuracy());
        assertThat(more.accuracy()).isLessThan(little.accuracy());
        assertThat(nothingElse.accuracy()).isBetween(0.05, 0.15); // chance
    }

    @Test
    void imagesUnderOtherLabelsAreNotKnownThoughTheyAreAsNear() {
        List<Labelled> moved = SAMPLE.stream()
                .map(image -> new Labelled(image.pixels(), (image.label() + 1) % 10))
                .toList();
        assertThat(scores.of(moved).accuracy()).isLessThan(0.1);
        assertThat(scores.of(moved).frechetDistance()).isCloseTo(0, within(1e-6));
    }

    @Test
    void oneClassAloneIsFarFromAll() {
        List<Labelled> bags =
                SAMPLE.stream().filter(image -> image.label() == 8).toList();
        assertThat(scores.of(bags).frechetDistance())
                .isGreaterThan(10 * scores.of(half(1)).frechetDistance());
    }

    @Test
    void oneImageHasNoDistance() {
        assertThatThrownBy(() -> scores.of(SAMPLE.subList(0, 1))).hasMessageContaining("at least two vectors");
    }
}
