package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.study.PictureGrid.Row;
import org.junit.jupiter.api.Test;

class PictureGridTest {
    /** A square of one colour. */
    private static Optional<Pixels> square(int side, int red, int green, int blue) {
        byte[] rgb = new byte[3 * side * side];
        for (int i = 0; i < rgb.length; i += 3) {
            rgb[i] = (byte) red;
            rgb[i + 1] = (byte) green;
            rgb[i + 2] = (byte) blue;
        }
        return Optional.of(new Pixels(side, side, rgb));
    }

    private static long count(Pixels picture, int red, int green, int blue) {
        long count = 0;
        for (int i = 0; i < picture.rgb().length; i += 3) {
            if (Arrays.equals(picture.rgb(), i, i + 3, new byte[] {(byte) red, (byte) green, (byte) blue}, 0, 3)) {
                count++;
            }
        }
        return count;
    }

    @Test
    void smallImagesAreEnlargedWholeAndAnEmptyPlaceStaysFree() throws Exception {
        PictureGrid grid = new PictureGrid(
                List.of("N = 2", "N = 4"),
                List.of(
                        new Row("fix/0", List.of(square(32, 255, 0, 0), square(32, 0, 255, 0))),
                        new Row("nin/chm", List.of(Optional.empty(), square(32, 0, 0, 255)))));

        Pixels picture = ImageDecoder.decode(grid.png(), Integer.MAX_VALUE);

        assertThat(count(picture, 255, 0, 0)).isEqualTo(64 * 64);
        assertThat(count(picture, 0, 255, 0)).isEqualTo(64 * 64);
        assertThat(count(picture, 0, 0, 255)).isEqualTo(64 * 64);
    }

    @Test
    void aRowHasAtMostAnImageAColumn() {
        List<Row> rows = List.of(new Row("fix/0", List.of(Optional.empty(), Optional.empty())));
        assertThatThrownBy(() -> new PictureGrid(List.of("N = 2"), rows))
                .hasMessageContaining("at most 1 images, one a column, cannot have: 2");
    }
}
