package latentmix.study;

/** A figure of the report: a drawing or a picture, with its files' name and what stands below it. */
public sealed interface Figure {
    /** The name of its files, without an ending. */
    String name();

    /** What it shows, in a sentence. */
    String caption();

    /** Curves or points, published as SVG and PNG. */
    record Drawing(String name, String caption, Chart chart) implements Figure {}

    /** Images in rows and columns, published as PNG. */
    record Pictures(String name, String caption, PictureGrid grid) implements Figure {}
}
