package latentmix.study;

import java.awt.image.BufferedImage;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;

/** Between the project's pixels and those that Java draws on. */
final class Raster {
    private Raster() {}

    static BufferedImage image(Pixels pixels) {
        BufferedImage image = new BufferedImage(pixels.width(), pixels.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = pixels.rgb();
        for (int i = 0; i < pixels.width() * pixels.height(); i++) {
            image.setRGB(
                    i % pixels.width(),
                    i / pixels.width(),
                    ((rgb[3 * i] & 0xff) << 16) | ((rgb[3 * i + 1] & 0xff) << 8) | (rgb[3 * i + 2] & 0xff));
        }
        return image;
    }

    /** An image as a PNG file, the same bytes on every machine. */
    static byte[] png(BufferedImage image) {
        byte[] rgb = new byte[3 * image.getWidth() * image.getHeight()];
        for (int i = 0; i < image.getWidth() * image.getHeight(); i++) {
            int pixel = image.getRGB(i % image.getWidth(), i / image.getWidth());
            rgb[3 * i] = (byte) (pixel >> 16);
            rgb[3 * i + 1] = (byte) (pixel >> 8);
            rgb[3 * i + 2] = (byte) pixel;
        }
        return PngEncoder.encode(new Pixels(image.getWidth(), image.getHeight(), rgb));
    }
}
