package latentmix.report;

import java.io.Serializable;
import java.util.List;
import latentmix.plan.ClassLabel;

/**
 * What the report shows of one class.
 *
 * @param sources the first images that were inverted
 * @param grids the mixtures, one grid for each of the configuration's entries
 */
public record Gallery(ClassLabel label, List<Picture> sources, List<Grid> grids) implements Serializable {
    /**
     * An image of the report.
     *
     * @param png an image file
     * @param side its width and height in pixels
     * @param caption what stands below it
     * @param title what a pointer resting on it brings up
     */
    public record Picture(byte[] png, int side, String caption, String title) implements Serializable {}

    /** The mixtures of one of the configuration's entries. */
    public record Grid(String entry, String weights, boolean exported, List<Cell> cells) implements Serializable {}

    /** Mixtures made by one method with one setting of the input count. */
    public record Cell(String method, String inputs, List<Picture> pictures) implements Serializable {}
}
