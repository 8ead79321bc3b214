package latentmix.study;

import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Optional;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;

/**
 * Images of one size in labelled rows and columns, as one picture.
 *
 * @param columns a label for each column
 * @param rows the rows from top to bottom
 */
public record PictureGrid(List<String> columns, List<Row> rows) {
    private static final int LEAST_SIDE = 64; // smaller images are enlarged to it
    private static final int MOST_SIDE = 256; // larger ones are reduced
    private static final int GAP = 3;
    private static final int MARGIN = 8;
    private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 13);

    /**
     * A row of images; an empty one leaves its place free.
     *
     * @param label the text before the row
     */
    public record Row(String label, List<Optional<Pixels>> images) {
        public Row {
            images = List.copyOf(images);
        }
    }

    public PictureGrid {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
        for (Row row : rows) {
            if (row.images().size() > columns.size()) {
                throw new IllegalArgumentException("A row must have at most " + columns.size()
                        + " images, one a column, cannot have: " + row.images().size());
            }
        }
    }

    /** The picture as a PNG file: small images are enlarged by a whole factor and not smoothed. */
    public byte[] png() {
        int side = side();
        BufferedImage probe = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB);
        FontMetrics metrics = probe.createGraphics().getFontMetrics(FONT);
        int left = MARGIN
                + rows.stream()
                        .mapToInt(row -> metrics.stringWidth(row.label()))
                        .max()
                        .orElse(0)
                + MARGIN;
        int top = MARGIN + metrics.getHeight() + GAP;
        int wide = Math.max(
                side, columns.stream().mapToInt(metrics::stringWidth).max().orElse(0) + GAP); // a column's width
        BufferedImage picture = new BufferedImage(
                left + columns.size() * (wide + GAP) + MARGIN,
                top + rows.size() * (side + GAP) + MARGIN,
                BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = picture.createGraphics();
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, picture.getWidth(), picture.getHeight());
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setFont(FONT);
        graphics.setColor(Color.BLACK);
        for (int c = 0; c < columns.size(); c++) {
            String label = columns.get(c);
            graphics.drawString(
                    label,
                    left + c * (wide + GAP) + (wide - metrics.stringWidth(label)) / 2,
                    MARGIN + metrics.getAscent());
        }
        for (int r = 0; r < rows.size(); r++) {
            Row row = rows.get(r);
            int y = top + r * (side + GAP);
            graphics.drawString(
                    row.label(),
                    left - MARGIN - metrics.stringWidth(row.label()),
                    y + (side - metrics.getHeight()) / 2 + metrics.getAscent());
            for (int c = 0; c < row.images().size(); c++) {
                int x = left + c * (wide + GAP) + (wide - side) / 2;
                row.images().get(c).ifPresent(image -> draw(graphics, image, x, y, side));
            }
        }
        graphics.dispose();
        return PngEncoder.encode(Pixels.ofImage(picture));
    }

    private int side() {
        int side = rows.stream()
                .flatMap(row -> row.images().stream())
                .flatMap(Optional::stream)
                .mapToInt(image -> Math.max(image.width(), image.height()))
                .max()
                .orElse(LEAST_SIDE);
        return side >= MOST_SIDE ? MOST_SIDE : side * Math.max(1, LEAST_SIDE / side);
    }

    private static void draw(Graphics2D graphics, Pixels pixels, int x, int y, int side) {
        BufferedImage image = pixels.toImage();
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION,
                pixels.width() > side
                        ? RenderingHints.VALUE_INTERPOLATION_BICUBIC
                        : RenderingHints.VALUE_INTERPOLATION_NEAREST_NEIGHBOR);
        graphics.drawImage(image, x, y, side, side, null);
    }
}
