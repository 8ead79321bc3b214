package latentmix.work;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import latentmix.image.PixelScores;
import latentmix.latent.Degeneracy;
import org.junit.jupiter.api.Test;

class CellScoresTest {
    private static CellScores scores(long mixed, double gain, long generated, double entropy) {
        return new CellScores(
                "dataset",
                "nin/chm",
                "3",
                10,
                mixed,
                1,
                gain,
                2 * gain,
                new Degeneracy(gain, gain, gain, gain, gain, gain, gain),
                generated,
                2,
                new PixelScores(entropy, entropy, entropy, entropy));
    }

    @Test
    void theMeansOfTwoClassesAreThoseOfAllTheirRows() {
        CellScores both = scores(6, 1, 3, 4).plus(scores(2, 5, 1, 8));
        assertThat(both.asked()).isEqualTo(20);
        assertThat(both.mixed()).isEqualTo(8);
        assertThat(both.redrawn()).isEqualTo(2);
        assertThat(both.generated()).isEqualTo(4);
        assertThat(both.nearDuplicates()).isEqualTo(4);
        assertThat(both.classMeanGain()).isCloseTo((6 * 1 + 2 * 5) / 8.0, within(1e-12));
        assertThat(both.predictedClassMeanGain()).isCloseTo(4, within(1e-12));
        assertThat(both.latent().vertical()).isCloseTo(2, within(1e-12));
        assertThat(both.image().sharpness()).isCloseTo((3 * 4 + 8) / 4.0, within(1e-12));
    }

    @Test
    void aClassWithoutMixturesLeavesTheMeansOfTheOther() {
        CellScores none = scores(0, Double.NaN, 0, Double.NaN);
        CellScores some = scores(6, 1, 3, 4);
        for (CellScores both : new CellScores[] {none.plus(some), some.plus(none)}) {
            assertThat(both.classMeanGain()).isEqualTo(1);
            assertThat(both.image().entropy()).isEqualTo(4);
            assertThat(both.mixed()).isEqualTo(6);
        }
        assertThat(none.plus(none).classMeanGain()).isNaN();
    }
}
