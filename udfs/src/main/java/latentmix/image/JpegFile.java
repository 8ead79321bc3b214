package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;
import static latentmix.image.UnreadableImage.Reason.TRUNCATED;
import static latentmix.image.UnreadableImage.Reason.UNSUPPORTED;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import javax.imageio.ImageReader;

/**
 * A JPEG file walked marker by marker up to its end marker (<a href="https://www.w3.org/Graphics/JPEG/itu-t81.pdf">ITU
 * T.81</a>, annex B). Java's codec gives the samples only, from a stream without application segments; this class
 * follows what those say of colour, by the rules of libjpeg (jdapimin.c, jdcolor.c).
 *
 * @param stream the file's own bytes less its APPn and COM segments
 */
record JpegFile(byte[] stream, Colour colour, Orientation orientation) {
    /** The meaning of a JPEG's components. */
    enum Colour {
        GREY,
        RGB,
        YCC,
        CMYK,
        YCCK
    }

    static JpegFile parse(byte[] file) throws UnreadableImage {
        ByteBuffer in = ByteBuffer.wrap(file).position(2);
        ByteArrayOutputStream stream = new ByteArrayOutputStream(file.length);
        stream.write(file, 0, 2);
        Orientation orientation = Orientation.UPRIGHT;
        boolean jfif = false;
        int adobeTransform = -1;
        String components = "";
        for (int marker = nextMarker(in); marker != 0xd9; marker = nextMarker(in)) {
            int start = in.position() - 2;
            if (marker == 0x01 || marker == 0xd8 || isRestart(marker)) { // these stand alone
                continue;
            }
            ByteBuffer segment = ImageDecoder.take(in, (in.getShort() & 0xffff) - 2);
            if ((marker & 0xf0) == 0xe0 || marker == 0xfe) {
                String text = ImageDecoder.latin1(segment, 12);
                if (marker == 0xe0 && text.startsWith("JFIF\0")) {
                    jfif = true;
                } else if (marker == 0xe1 && text.startsWith("Exif\0\0") && orientation == Orientation.UPRIGHT) {
                    orientation = Orientation.ofExif(segment.position(6).slice());
                } else if (marker == 0xee && text.startsWith("Adobe")) {
                    adobeTransform = segment.get(11);
                }
                continue;
            }
            if ((marker & 0xf0) == 0xc0 && marker != 0xc4 && marker != 0xc8 && marker != 0xcc) { // a frame header
                for (int i = 6; i < segment.limit(); i += 3) {
                    components += (char) segment.get(i);
                }
            } else if (marker == 0xda) {
                skipEntropyCodedData(in);
            }
            stream.write(file, start, in.position() - start);
        }
        stream.write(0xff);
        stream.write(0xd9);
        return new JpegFile(stream.toByteArray(), colour(components, jfif, adobeTransform), orientation);
    }

    /** Goes past the next marker and gives its code; what stands before it is padding or rubbish. */
    private static int nextMarker(ByteBuffer in) {
        int code = 0;
        while (code == 0) { // a stuffed 0xff is no marker
            int previous;
            do {
                previous = code;
                code = in.get() & 0xff;
            } while (code == 0xff || previous != 0xff);
        }
        return code;
    }

    /** Goes to the first marker after a scan: inside, 0xff comes stuffed with a zero or as a restart marker. */
    private static void skipEntropyCodedData(ByteBuffer in) {
        int code = nextMarker(in);
        while (isRestart(code)) {
            code = nextMarker(in);
        }
        in.position(in.position() - 2);
    }

    private static boolean isRestart(int marker) {
        return (marker & 0xf8) == 0xd0;
    }

    /** The colour space by libjpeg's order of belief: JFIF, then Adobe, then the components' names. */
    private static Colour colour(String components, boolean jfif, int adobeTransform) throws UnreadableImage {
        return switch (components.length()) {
            case 1 -> Colour.GREY;
            case 3 -> {
                boolean named = adobeTransform < 0 && components.equals("RGB");
                yield !jfif && (adobeTransform == 0 || named) ? Colour.RGB : Colour.YCC;
            }
            case 4 -> adobeTransform > 0 ? Colour.YCCK : Colour.CMYK;
            default ->
                throw new UnreadableImage(
                        UNSUPPORTED, "expected a JPEG with 1, 3 or 4 components, it has " + components.length());
        };
    }

    Pixels decode(long maxPixels) throws UnreadableImage, IOException {
        ImageReader reader = Codec.reader(Codec.JPEG, stream);
        ImageDecoder.checkSize(reader.getWidth(0), reader.getHeight(0), maxPixels);
        List<String> warnings = ImageDecoder.warnings(reader);
        Raster samples = reader.readRaster(0, null);
        reader.dispose();
        for (String warning : warnings) { // others tell of harmless things, such as extra bytes before a marker
            if (warning.contains("remature end")) {
                throw new UnreadableImage(TRUNCATED, warning);
            } else if (warning.contains("bad Huffman code") || warning.contains("instead of RST")) {
                throw new UnreadableImage(BROKEN, warning);
            }
        }
        return orientation.upright(toRgb(samples));
    }

    /**
     * Components to RGB. Four of them hold 255 - ink, as Adobe's programs began to write them and as libjpeg's users
     * read every file; with YCCK it is the colours between 0 and ink that are 255 - ink once more.
     */
    private Pixels toRgb(Raster samples) {
        int bands = samples.getNumBands();
        int[] row = new int[samples.getWidth() * bands];
        byte[] rgb = new byte[3 * samples.getWidth() * samples.getHeight()];
        int[] pixel = new int[3];
        for (int y = 0, i = 0; y < samples.getHeight(); y++) {
            samples.getPixels(0, y, samples.getWidth(), 1, row);
            for (int x = 0; x < row.length; x += bands) {
                for (int c = 0; c < 3; c++) {
                    pixel[c] = row[x + c % bands];
                }
                if (colour == Colour.YCC || colour == Colour.YCCK) {
                    toRgb(pixel);
                }
                if (bands == 4) {
                    for (int c = 0; c < 3; c++) {
                        int light = colour == Colour.CMYK ? pixel[c] : 255 - pixel[c];
                        pixel[c] = (light * row[x + 3] + 127) / 255;
                    }
                }
                for (int c = 0; c < 3; c++) {
                    rgb[i++] = (byte) pixel[c];
                }
            }
        }
        return new Pixels(samples.getWidth(), samples.getHeight(), rgb);
    }

    /** Y, Cb, Cr to R, G, B in place; coefficients 1.402, 0.34414, 0.71414, 1.772 times 2¹⁶. */
    private static void toRgb(int[] pixel) {
        int luma = pixel[0];
        int cb = pixel[1] - 128;
        int cr = pixel[2] - 128;
        pixel[0] = clamp(luma + ((91881 * cr + 0x8000) >> 16));
        pixel[1] = clamp(luma + ((-22554 * cb - 46802 * cr + 0x8000) >> 16));
        pixel[2] = clamp(luma + ((116130 * cb + 0x8000) >> 16));
    }

    private static int clamp(int value) {
        return Math.min(Math.max(value, 0), 255);
    }
}
