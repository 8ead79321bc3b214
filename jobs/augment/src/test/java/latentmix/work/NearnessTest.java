package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import latentmix.table.LeakageRow;
import org.junit.jupiter.api.Test;

class NearnessTest {
    private static final Nearness CLASS = of(List.of(0, 4, 1));

    private static Nearness of(List<Integer> bits) {
        Nearness nearness = Nearness.none("real", "test", 5, 1);
        for (int of : bits) {
            nearness = nearness.with(new LeakageRow("i", "c", "real", "p", "test", "o", "q", of, of == 0));
        }
        return nearness;
    }

    @Test
    void imagesAreCountedByTheirBitsAndThoseOfTheSameBytesApart() {
        assertThat(CLASS.images()).isEqualTo(3);
        assertThat(CLASS.within(0)).isEqualTo(1);
        assertThat(CLASS.within(3)).isEqualTo(2);
        assertThat(CLASS.within(4)).isEqualTo(3);
        assertThat(CLASS.same()).isEqualTo(1);
    }

    @Test
    void aQuantileIsTheLeastNumberOfBitsWithinWhichThatShareIs() {
        assertThat(CLASS.quantile(0)).isZero();
        assertThat(CLASS.quantile(1.0 / 3)).isZero();
        assertThat(CLASS.quantile(0.5)).isEqualTo(1);
        assertThat(CLASS.quantile(1)).isEqualTo(4);
    }

    @Test
    void classesAddUp() {
        Nearness both = CLASS.plus(of(List.of(0, 64)));
        assertThat(both.images()).isEqualTo(5);
        assertThat(both.within(0)).isEqualTo(2);
        assertThat(both.within(63)).isEqualTo(4);
        assertThat(both.same()).isEqualTo(2);
        assertThat(both.others()).isEqualTo(10);
        assertThat(both.refused()).isEqualTo(2);
    }
}
