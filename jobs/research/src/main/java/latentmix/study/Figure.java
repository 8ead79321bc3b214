package latentmix.study;

/** A figure of the report: a drawing or a picture, with the name of its files and a caption. */
public sealed interface Figure {
    /** The name of its files, without an ending. */
    String name();

    /** The caption: a sentence that says what the figure shows. */
    String caption();

    /** Curves or points, published as SVG and PNG. */
    record Drawing(String name, String caption, Chart chart) implements Figure {}

    /** Images in rows and columns, published as PNG. */
    record Pictures(String name, String caption, PictureGrid grid) implements Figure {}
}
