package latentmix.report;

import java.io.Serializable;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import latentmix.plan.ClassLabel;

/**
 * What the report shows of one class.
 *
 * @param sources the first images that were inverted
 * @param grids the mixtures, one grid for each of the configuration's entries
 * @param dropped those that a filter dropped, by the judge that dropped them first
 */
public record Gallery(ClassLabel label, List<Picture> sources, List<Grid> grids, List<Dropped> dropped)
        implements Serializable {
    private static final int PIXELATED_UP_TO = 64;

    /** A class of which no filter dropped anything. */
    public Gallery(ClassLabel label, List<Picture> sources, List<Grid> grids) {
        this(label, sources, grids, List.of());
    }

    /**
     * What a judge dropped.
     *
     * @param images how many
     * @param pictures the first ones
     */
    public record Dropped(String judge, long images, List<Picture> pictures) implements Serializable {}

    /**
     * An image of the report.
     *
     * @param png an image file
     * @param side its width and height in pixels
     * @param caption the text below it
     * @param title the text that a pointer resting on it brings up
     */
    public record Picture(byte[] png, int side, String caption, String title) implements Serializable {
        /** Whether the page shows it enlarged, its pixels as squares. */
        boolean isTiny() {
            return side <= PIXELATED_UP_TO;
        }

        String base64() {
            return Base64.getEncoder().encodeToString(png);
        }
    }

    /** The mixtures of one of the configuration's entries. */
    public record Grid(String entry, String weights, boolean exported, List<Cell> cells) implements Serializable {
        /** The columns: the methods. */
        List<String> methods() {
            return cells.stream().map(Cell::method).distinct().toList();
        }

        /** The rows: each input count's cells, in the order of the methods. */
        Map<String, List<Cell>> byInputs() {
            return cells.stream().collect(Collectors.groupingBy(Cell::inputs, LinkedHashMap::new, Collectors.toList()));
        }
    }

    /** Mixtures made by one method with one setting of the input count. */
    public record Cell(String method, String inputs, List<Picture> pictures) implements Serializable {}
}
