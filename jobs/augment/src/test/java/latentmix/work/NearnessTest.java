package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearnessTest {
    private static final Nearness CLASS = Nearness.of(List.of(0b111L, 0b1L, 0b1111_0000L), List.of(0b1L, 0b11L, 0L));

    @Test
    void anImageMadeIsComparedWithAllRealOnesAndARealOneWithTheOthers() {
        assertThat(CLASS.made()[0]).isEqualTo(1); // 1
        assertThat(CLASS.made()[1]).isEqualTo(1); // 111 beside 11
        assertThat(CLASS.made()[4]).isEqualTo(1); // 11110000 beside 0
        assertThat(CLASS.real()[1]).isEqualTo(3);
        assertThat(Nearness.images(CLASS.made())).isEqualTo(3);
    }

    @Test
    void aQuantileIsTheLeastDistanceWithinWhichTheShareIs() {
        assertThat(Nearness.quantile(CLASS.made(), 0)).isZero();
        assertThat(Nearness.quantile(CLASS.made(), 1.0 / 3)).isZero();
        assertThat(Nearness.quantile(CLASS.made(), 0.5)).isEqualTo(1);
        assertThat(Nearness.quantile(CLASS.made(), 1)).isEqualTo(4);
    }

    @Test
    void classesAddUp() {
        Nearness both = CLASS.plus(Nearness.of(List.of(7L), List.of(7L)));
        assertThat(Nearness.images(both.made())).isEqualTo(4);
        assertThat(both.made()[0]).isEqualTo(2);
        assertThat(Nearness.images(both.real()))
                .as("the only image of a class has no other")
                .isEqualTo(3);
        assertThat(CLASS.plus(Nearness.NONE).made()).isEqualTo(CLASS.made());
    }
}
