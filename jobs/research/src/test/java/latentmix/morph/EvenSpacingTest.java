package latentmix.morph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class EvenSpacingTest {
    @Test
    void positionsOfAKnownCurveAreItsInverse() {
        double[] looks =
                IntStream.rangeClosed(0, 400).mapToDouble(i -> i / 400.0).toArray();
        double[] steps = new double[400]; // along s(t) = t²
        for (int i = 0; i < 400; i++) {
            steps[i] = looks[i + 1] * looks[i + 1] - looks[i] * looks[i];
        }
        double[] even = EvenSpacing.of(looks, steps, 9);
        for (int k = 0; k < 9; k++) {
            assertThat(even[k]).isCloseTo(Math.sqrt(k / 8.0), within(2e-3));
        }
    }

    @Test
    void standstillsAreSkippedAndTheEndsKept() {
        double[] positions = {0, 1, 2, 3, 4};
        assertThat(EvenSpacing.of(positions, new double[] {0, 1, 0, 1}, 3)).containsExactly(0, 2, 4);
        assertThat(EvenSpacing.of(positions, new double[] {2, 0, 0, 0}, 3)).containsExactly(0, 0.5, 1);
        assertThat(EvenSpacing.of(positions, new double[4], 3)).containsExactly(0, 2, 4);
    }
}
