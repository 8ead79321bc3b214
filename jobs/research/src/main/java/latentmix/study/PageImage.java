package latentmix.study;

import java.util.Base64;

/**
 * A figure as it stands in a page.
 *
 * @param style its class in the style sheet
 * @param mediaType such as {@code image/png}
 * @param base64 its file's bytes
 */
record PageImage(String style, String mediaType, String base64, String caption) {
    /** A drawing. */
    static PageImage of(Figure.Drawing figure, byte[] svg) {
        return new PageImage("chart", "image/svg+xml", base64(svg), figure.caption());
    }

    /** A grid of pictures. */
    static PageImage of(Figure.Pictures figure, byte[] png) {
        return new PageImage("pictures", "image/png", base64(png), figure.caption());
    }

    private static String base64(byte[] file) {
        return Base64.getEncoder().encodeToString(file);
    }
}
