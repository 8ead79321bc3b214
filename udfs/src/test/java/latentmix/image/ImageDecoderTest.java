package latentmix.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import latentmix.image.UnreadableImage.Reason;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On the files of src/test/resources/images; its README tells which decoders made the expected pixels. */
class ImageDecoderTest {
    private static final Path IMAGES = Path.of("src/test/resources/images");
    private static final long MAX_PIXELS = 61 * 43 * 2;

    static List<String> files() throws IOException {
        try (Stream<Path> folder = Files.list(IMAGES)) {
            return folder.map(file -> file.getFileName().toString())
                    .filter(name -> Files.exists(IMAGES.resolve(name + ".ppm")))
                    .sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void pixelsAreThoseOfAnIndependentDecoder(String name) throws Exception {
        Pixels expected = readPpm(name + ".ppm");

        Pixels actual = ImageDecoder.decode(read(name), MAX_PIXELS);

        assertThat(actual.width()).isEqualTo(expected.width());
        assertThat(actual.height()).isEqualTo(expected.height());
        int largest = 0;
        double sum = 0;
        for (int i = 0; i < expected.rgb().length; i++) {
            int difference = Math.abs((actual.rgb()[i] & 0xff) - (expected.rgb()[i] & 0xff));
            largest = Math.max(largest, difference);
            sum += difference;
        }
        boolean exact = name.matches("(?!profile-).*\\.(png|gif|tif)") && !name.matches(".*(jpeg|cmyk|associated).tif");
        assertThat(largest).isLessThanOrEqualTo(exact ? 0 : name.startsWith("profile-") ? 2 : 3);
        assertThat(sum / expected.rgb().length).isLessThan(0.5);
    }

    @ParameterizedTest
    @MethodSource("files")
    void aFileCutAnywhereIsRefusedUnlessNothingOfTheImageIsLost(String name) throws Exception {
        byte[] file = read(name);
        Pixels whole = ImageDecoder.decode(file, MAX_PIXELS);
        for (int length = file.length - 1; length > 12; length -= length > file.length - 20 ? 1 : 29) {
            try {
                Pixels cut = ImageDecoder.decode(Arrays.copyOf(file, length), MAX_PIXELS);
                assertThat(cut.rgb()).as("%s cut to %d bytes", name, length).isEqualTo(whole.rgb());
            } catch (UnreadableImage e) {
                assertThat(e.reason())
                        .as("%s cut to %d bytes: %s", name, length, e.detail())
                        .isEqualTo(Reason.TRUNCATED);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ycc-420.jpg", "ycc-444-progressive.jpg", "cmyk-adobe.jpg", "grey.jpg"})
    void aJpegCutInItsPictureIsTruncated(String name) throws Exception {
        byte[] file = read(name);

        for (int left : new int[] {file.length - 3, file.length - 6, file.length * 9 / 10, file.length * 6 / 10}) {
            assertThat(refusal(Arrays.copyOf(file, left)).reason()).isEqualTo(Reason.TRUNCATED);
            byte[] filledUp = Arrays.copyOf(Arrays.copyOf(file, left), file.length);
            assertThat(refusal(filledUp).reason()).isEqualTo(Reason.TRUNCATED);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ycc-420.jpg", "ycc-444-progressive.jpg", "restart-markers.jpg", "cmyk-adobe.jpg", "grey.jpg"})
    void aJpegThatLacksItsEndMarkerAloneIsWhole(String name) throws Exception {
        byte[] file = read(name);
        byte[] whole = ImageDecoder.decode(file, MAX_PIXELS).rgb();

        for (int left : new int[] {file.length - 1, file.length - 2}) {
            assertThat(ImageDecoder.decode(Arrays.copyOf(file, left), MAX_PIXELS)
                            .rgb())
                    .isEqualTo(whole);
        }
    }

    @Test
    void aProgressiveJpegCutBetweenItsScansIsTruncated() throws Exception {
        byte[] file = read("ycc-444-progressive.jpg");
        String bytes = new String(file, StandardCharsets.ISO_8859_1);
        int scans = 0;
        for (int next = bytes.indexOf("\u00ff\u00da"); next > 0; next = bytes.indexOf("\u00ff\u00da", next + 2)) {
            int huffmanTable = bytes.lastIndexOf("\u00ff\u00c4", next);
            int end = huffmanTable > bytes.lastIndexOf("\u00ff\u00da", next - 1) ? huffmanTable : next;
            assertThat(refusal(Arrays.copyOf(file, end)).reason()).isEqualTo(Reason.TRUNCATED);
            scans++;
        }
        assertThat(scans).isGreaterThan(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"srgb-profile.jpg", "broken-profile.jpg"})
    void aJpegsProfileThatIsSrgbsOrBrokenChangesNoByte(String name) throws Exception {
        assertThat(ImageDecoder.decode(read(name), MAX_PIXELS).rgb())
                .isEqualTo(ImageDecoder.decode(read("ycc-420.jpg"), MAX_PIXELS).rgb());
    }

    @Test
    void aProfileIsAppliedAlikeByManyThreads() throws Exception {
        byte[] file = read("profile-adobe-rgb.png");
        byte[] expected = ImageDecoder.decode(file, MAX_PIXELS).rgb();

        IntStream.range(0, 200).parallel().forEach(i -> {
            try {
                assertThat(ImageDecoder.decode(file, MAX_PIXELS).rgb()).isEqualTo(expected);
            } catch (UnreadableImage e) {
                throw new AssertionError(e);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"ycc-420.jpg", "restart-markers.jpg", "cmyk-adobe.jpg", "grey.jpg"})
    void aCutJpegWithAnEndMarkerPutAfterItIsTruncated(String name) throws Exception {
        byte[] cut = Arrays.copyOf(read(name), read(name).length * 7 / 10);
        cut[cut.length - 2] = (byte) 0xff;
        cut[cut.length - 1] = (byte) 0xd9;

        assertThat(refusal(cut).reason()).isEqualTo(Reason.TRUNCATED);
    }

    @ParameterizedTest
    @MethodSource("files")
    void damageAnywhereGivesPixelsOrAReasonAndNothingElse(String name) throws Exception {
        Random random = new Random(7);
        for (int trial = 0; trial < 25; trial++) {
            byte[] file = read(name);
            for (int change = 0; change <= trial % 4; change++) {
                file[random.nextInt(file.length)] = (byte) random.nextInt(256);
            }
            try {
                assertThat(ImageDecoder.decode(file, MAX_PIXELS).rgb()).isNotEmpty();
            } catch (UnreadableImage e) {
                assertThat(e.detail()).isNotBlank();
            }
        }
    }

    @Test
    void aPngWhoseDataHasAWrongChecksumIsBroken() throws Exception {
        byte[] file = read("rgb.png");
        file[file.length / 2] ^= 4;

        assertThat(refusal(file).reason()).isEqualTo(Reason.BROKEN);
        assertThat(refusal(file).detail()).contains("IDAT");
    }

    static List<Arguments> pictures() {
        return List.of(
                arguments("AVIF", "0000001c" + text("ftypavif") + "00000000" + text("mif1miaf")),
                arguments("AVIF", "00000020" + text("ftypmif1") + "00000000" + text("mif1avifmiaf")),
                arguments("HEIC", "00000024" + text("ftypheic") + "00000000" + text("mif1heic")),
                arguments("HEIC", "0000001c" + text("ftypmif1") + "00000000" + text("mif1heic")),
                arguments("HEIF", "00000018" + text("ftypmif1") + "00000000" + text("mif1")),
                arguments("a camera's RAW (CR3)", "00000018" + text("ftypcrx ") + "00000001" + text("crx isom")),
                arguments("JPEG XL", "0000000c4a584c200d0a870a00000014" + text("ftypjxl ")),
                arguments("JPEG XL", "ff0afa1f0190"),
                arguments("JPEG 2000", "0000000c6a5020200d0a870a00000014" + text("ftypjp2 ")),
                arguments("JPEG 2000", "ff4fff51002f"),
                arguments("JPEG-LS", "ffd8fff7000b08"),
                arguments("JPEG XR", "4949bc0120000000"),
                arguments("SVG", text("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")),
                arguments("SVG", "efbbbf" + text("<?xml version=\"1.0\"?>\n<!-- made by hand -->\n<svg width=\"1\"/>")),
                arguments(
                        "SVG",
                        text(
                                "<?xml version=\"1.0\"?>\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"x\">\n<svg>")),
                arguments("Photoshop's PSD", text("8BPS") + "0001000000000000"),
                arguments("PDF", text("%PDF-1.7")),
                arguments("PostScript", text("%!PS-Adobe-3.0 EPSF-3.0")),
                arguments("ICO", "00000100010010100000010020006804"),
                arguments("OpenEXR", "762f310102000000"),
                arguments("Radiance HDR", text("#?RADIANCE\n")),
                arguments("DDS", text("DDS ") + "7c000000"),
                arguments("a camera's RAW", "49492a001000000043520200"),
                arguments("a camera's RAW", text("FUJIFILMCCD-RAW 0201")),
                arguments("a camera's RAW", text("IIRO") + "08000000"),
                arguments("BigTIFF", "49492b0008000000"),
                arguments("TGA", "000002000000000000000000040003001820" + "00".repeat(36)),
                arguments("TGA", "01".repeat(30) + text("TRUEVISION-XFILE.") + "00"),
                arguments("QOI", text("qoif") + "00000004"),
                arguments("Netpbm", text("P6\n61 43\n255\n")),
                arguments("DICOM", "00".repeat(128) + text("DICM")),
                arguments("GIMP's XCF", text("gimp xcf v011")));
    }

    /** First bytes by the formats' own specifications. */
    @ParameterizedTest
    @MethodSource("pictures")
    void aPictureThatIsNotReadIsNamed(String format, String bytes) {
        UnreadableImage refusal = refusal(HexFormat.of().parseHex(bytes));

        assertThat(refusal.reason()).isEqualTo(Reason.UNSUPPORTED);
        assertThat(refusal.detail())
                .startsWith("expected JPEG, PNG, WebP, GIF, BMP or TIFF, the file is " + format)
                .endsWith("; convert it to PNG or JPEG");
    }

    static List<Arguments> noPictures() {
        return List.of(
                arguments("an HTML page; download the picture itself", text("<!DOCTYPE html>\n<html lang=\"en\">")),
                arguments("an HTML page; download the picture itself", text("\n<HTML><head>")),
                arguments("an XML document", text("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>")),
                arguments(
                        "a Git LFS pointer; fetch the picture with git lfs pull",
                        text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")),
                arguments("a video", "00000018" + text("ftypmp42") + "00000000" + text("isommp42")),
                arguments("an archive", text("PK") + "0304140000"),
                arguments("an archive", "1f8b0800"),
                arguments("Parquet", text("PAR1") + "1504"),
                arguments("macOS's notes", "0005160700020000"),
                arguments("Windows' thumbnails", "d0cf11e0a1b11ae1"),
                arguments("all 5000 bytes are zero; copy or download the file again", "00".repeat(5000)),
                arguments("text, \"a note on kittens, é\"", text("a note\non  kittens, é\n")),
                arguments("text, \"{\"message\": \"not found\"}\"", text("{\"message\": \"not found\"}")),
                arguments("text, \"éééé", text("é".repeat(3000))),
                arguments("begins with fe01fe01fe01fe01fe01fe01;", "fe01".repeat(50)),
                arguments("begins with ff;", "ff"));
    }

    @ParameterizedTest
    @MethodSource("noPictures")
    void aFileThatIsNoImageIsNamed(String found, String bytes) {
        UnreadableImage refusal = refusal(HexFormat.of().parseHex(bytes));

        assertThat(refusal.reason()).isEqualTo(Reason.NOT_AN_IMAGE);
        assertThat(refusal.detail())
                .startsWith("expected JPEG, PNG, WebP, GIF, BMP or TIFF, ")
                .contains(found)
                .doesNotContain("\n");
    }

    @Test
    void anEmptyFileIsSaidToBeEmpty() {
        assertThat(refusal(new byte[0]).reason()).isEqualTo(Reason.EMPTY);
        assertThat(refusal(new byte[0]).detail()).isEqualTo("the file has no bytes; copy or download it again");
    }

    @ParameterizedTest
    @CsvSource({
        "refused-dng.tif, a camera's RAW",
        "refused-lab.tif, TIFF with colours Lab",
        "refused-float.tif, TIFF with [8] signed or floating-point bits a sample",
        "refused-zstandard.tif, TIFF with Zstandard"
    })
    void aKindOfTiffThatIsNotReadIsNamed(String name, String kind) throws Exception {
        assertThat(refusal(read(name)).reason()).isEqualTo(Reason.UNSUPPORTED);
        assertThat(refusal(read(name)).detail()).contains("the file is " + kind + "; convert it to PNG or JPEG");
    }

    @Test
    void aTiffWhoseStripIsShorterThanItsRowsIsBroken() throws Exception {
        byte[] file = read("rgb-plain.tif");
        int lastStrip = new String(file, StandardCharsets.ISO_8859_1).lastIndexOf("\u00dd\7\0\0"); // 2013 bytes
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(lastStrip, 2012);

        assertThat(refusal(file).reason()).isEqualTo(Reason.BROKEN);
    }

    /** Such a tile would take 16 GiB, though the image is small. */
    @Test
    void aTileLargerThanAnyImageIsRefused() throws Exception {
        byte[] file = read("rgb-tiles.tif");
        String bytes = new String(file, StandardCharsets.ISO_8859_1);
        for (String tag : List.of("B\1", "C\1")) {
            ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putShort(bytes.indexOf(tag + "\3\0\1") + 8, (short)
                    60_000);
        }

        assertThat(refusal(file).reason()).isEqualTo(Reason.TOO_LARGE);
    }

    private static String text(String text) {
        return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aKindOfAlphaThatTheCodecWouldDropIsUnsupported() throws Exception {
        assertThat(refusal(read("plain-alpha.webp")).reason()).isEqualTo(Reason.UNSUPPORTED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ycc-420.jpg", "rgb.png", "lossy.webp", "lossless.webp", "palette.gif", "rgb.bmp", "rgb-lzw.tif"
            })
    void theLimitIsOnWidthTimesHeight(String name) throws Exception {
        assertThat(ImageDecoder.decode(read(name), 61 * 43).width()).isEqualTo(61);
        UnreadableImage refusal =
                catchThrowableOfType(UnreadableImage.class, () -> ImageDecoder.decode(read(name), 61 * 43 - 1));
        assertThat(refusal.reason()).isEqualTo(Reason.TOO_LARGE);
        assertThat(refusal.detail()).contains("61×43").contains("2622");
    }

    @ParameterizedTest
    @CsvSource({"ycc-420.jpg, 163", "rgb.png, 16", "palette.gif, 6", "run-length.bmp, 18"})
    void aDecompressionBombIsRefusedByItsHeader(String name, int sizeAt) throws Exception {
        byte[] file = read(name);
        ByteBuffer header = ByteBuffer.wrap(file);
        switch (name) {
            case "rgb.png" -> {
                header.putInt(sizeAt, 60_000).putInt(sizeAt + 4, 60_000);
                CRC32 crc = new CRC32();
                crc.update(file, 12, 17);
                header.putInt(29, (int) crc.getValue());
            }
            case "run-length.bmp" ->
                header.putInt(sizeAt, Integer.reverseBytes(20_000)).putInt(sizeAt + 4, Integer.reverseBytes(20_000));
            default -> header.putShort(sizeAt, (short) 60_000).putShort(sizeAt + 2, (short) 60_000);
        }

        UnreadableImage refusal =
                catchThrowableOfType(UnreadableImage.class, () -> ImageDecoder.decode(file, 100_000_000));

        assertThat(refusal.reason()).isEqualTo(Reason.TOO_LARGE);
    }

    @Test
    void damagedExifTurnsNothing() throws Exception {
        byte[] file = read("exif-6.jpg");
        int tiff = new String(file, StandardCharsets.ISO_8859_1).indexOf("Exif\0\0") + 6;
        Arrays.fill(file, tiff + 4, tiff + 8, (byte) 0x7f);

        assertThat(ImageDecoder.decode(file, MAX_PIXELS).rgb())
                .isEqualTo(readPpm("ycc-422.jpg.ppm").rgb());
    }

    private static UnreadableImage refusal(byte[] file) {
        return catchThrowableOfType(UnreadableImage.class, () -> ImageDecoder.decode(file, MAX_PIXELS));
    }

    private static byte[] read(String name) throws IOException {
        return Files.readAllBytes(IMAGES.resolve(name));
    }

    private static Pixels readPpm(String name) throws IOException {
        byte[] bytes = read(name);
        String[] header = new String(bytes, 0, 16, StandardCharsets.ISO_8859_1).split("\\s", 4);
        int width = Integer.parseInt(header[1]);
        int height = Integer.parseInt(header[2]);
        return new Pixels(width, height, Arrays.copyOfRange(bytes, bytes.length - 3 * width * height, bytes.length));
    }
}
