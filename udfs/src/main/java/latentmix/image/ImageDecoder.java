package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;
import static latentmix.image.UnreadableImage.Reason.EMPTY;
import static latentmix.image.UnreadableImage.Reason.NOT_AN_IMAGE;
import static latentmix.image.UnreadableImage.Reason.TOO_LARGE;
import static latentmix.image.UnreadableImage.Reason.TRUNCATED;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.Raster;
import java.io.EOFException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.imageio.ImageReader;

/**
 * Decodes image files to pixels as the loaders of diffusion models do: first frame, EXIF orientation applied,
 * transparency over white, colours in sRGB by the file's own {@link ColourProfile}. A file without a profile is taken
 * as sRGB, and its CMYK as (255 - c)(255 - k) / 255; gamma chunks are not applied.
 *
 * <p>The content decides the format, never the name. Java's and TwelveMonkeys' codecs decode the pixels; what they get
 * wrong without an error (CMYK, cut files, profiles) is settled before, by a walk over the file's segments or chunks.
 */
public final class ImageDecoder {
    private ImageDecoder() {}

    /**
     * Decodes a JPEG, PNG, WebP, GIF or BMP file.
     *
     * @param maxPixels the largest width × height, checked before any pixel is decoded
     * @throws UnreadableImage with the reason, whatever the file holds
     */
    public static Pixels decode(byte[] file, long maxPixels) throws UnreadableImage {
        if (file.length == 0) {
            throw new UnreadableImage(EMPTY, "the file has no bytes");
        }
        String start = HexFormat.of().formatHex(file, 0, Math.min(12, file.length));
        try {
            if (start.startsWith("ffd8ff")) {
                return JpegFile.parse(file).decode(maxPixels);
            } else if (start.startsWith("89504e470d0a1a0a")) {
                return PngFile.parse(file).decode(maxPixels);
            } else if (start.matches("52494646.{8}57454250")) {
                return WebpFile.parse(file).decode(maxPixels);
            } else if (start.matches("47494638(37|39)61.*")) {
                return GifFile.parse(file).decode(maxPixels);
            } else if (start.startsWith("424d")) {
                ImageReader bmp = Codec.reader(Codec.BMP, file);
                checkSize(bmp.getWidth(0), bmp.getHeight(0), maxPixels);
                return flatten(bmp.read(0), ColourProfile.of(new byte[0], 3));
            }
        } catch (BufferUnderflowException | EOFException e) {
            throw new UnreadableImage(TRUNCATED, "the file ends too early, after " + file.length + " bytes");
        } catch (IOException | RuntimeException e) { // a codec meets broken content with whatever exception comes first
            throw new UnreadableImage(BROKEN, e.toString());
        }
        throw new UnreadableImage(NOT_AN_IMAGE, "expected JPEG, PNG, WebP, GIF or BMP, the file begins with " + start);
    }

    /** A list that fills with the codec's complaints while it reads. */
    static List<String> warnings(ImageReader reader) {
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        return warnings;
    }

    /** Refuses an image over the limit, or too large for arrays of three bytes a pixel. */
    static void checkSize(long width, long height, long maxPixels) throws UnreadableImage {
        if (width < 1 || height < 1) {
            throw new UnreadableImage(BROKEN, "the header says " + width + "×" + height + " pixels");
        }
        long limit = Math.min(maxPixels, Integer.MAX_VALUE / 4);
        if (width * height > limit) {
            throw new UnreadableImage(TOO_LARGE, width + "×" + height + " pixels, the limit max_pixels is " + limit);
        }
    }

    /** The next bytes as a buffer of their own, in the same byte order. */
    static ByteBuffer take(ByteBuffer in, long bytes) {
        if (bytes > in.remaining()) {
            throw new BufferUnderflowException();
        }
        ByteBuffer taken = in.slice(in.position(), (int) bytes).order(in.order());
        in.position(in.position() + (int) bytes);
        return taken;
    }

    /** At most so many bytes from the buffer's beginning as text, a letter a byte. */
    static String latin1(ByteBuffer in, int bytes) {
        return StandardCharsets.ISO_8859_1
                .decode(in.duplicate().limit(Math.min(bytes, in.limit())))
                .toString();
    }

    /**
     * Lays a codec's image over white: (s·a + m·(m - a)) / m for samples s, opacity a and largest value m, then to 8
     * bits.
     */
    static Pixels flatten(BufferedImage image, ColourProfile profile) {
        int width = image.getWidth();
        int height = image.getHeight();
        byte[] rgb = new byte[3 * width * height];
        // Samples as stored: Java's getRGB would take grey as linear light and apply profiles.
        Raster raster = image.getRaster();
        boolean stored = image.getColorModel() instanceof ComponentColorModel;
        boolean hasAlpha = !stored || image.getColorModel().hasAlpha();
        int bands = stored ? raster.getNumBands() : 4;
        int colours = hasAlpha ? bands - 1 : bands;
        int most = stored ? (1 << image.getColorModel().getComponentSize(0)) - 1 : 0xff;
        int[] row = new int[width * bands];
        int[] argb = new int[width];
        for (int y = 0, i = 0; y < height; y++) {
            if (stored) {
                raster.getPixels(0, y, width, 1, row);
            } else { // a palette or packed bits, always 8-bit
                image.getRGB(0, y, width, 1, argb, 0, width);
                for (int x = 0; x < row.length; x++) {
                    row[x] = argb[x / 4] >>> (x % 4 == 3 ? 24 : 16 - 8 * (x % 4)) & 0xff;
                }
            }
            for (int sample : profile.toSrgb(row, bands, colours, most)) {
                int alpha = hasAlpha ? row[i / 3 % width * bands + colours] : most;
                rgb[i++] = overWhite(sample, alpha, most);
            }
        }
        return new Pixels(width, height, rgb);
    }

    private static byte overWhite(int sample, int alpha, int most) {
        if (alpha == most && most == 0xff) {
            return (byte) sample;
        }
        long square = (long) most * most;
        return (byte) ((255 * ((long) sample * alpha + (long) most * (most - alpha)) + square / 2) / square);
    }
}
