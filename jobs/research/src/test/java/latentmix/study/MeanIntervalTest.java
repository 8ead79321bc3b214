package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class MeanIntervalTest {
    @Test
    void fiveRepeatsTakeStudentsTWithFourDegreesOfFreedom() {
        // s² = 2.5, t₀.₉₇₅(4) = 2.776445 (any table of Student's t)
        MeanInterval interval = MeanInterval.of(List.of(1.0, 2.0, 3.0, 4.0, 5.0));
        assertThat(interval.mean()).isEqualTo(3);
        assertThat(interval.half()).isEqualTo(2.776445 * Math.sqrt(2.5 / 5), within(1e-6));
    }

    @Test
    void equalRepeatsHaveNoWidthAndASingleOneHasNoInterval() {
        assertThat(MeanInterval.of(List.of(0.5, 0.5)).half()).isZero();
        assertThat(MeanInterval.of(List.of(0.5)).known()).isFalse();
    }
}
