package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;
import static latentmix.image.UnreadableImage.Reason.EMPTY;
import static latentmix.image.UnreadableImage.Reason.TOO_LARGE;
import static latentmix.image.UnreadableImage.Reason.TRUNCATED;

import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
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
     * Decodes a JPEG, PNG, WebP, GIF, BMP or TIFF file.
     *
     * @param maxPixels the largest width × height, checked before any pixel is decoded
     * @throws UnreadableImage with the reason, whatever the file holds
     */
    public static Pixels decode(byte[] file, long maxPixels) throws UnreadableImage {
        if (file.length == 0) {
            throw new UnreadableImage(EMPTY, "the file has no bytes; copy or download it again");
        }
        String start = HexFormat.of().formatHex(file, 0, Math.min(12, file.length));
        try {
            if (start.matches("ffd8ff(?!f7).*")) {
                return JpegFile.parse(file).decode(maxPixels);
            } else if (start.startsWith("89504e470d0a1a0a")) {
                return PngFile.parse(file).decode(maxPixels);
            } else if (start.matches("52494646.{8}57454250")) {
                return WebpFile.parse(file).decode(maxPixels);
            } else if (start.matches("47494638(37|39)61.*")) {
                return GifFile.parse(file).decode(maxPixels);
            } else if (start.matches("(49492a00|4d4d002a)(?!.{8}4352).*")) { // with CR it is a camera's RAW
                return TiffFile.parse(file).decode(maxPixels);
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
        throw ForeignFile.refusal(file);
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
        // Samples as stored: Java's getRGB would take grey as linear light and apply profiles.
        if (image.getColorModel() instanceof ComponentColorModel model) {
            Raster raster = image.getRaster();
            int colours = raster.getNumBands() - (model.hasAlpha() ? 1 : 0);
            return flatten(raster, colours, model.hasAlpha(), (1 << model.getComponentSize(0)) - 1, profile);
        }
        // A palette or packed bits, always 8-bit.
        int width = image.getWidth();
        WritableRaster rgba = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, width, image.getHeight(), 4, null);
        int[] argb = new int[width];
        int[] row = new int[4 * width];
        for (int y = 0; y < image.getHeight(); y++) {
            image.getRGB(0, y, width, 1, argb, 0, width);
            for (int i = 0; i < row.length; i++) {
                row[i] = argb[i / 4] >>> (i % 4 == 3 ? 24 : 16 - 8 * (i % 4)) & 0xff;
            }
            rgba.setPixels(0, y, width, 1, row);
        }
        return flatten(rgba, 3, true, 0xff, profile);
    }

    /**
     * The same of samples.
     *
     * @param hasAlpha whether the band after the colours is the opacity
     */
    static Pixels flatten(Raster raster, int colours, boolean hasAlpha, int most, ColourProfile profile) {
        int width = raster.getWidth();
        int bands = raster.getNumBands();
        byte[] rgb = new byte[3 * width * raster.getHeight()];
        int[] row = new int[width * bands];
        for (int y = 0, i = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, width, 1, row);
            for (int sample : profile.toSrgb(row, bands, colours, most)) {
                int alpha = hasAlpha ? row[i / 3 % width * bands + colours] : most;
                rgb[i++] = overWhite(sample, alpha, most);
            }
        }
        return new Pixels(width, raster.getHeight(), rgb);
    }

    private static byte overWhite(int sample, int alpha, int most) {
        if (alpha == most && most == 0xff) {
            return (byte) sample;
        }
        long square = (long) most * most;
        return (byte) ((255 * ((long) sample * alpha + (long) most * (most - alpha)) + square / 2) / square);
    }
}
