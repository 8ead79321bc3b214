package latentmix.dataset;

import com.github.weisj.jsvg.SVGDocument;
import com.github.weisj.jsvg.parser.LoaderContext;
import com.github.weisj.jsvg.parser.SVGLoader;
import com.github.weisj.jsvg.view.ViewBox;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import latentmix.image.Pixels;
import latentmix.image.Resize;

/** An SVG drawing as pixels, by <a href="https://github.com/weisJ/jsvg">JSVG</a>. */
final class SvgImage {
    /** Pixels drawn for each that is kept, along a side. Their edges are smooth; filters cost by the pixel. */
    private static final int OVERSAMPLED = 2;

    private SvgImage() {}

    /**
     * Draws on white, square: a drawing that is wider or higher lies in the middle.
     *
     * @param side pixels
     * @throws IllegalArgumentException if it cannot be drawn, or draws nothing
     */
    static Pixels square(String svg, int side) {
        SVGDocument document = new SVGLoader()
                .load(
                        new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)),
                        null,
                        LoaderContext.createDefault());
        if (document == null) {
            throw new IllegalArgumentException("expected an SVG document, got one that JSVG does not read");
        }
        int drawn = side * OVERSAMPLED;
        BufferedImage image = new BufferedImage(drawn, drawn, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
            graphics.setColor(Color.WHITE);
            graphics.fillRect(0, 0, drawn, drawn);
            document.render(null, graphics, new ViewBox(drawn, drawn));
        } finally {
            graphics.dispose();
        }
        Pixels pixels = Pixels.ofImage(image);
        if (isBlank(pixels)) {
            throw new IllegalArgumentException("expected a drawing, got a blank picture");
        }
        return Resize.square(pixels, side);
    }

    private static boolean isBlank(Pixels pixels) {
        for (byte level : pixels.rgb()) {
            if (level != -1) {
                return false;
            }
        }
        return true;
    }
}
