package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import latentmix.latent.RecipeSampler;
import latentmix.training.Augmentation.Outside;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.api.Test;

class AugmentationTest {
    private static final int SIZE = 8;

    /** A bright pixel at row 2, column 1 on black. */
    private static float[] dot() {
        float[] image = new float[SIZE * SIZE];
        Arrays.fill(image, -1);
        image[2 * SIZE + 1] = 1;
        return image;
    }

    private static UniformRandomProvider rng(String seed) {
        return RecipeSampler.rng(seed);
    }

    private static int brightest(float[] image) {
        int best = 0;
        for (int i = 1; i < image.length; i++) {
            best = image[i] > image[best] ? i : best;
        }
        return best;
    }

    @Test
    void noneLeavesAnImageAsItIs() {
        assertThat(Augmentation.NONE.apply(dot(), SIZE, Outside.BLACK, rng("a")))
                .containsExactly(dot());
    }

    @Test
    void mirroringPutsColumnXToTheLastMinusX() {
        float[] mirrored = new Augmentation(1, 0, 0, 0, 0).apply(dot(), SIZE, Outside.BLACK, rng("a"));
        float[] expected = new float[SIZE * SIZE];
        Arrays.fill(expected, -1);
        expected[2 * SIZE + 6] = 1;
        assertThat(mirrored).containsExactly(expected, within(1e-6f));
    }

    @Test
    void shiftsByWholePixelsAndFillsWithBlack() {
        Augmentation shift = new Augmentation(0, 2, 0, 0, 0);
        UniformRandomProvider rng = rng("a");
        boolean[] rows = new boolean[5];
        for (int i = 0; i < 200; i++) {
            float[] moved = shift.apply(dot(), SIZE, Outside.BLACK, rng);
            int at = brightest(moved);
            if (moved[at] > 0) { // else it was shifted out
                assertThat(moved[at]).isEqualTo(1);
                int down = at / SIZE - 2;
                assertThat(down).isBetween(-2, 2);
                assertThat(at % SIZE - 1).isBetween(-1, 2);
                rows[down + 2] = true;
            }
        }
        assertThat(rows).containsOnly(true);
    }

    @Test
    void channelsMoveAlikeAndAnEdgeGoesOn() {
        float[] coloured = new float[3 * SIZE * SIZE]; // red black, green a dot, blue white
        Arrays.fill(coloured, 0, SIZE * SIZE, -1);
        System.arraycopy(dot(), 0, coloured, SIZE * SIZE, SIZE * SIZE);
        Arrays.fill(coloured, 2 * SIZE * SIZE, 3 * SIZE * SIZE, 1);
        Augmentation moving = new Augmentation(0.5, 2, 0.1, 0, 0);
        for (String seed : new String[] {"a", "b", "c"}) {
            float[] moved = moving.apply(coloured, SIZE, Outside.EDGE, rng(seed));
            float[] alone = moving.apply(dot(), SIZE, Outside.EDGE, rng(seed));
            assertThat(Arrays.copyOfRange(moved, 0, SIZE * SIZE)).containsOnly(-1);
            assertThat(Arrays.copyOfRange(moved, SIZE * SIZE, 2 * SIZE * SIZE)).containsExactly(alone);
            assertThat(Arrays.copyOfRange(moved, 2 * SIZE * SIZE, 3 * SIZE * SIZE))
                    .containsOnly(1);
        }
    }

    @Test
    void zoomingKeepsTheMiddleAndBrightnessKeepsBlack() {
        float[] flat = new float[SIZE * SIZE];
        float[] zoomed = new Augmentation(0, 0, 0.2, 0, 0).apply(flat, SIZE, Outside.BLACK, rng("a"));
        assertThat(zoomed[3 * SIZE + 3]).isEqualTo(0, within(1e-6f));
        float[] lighter = new Augmentation(0, 0, 0, 0.3, 0).apply(dot(), SIZE, Outside.BLACK, rng("a"));
        assertThat(lighter[0]).isEqualTo(-1);
    }

    @Test
    void erasingSetsARectangleToOneGrey() {
        float[] erased = new Augmentation(0, 0, 0, 0, 1).apply(dot(), SIZE, Outside.BLACK, rng("a"));
        long changed = 0;
        float grey = Float.NaN;
        for (int i = 0; i < erased.length; i++) {
            if (erased[i] != dot()[i]) {
                changed++;
                grey = erased[i];
            }
        }
        assertThat(changed).isBetween(1L, (long) SIZE * SIZE / 4);
        assertThat(grey).isBetween(-1f, 1f);
    }

    @Test
    void theSameSeedChangesAnImageTheSameWay() {
        float[] first = Augmentation.STANDARD.apply(dot(), SIZE, Outside.BLACK, rng("a"));
        assertThat(Augmentation.STANDARD.apply(dot(), SIZE, Outside.BLACK, rng("a")))
                .containsExactly(first);
        assertThat(Augmentation.STANDARD.apply(dot(), SIZE, Outside.BLACK, rng("b")))
                .isNotEqualTo(first);
    }
}
