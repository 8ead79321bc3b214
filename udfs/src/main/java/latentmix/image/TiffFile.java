package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.BROKEN;
import static latentmix.image.UnreadableImage.Reason.UNSUPPORTED;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageReader;

/**
 * A TIFF file's first page (<a href="https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf">TIFF 6.0</a>), of 1
 * to 16 bits in grey, RGB, palette, CMYK or YCbCr. The codec sees the tags that make pixels; all else of the directory
 * is blotted out, and with it profiles, which it would apply, and further pages.
 *
 * @param tags the values of the first page's tags
 */
record TiffFile(byte[] stream, Map<Integer, long[]> tags, ColourProfile profile, Orientation orientation) {
    private static final int NEW_SUBFILE_TYPE = 254;
    private static final int WIDTH = 256;
    private static final int LENGTH = 257;
    private static final int BITS = 258;
    private static final int COMPRESSION = 259;
    private static final int PHOTOMETRIC = 262;
    private static final int STRIP_OFFSETS = 273;
    private static final int SAMPLES = 277;
    private static final int ROWS_PER_STRIP = 278;
    private static final int STRIP_BYTES = 279;
    private static final int PLANAR = 284;
    private static final int TILE_WIDTH = 322;
    private static final int TILE_LENGTH = 323;
    private static final int TILE_OFFSETS = 324;
    private static final int TILE_BYTES = 325;
    private static final int INK_SET = 332;
    private static final int EXTRA_SAMPLES = 338;
    private static final int SAMPLE_FORMAT = 339;
    private static final int ICC_PROFILE = 34675;
    private static final int DNG_VERSION = 50706;

    /** With FillOrder, T4Options, T6Options, Predictor, ColorMap, JPEGTables and YCbCr's three. */
    private static final Set<Integer> PIXELS = Set.of(
            WIDTH,
            LENGTH,
            BITS,
            COMPRESSION,
            PHOTOMETRIC,
            266,
            STRIP_OFFSETS,
            SAMPLES,
            ROWS_PER_STRIP,
            STRIP_BYTES,
            PLANAR,
            292,
            293,
            317,
            320,
            TILE_WIDTH,
            TILE_LENGTH,
            TILE_OFFSETS,
            TILE_BYTES,
            INK_SET,
            EXTRA_SAMPLES,
            SAMPLE_FORMAT,
            347,
            529,
            530,
            531,
            532);

    /** What this class reads and the codec does not see. */
    private static final Set<Integer> ASIDE = Set.of(NEW_SUBFILE_TYPE, ICC_PROFILE, DNG_VERSION);

    private static final int PRIVATE = 65000;

    static TiffFile parse(byte[] file) throws UnreadableImage {
        byte[] stream = file.clone();
        ByteBuffer in = ByteBuffer.wrap(stream).order(file[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        in.position(4);
        at(in, in.getInt() & 0xffffffffL);
        Map<Integer, long[]> tags = new HashMap<>();
        for (int left = in.getShort() & 0xffff; left > 0; left--) {
            ByteBuffer entry = ImageDecoder.take(in, 12);
            int tag = entry.getShort() & 0xffff;
            if (PIXELS.contains(tag) || ASIDE.contains(tag)) {
                tags.putIfAbsent(tag, values(entry, in));
            }
            if (!PIXELS.contains(tag)) { // one byte of a private tag
                entry.putShort(0, (short) PRIVATE)
                        .putShort(2, (short) 1)
                        .putInt(4, 1)
                        .putInt(8, 0);
            }
        }
        ImageDecoder.take(in, 4).putInt(0); // no further page
        byte[] icc = new byte[tags.getOrDefault(ICC_PROFILE, new long[0]).length];
        for (int i = 0; i < icc.length; i++) {
            icc[i] = (byte) tags.get(ICC_PROFILE)[i];
        }
        int photometric = (int) number(tags, PHOTOMETRIC, -1);
        ColourProfile profile = ColourProfile.of(icc, photometric == 5 ? 4 : photometric < 2 ? 1 : 3);
        TiffFile tiff = new TiffFile(stream, tags, profile, Orientation.ofExif(ByteBuffer.wrap(file)));
        tiff.refuseWhatIsNotRead();
        return tiff;
    }

    private static void at(ByteBuffer in, long offset) {
        if (offset > in.limit()) {
            throw new BufferUnderflowException();
        }
        in.position((int) offset);
    }

    /** The values of a tag, whose entry is at its type, of a file; of types other than whole numbers none. */
    private static long[] values(ByteBuffer entry, ByteBuffer file) {
        int type = entry.getShort();
        long count = entry.getInt() & 0xffffffffL;
        int size =
                switch (type) {
                    case 1, 7 -> 1;
                    case 3 -> 2;
                    case 4 -> 4;
                    default -> 0;
                };
        ByteBuffer place = entry;
        if (size * count > 4) {
            place = file.duplicate().order(file.order());
            at(place, entry.getInt() & 0xffffffffL);
        }
        ByteBuffer bytes = ImageDecoder.take(place, size * count);
        long[] values = new long[size == 0 ? 0 : (int) count];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (size) {
                case 1 -> bytes.get() & 0xff;
                case 2 -> bytes.getShort() & 0xffff;
                default -> bytes.getInt() & 0xffffffffL;
            };
        }
        return values;
    }

    private static long number(Map<Integer, long[]> tags, int tag, long otherwise) {
        long[] values = tags.getOrDefault(tag, new long[0]);
        return values.length == 0 ? otherwise : values[0];
    }

    private long number(int tag, long otherwise) {
        return number(tags, tag, otherwise);
    }

    private void refuseWhatIsNotRead() throws UnreadableImage {
        if (tags.containsKey(DNG_VERSION) || (number(NEW_SUBFILE_TYPE, 0) & 1) != 0) { // the first page is a preview
            throw ForeignFile.picture("a camera's RAW");
        }
        long photometric = number(PHOTOMETRIC, -1);
        String colours =
                switch ((int) photometric) {
                    case 0, 1, 2, 3, 5, 6 -> "";
                    case 8, 9, 10 -> "Lab";
                    case 32803, 34892 -> "of a camera's sensor";
                    default -> "of PhotometricInterpretation " + photometric;
                };
        if (!colours.isEmpty()) {
            throw ForeignFile.picture("TIFF with colours " + colours);
        }
        long compression = number(COMPRESSION, 1);
        switch ((int) compression) {
            case 1, 2, 3, 4, 5, 7, 8, 32773, 32946 -> {}
            case 6 -> throw ForeignFile.picture("TIFF with JPEG of the old kind");
            case 50000 -> throw ForeignFile.picture("TIFF with Zstandard");
            case 50001 -> throw ForeignFile.picture("TIFF with WebP");
            case 34925 -> throw ForeignFile.picture("TIFF with LZMA");
            case 33003, 33004, 33005, 34712 -> throw ForeignFile.picture("TIFF with JPEG 2000");
            default -> throw ForeignFile.picture("TIFF with Compression " + compression);
        }
        long[] bits = tags.getOrDefault(BITS, new long[] {1});
        boolean whole =
                Arrays.stream(tags.getOrDefault(SAMPLE_FORMAT, new long[0])).allMatch(f -> f == 1 || f == 4);
        boolean even = Arrays.stream(bits).allMatch(b -> b == bits[0]);
        List<Long> read = photometric < 2 || photometric == 3 ? List.of(1L, 2L, 4L, 8L, 16L) : List.of(8L, 16L);
        if (!whole || !even || !read.contains(bits[0])) {
            throw ForeignFile.picture("TIFF with " + Arrays.toString(bits) + (whole ? "" : " signed or floating-point")
                    + " bits a sample");
        }
        if (photometric == 5 && number(INK_SET, 1) != 1) {
            throw ForeignFile.picture("TIFF with inks other than CMYK");
        }
        if (number(SAMPLES, 1) < colours() || number(SAMPLES, 1) > colours() + 4) {
            throw new UnreadableImage(
                    UNSUPPORTED, "expected a TIFF of " + colours() + " samples, it has " + number(SAMPLES, 1));
        }
    }

    private int colours() {
        return switch ((int) number(PHOTOMETRIC, -1)) {
            case 0, 1, 3 -> 1;
            case 5 -> 4;
            default -> 3;
        };
    }

    Pixels decode(long maxPixels) throws UnreadableImage, IOException {
        ImageDecoder.checkSize(number(WIDTH, 0), number(LENGTH, 0), maxPixels);
        checkParts(maxPixels);
        ImageReader reader = Codec.reader(Codec.TIFF, stream);
        List<String> warnings = ImageDecoder.warnings(reader);
        BufferedImage image = reader.read(0);
        reader.dispose();
        for (String warning : warnings) {
            if (!warning.contains("< required")) { // said of each shorter last strip
                throw new UnreadableImage(BROKEN, warning);
            }
        }
        if (image.getColorModel() instanceof IndexColorModel) {
            return orientation.upright(ImageDecoder.flatten(image, profile));
        }
        long extra = number(EXTRA_SAMPLES, 0);
        boolean hasAlpha = (extra == 1 || extra == 2) && image.getRaster().getNumBands() > colours();
        int most = number(BITS, 1) == 16 ? 0xffff : 0xff;
        if (extra == 1 && hasAlpha) {
            divideByAlpha(image.getRaster(), most);
        }
        return orientation.upright(ImageDecoder.flatten(image.getRaster(), colours(), hasAlpha, most, profile));
    }

    /** Each strip or tile lies in the file, there are enough of them, and a tile is no larger than an image may be. */
    private void checkParts(long maxPixels) throws UnreadableImage {
        boolean tiled = tags.containsKey(TILE_OFFSETS);
        long width = tiled ? number(TILE_WIDTH, 0) : number(WIDTH, 0);
        long length =
                tiled ? number(TILE_LENGTH, 0) : Math.min(number(ROWS_PER_STRIP, Long.MAX_VALUE), number(LENGTH, 0));
        ImageDecoder.checkSize(width, length, Math.max(maxPixels, 1 << 22));
        long[] offsets = tags.getOrDefault(tiled ? TILE_OFFSETS : STRIP_OFFSETS, new long[0]);
        long[] bytes = tags.getOrDefault(tiled ? TILE_BYTES : STRIP_BYTES, new long[0]);
        long parts = ((number(WIDTH, 0) + width - 1) / width) * ((number(LENGTH, 0) + length - 1) / length);
        if (number(PLANAR, 1) == 2) {
            parts *= number(SAMPLES, 1);
        }
        if (offsets.length < parts || bytes.length < parts) {
            throw new UnreadableImage(
                    BROKEN,
                    "expected %d strips or tiles, the file lists %d and sizes of %d"
                            .formatted(parts, offsets.length, bytes.length));
        }
        boolean plain = number(COMPRESSION, 1) == 1;
        long samples = number(PLANAR, 1) == 2 ? 1 : number(SAMPLES, 1);
        long line = (width * samples * number(BITS, 1) + 7) / 8;
        for (int part = 0; part < parts; part++) {
            long below = number(LENGTH, 0) - part % ((number(LENGTH, 0) + length - 1) / length) * length;
            if (plain && bytes[part] < line * (tiled ? length : Math.min(length, below))) {
                throw new UnreadableImage(BROKEN, "strip or tile %d has only %d bytes".formatted(part, bytes[part]));
            }
            if (offsets[part] + bytes[part] > stream.length) {
                throw new BufferUnderflowException();
            }
        }
    }

    /** Colours that were multiplied by their opacity as they were before. */
    private void divideByAlpha(WritableRaster raster, int most) {
        int bands = raster.getNumBands();
        int[] row = new int[raster.getWidth() * bands];
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(0, y, raster.getWidth(), 1, row);
            for (int i = 0; i < row.length; i++) {
                int alpha = row[i / bands * bands + colours()];
                if (i % bands < colours() && alpha > 0) {
                    row[i] = (int) Math.min(most, ((long) row[i] * most + alpha / 2) / alpha);
                }
            }
            raster.setPixels(0, y, raster.getWidth(), 1, row);
        }
    }
}
