package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;
import static latentmix.image.UnreadableImage.Reason.TRUNCATED;
import static latentmix.image.UnreadableImage.Reason.UNSUPPORTED;

import java.awt.image.Raster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.imageio.ImageReader;

/**
 * A JPEG file walked marker by marker up to its end marker (<a href="https://www.w3.org/Graphics/JPEG/itu-t81.pdf">ITU
 * T.81</a>, annex B); one that lacks this marker alone is whole, as for libjpeg. Java's codec gives the samples only,
 * from a stream without application segments; this class follows what those say of colour, by the rules of libjpeg
 * (jdapimin.c, jdcolor.c).
 *
 * @param stream the file's own bytes less its APPn and COM segments
 */
record JpegFile(byte[] stream, Colour colour, ColourProfile profile, Orientation orientation) {
    /** The meaning of a JPEG's components. */
    enum Colour {
        GREY,
        RGB,
        YCC,
        CMYK,
        YCCK
    }

    static JpegFile parse(byte[] file) throws UnreadableImage {
        // The end marker once more, as libjpeg puts it: whoever comes to this one has a file without.
        byte[] ended = Arrays.copyOf(file, file.length + 2);
        ended[file.length] = (byte) 0xff;
        ended[file.length + 1] = (byte) 0xd9;
        ByteBuffer in = ByteBuffer.wrap(ended).position(2);
        ByteArrayOutputStream stream = new ByteArrayOutputStream(file.length);
        stream.write(file, 0, 2);
        Orientation orientation = Orientation.UPRIGHT;
        boolean jfif = false;
        int adobeTransform = -1;
        String components = "";
        List<ByteBuffer> scans = new ArrayList<>();
        List<ByteBuffer> profile = new ArrayList<>();
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
                } else if (marker == 0xe2 && text.equals("ICC_PROFILE\0")) {
                    profile.add(segment.position(12).slice());
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
                scans.add(segment);
                skipEntropyCodedData(in);
            }
            stream.write(ended, start, in.position() - start);
        }
        if (in.position() > file.length && (!complete(scans, components) || endsInFilling(file))) {
            throw new BufferUnderflowException();
        }
        stream.write(0xff);
        stream.write(0xd9);
        Colour colour = colour(components, jfif, adobeTransform);
        ColourProfile colours = ColourProfile.of(joined(profile), components.length());
        return new JpegFile(stream.toByteArray(), colour, colours, orientation);
    }

    /**
     * Whether there is a frame and the scans give each component all 64 coefficients to their last bit. The codec sees
     * to their data.
     */
    private static boolean complete(List<ByteBuffer> scans, String components) {
        Map<Character, Long> finished = new HashMap<>();
        for (ByteBuffer scan : scans) {
            int parts = scan.get(0);
            int first = scan.get(2 * parts + 1);
            int last = scan.get(2 * parts + 2);
            boolean toTheBit = (scan.get(2 * parts + 3) & 0xf) == 0;
            for (int part = 0; toTheBit && part < parts; part++) {
                long coefficients = -1L >>> (63 - last) & -1L << first;
                finished.merge((char) scan.get(2 * part + 1), coefficients, (a, b) -> a | b);
            }
        }
        return !components.isEmpty()
                && components.chars().allMatch(component -> finished.getOrDefault((char) component, 0L) == -1);
    }

    /** Whether zeros fill the file up, as an unfinished download leaves it; coded data never end so. */
    private static boolean endsInFilling(byte[] file) {
        return file[file.length - 1] == 0 && file[file.length - 2] != (byte) 0xff;
    }

    /** The profile from its numbered parts; empty unless each is there once. */
    private static byte[] joined(List<ByteBuffer> parts) {
        SortedMap<Integer, ByteBuffer> inOrder = new TreeMap<>();
        for (ByteBuffer part : parts) {
            if (part.remaining() < 2) {
                return new byte[0];
            }
            int number = part.get() & 0xff;
            int count = part.get() & 0xff;
            if (count != parts.size() || number < 1 || number > count || inOrder.put(number, part) != null) {
                return new byte[0];
            }
        }
        ByteArrayOutputStream profile = new ByteArrayOutputStream();
        for (ByteBuffer part : inOrder.values()) {
            profile.write(part.array(), part.arrayOffset() + part.position(), part.remaining());
        }
        return profile.toByteArray();
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
            if (warning.contains("remature end") || warning.contains("marker 0xd9")) {
                throw new UnreadableImage(TRUNCATED, warning);
            } else if (warning.contains("bad Huffman code") || warning.contains("instead of RST")) {
                throw new UnreadableImage(BROKEN, warning);
            }
        }
        return orientation.upright(toRgb(samples));
    }

    /**
     * Components to sRGB. Four of them hold 255 - ink, as Adobe's programs began to write them and as libjpeg's users
     * read every file; with YCCK it is the colours between 0 and ink that are 255 - ink once more.
     */
    private Pixels toRgb(Raster samples) {
        int bands = samples.getNumBands();
        int[] row = new int[samples.getWidth() * bands];
        byte[] rgb = new byte[3 * samples.getWidth() * samples.getHeight()];
        for (int y = 0, i = 0; y < samples.getHeight(); y++) {
            samples.getPixels(0, y, samples.getWidth(), 1, row);
            for (int x = 0; x < row.length; x += bands) {
                if (colour == Colour.YCC || colour == Colour.YCCK) {
                    toRgb(row, x);
                }
                for (int c = colour == Colour.YCCK ? 3 : 0; bands == 4 && c < 4; c++) {
                    row[x + c] = 255 - row[x + c];
                }
            }
            for (int sample : profile.toSrgb(row, bands, bands, 255)) {
                rgb[i++] = (byte) sample;
            }
        }
        return new Pixels(samples.getWidth(), samples.getHeight(), rgb);
    }

    /** Y, Cb, Cr to R, G, B in place; coefficients 1.402, 0.34414, 0.71414, 1.772 times 2¹⁶. */
    private static void toRgb(int[] row, int at) {
        int luma = row[at];
        int cb = row[at + 1] - 128;
        int cr = row[at + 2] - 128;
        row[at] = clamp(luma + ((91881 * cr + 0x8000) >> 16));
        row[at + 1] = clamp(luma + ((-22554 * cb - 46802 * cr + 0x8000) >> 16));
        row[at + 2] = clamp(luma + ((116130 * cb + 0x8000) >> 16));
    }

    private static int clamp(int value) {
        return Math.min(Math.max(value, 0), 255);
    }
}
