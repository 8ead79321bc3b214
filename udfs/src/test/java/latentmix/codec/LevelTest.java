package latentmix.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LevelTest {
    @Test
    void everyLevelComesBackFromItsNumber() {
        assertThat(IntStream.range(0, 256))
                .allSatisfy(level -> assertThat(Level.of(Level.signed(level.byteValue())) & 0xff)
                        .isEqualTo(level));
    }

    @Test
    void theNumberIsThatOfTheLevelOver127AndAHalf() {
        assertThat(IntStream.range(0, 256))
                .allSatisfy(level -> assertThat(Level.signed(level.byteValue())).isEqualTo(level / 127.5f - 1));
    }

    @Test
    void numbersOutsideTheRangeHaveTheNearestLevel() {
        assertThat(Level.of(-3)).isEqualTo((byte) 0);
        assertThat(Level.of(Float.POSITIVE_INFINITY)).isEqualTo((byte) 255);
        assertThat(Level.unrounded(-3)).isZero();
        assertThat(Level.unrounded(3)).isEqualTo(255);
    }

    @Test
    void halfALevelIsRoundedToTheEvenOne() {
        assertThat(Level.of(0) & 0xff).isEqualTo(128); // 127.5
        assertThat(Level.unrounded(0)).isEqualTo(127.5);
    }

    @Test
    void theShareOfTheLargestLevelIsOne() {
        assertThat(Level.share((byte) 255)).isEqualTo(1);
        assertThat(Level.share((byte) 51)).isCloseTo(0.2, within(1e-15));
    }
}
