package latentmix.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ThresholdTest {
    private static final double[] SAMPLE = {7, 1, 4, 10, 2};

    /** numpy.quantile([7, 1, 4, 10, 2], q). */
    @ParameterizedTest
    @CsvSource({"0, 1", "0.1, 1.4", "0.25, 2", "0.5, 4", "0.9, 8.8", "1, 10"})
    void aQuantileIsThatOfNumpy(double share, double expected) {
        assertThat(Threshold.parse("quantile(" + share + ")").of(SAMPLE)).isCloseTo(expected, within(1e-12));
    }

    @Test
    void aNumberAsksNoSample() {
        assertThat(Threshold.parse("0.25").of(new double[0])).isEqualTo(0.25);
        assertThat(Threshold.parse(" -2 ").needsSample()).isFalse();
    }

    @Test
    void whereThereIsNoSampleThereIsNoLine() {
        assertThat(Threshold.parse("quantile(0.5)").of(new double[0])).isNaN();
        assertThat(Threshold.parse("off").of(SAMPLE)).isNaN();
    }

    @ParameterizedTest
    @ValueSource(strings = {"off", "0.5", "3", "quantile(0.01)", "quantile(1)"})
    void aThresholdIsReadAsItIsWritten(String text) {
        assertThat(Threshold.parse(text)).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"quantile(1.5)", "quantile(-0.1)", "quantile()", "NaN", "high", "1..2", "quantile(x)"})
    void whatIsNoThresholdIsRefused(String text) {
        assertThatThrownBy(() -> Threshold.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("expected a ")
                .hasMessageContaining(", got ");
    }
}
