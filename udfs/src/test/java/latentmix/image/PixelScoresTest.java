package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.awt.Color;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntBinaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PixelScoresTest {
    /** An image with the same level in all three channels. */
    private static Pixels grey(int width, int height, IntBinaryOperator level) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            Arrays.fill(rgb, 3 * i, 3 * i + 3, (byte) level.applyAsInt(i % width, i / width));
        }
        return new Pixels(width, height, rgb);
    }

    private static Pixels noise(int side, long seed) {
        byte[] rgb = new byte[3 * side * side];
        new Random(seed).nextBytes(rgb);
        return new Pixels(side, side, rgb);
    }

    @Test
    void entropyIsTheBitsThatALevelTakes() {
        assertThat(PixelScores.of(grey(8, 8, (x, y) -> 77)).entropy()).isZero();
        assertThat(PixelScores.of(grey(8, 8, (x, y) -> x % 4)).entropy()).isCloseTo(2, within(1e-12));
        assertThat(PixelScores.of(grey(16, 16, (x, y) -> 16 * y + x)).entropy()).isCloseTo(8, within(1e-12));
        assertThat(PixelScores.of(grey(4, 1, (x, y) -> x == 0 ? 1 : 0)).entropy())
                .isCloseTo(2 - 0.75 * Math.log(3) / Math.log(2), within(1e-12));
    }

    @Test
    void clippedIsTheShareOfValuesAtEitherEnd() {
        byte[] rgb = {0, 1, (byte) 254, (byte) 255, (byte) 128, 0};
        assertThat(PixelScores.of(new Pixels(2, 1, rgb)).clipped()).isEqualTo(0.5);
    }

    @Test
    void saturationIsThatOfHsv() {
        byte[] rgb = {(byte) 200, 100, 50, 0, 0, 0, 9, 9, 9, (byte) 255, 0, 0};
        assertThat(PixelScores.of(new Pixels(4, 1, rgb)).saturation()).isCloseTo((0.75 + 0 + 0 + 1) / 4, within(1e-12));
        for (int i = 0; i < 3; i++) {
            float[] hsv = Color.RGBtoHSB(rgb[3 * i] & 0xff, rgb[3 * i + 1] & 0xff, rgb[3 * i + 2] & 0xff, null);
            byte[] one = Arrays.copyOfRange(rgb, 3 * i, 3 * i + 3);
            assertThat(PixelScores.of(new Pixels(1, 1, one)).saturation()).isCloseTo(hsv[1], within(1e-6));
        }
    }

    @Test
    void sharpnessIsTheVarianceOfTheLaplacian() {
        Pixels image = noise(13, 5);
        int[] levels = PixelScores.grey(image);
        double[] laplacian = IntStream.range(0, 13 * 13)
                .filter(p -> p % 13 > 0 && p % 13 < 12 && p / 13 > 0 && p / 13 < 12)
                .mapToDouble(p -> levels[p - 13] + levels[p + 13] + levels[p - 1] + levels[p + 1] - 4.0 * levels[p])
                .toArray();
        double mean = Arrays.stream(laplacian).average().orElseThrow();
        double variance = Arrays.stream(laplacian)
                .map(x -> (x - mean) * (x - mean))
                .average()
                .orElseThrow();
        assertThat(PixelScores.of(image).sharpness()).isCloseTo(variance, within(1e-9 * variance));
        assertThat(PixelScores.of(grey(9, 9, (x, y) -> 3 * x + 2 * y)).sharpness())
                .isZero();
        assertThat(PixelScores.of(grey(2, 9, (x, y) -> 50 * x)).sharpness()).isZero();
        assertThat(PixelScores.of(Resize.to(noise(64, 1), 16, 16)).sharpness())
                .isLessThan(PixelScores.of(noise(16, 1)).sharpness() / 2);
    }

    @Test
    void greyIsRec601sLuma() {
        byte[] rgb = {(byte) 255, 0, 0, 0, (byte) 255, 0, 0, 0, (byte) 255, (byte) 255, (byte) 255, (byte) 255};
        assertThat(PixelScores.grey(new Pixels(4, 1, rgb))).containsExactly(76, 150, 29, 255);
    }

    @Test
    void aDifferenceHashTellsWhereAnImageBrightens() {
        assertThat(DifferenceHash.of(grey(9, 8, (x, y) -> 10 * x))).isEqualTo(-1L);
        assertThat(DifferenceHash.of(grey(9, 8, (x, y) -> 90 - 10 * x))).isZero();
        assertThat(DifferenceHash.of(grey(9, 8, (x, y) -> y == 0 && x == 1 ? 9 : 0)))
                .isEqualTo(1L << 63);
        assertThat(DifferenceHash.of(grey(9, 8, (x, y) -> y == 7 && x == 8 ? 9 : 0)))
                .isEqualTo(1L);
        Pixels image = noise(9, 3);
        long hash = DifferenceHash.of(image);
        assertThat(DifferenceHash.distance(hash, DifferenceHash.of(Resize.to(image, 90, 90))))
                .isLessThan(10);
        assertThat(DifferenceHash.distance(hash, DifferenceHash.of(noise(9, 4))))
                .isBetween(16, 48);
    }

    @Test
    void anImageIsANearDuplicateIfAnyOtherIsLikeIt() {
        Random random = new Random(2);
        long[] hashes = random.longs(60).toArray();
        for (int i = 40; i < 60; i++) {
            hashes[i] = hashes[i % 7] ^ (1L << i) ^ (i % 2 << 3); // one or two bits away from another
        }
        NearDuplicates whole = new NearDuplicates();
        NearDuplicates first = new NearDuplicates();
        NearDuplicates second = new NearDuplicates();
        for (int i = 0; i < hashes.length; i++) {
            whole.add(hashes[i]);
            (i % 3 == 0 ? first : second).add(hashes[i]);
        }
        first.merge(second);
        for (int limit : new int[] {0, 1, 2, 4}) {
            int naive = 0;
            for (int i = 0; i < hashes.length; i++) {
                long one = hashes[i];
                long like = Arrays.stream(hashes)
                        .filter(other -> Long.bitCount(one ^ other) <= limit)
                        .count();
                naive += like > 1 ? 1 : 0;
            }
            assertThat(whole.duplicates(limit)).isEqualTo(naive);
            assertThat(first.duplicates(limit)).isEqualTo(naive);
        }
        assertThat(whole.duplicates(2)).isEqualTo(27);
        first.merge(first);
        assertThat(first.count()).isEqualTo(120);
        assertThat(first.duplicates(0)).isEqualTo(120);
    }
}
