package latentmix.image;

import static latentmix.image.UnreadableImage.Reason.NOT_AN_IMAGE;
import static latentmix.image.UnreadableImage.Reason.UNSUPPORTED;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * What a file is that no decoder here reads, by its bytes (<a href="https://www.iana.org/assignments/media-types">media
 * types</a>' own descriptions), and what to do with it.
 */
final class ForeignFile {
    private static final int LOOKED_AT = 1024;
    private static final int QUOTED = 40;

    /** A picture's format, by a pattern of the file's first bytes, a letter a byte. */
    private enum Picture {
        AVIF("AVIF", ".{4}ftyp(avi[fs]|(mif1|msf1|miaf).{4}(.{4})*?avi[fs])"),
        HEIC("HEIC", ".{4}ftyp((hei[cxms]|hev[cxms])|(mif1|msf1).{4}(.{4})*?(hei[cxms]|hev[cxms]))"),
        HEIF("HEIF", ".{4}ftyp(mif[12]|msf1|miaf|heif)"),
        CR3("a camera's RAW (CR3)", ".{4}ftypcrx "),
        JPEG_XL("JPEG XL", "\u00ff\n|\0\0\0\fJXL \r\n\u0087\n"),
        JPEG_2000("JPEG 2000", "\u00ffO\u00ffQ|\0\0\0\fjP  \r\n\u0087\n"),
        JPEG_LS("JPEG-LS", "\u00ff\u00d8\u00ff\u00f7"),
        JPEG_XR("JPEG XR", "II\u00bc[\0\1]"),
        SVG(
                "SVG",
                "(\u00ef\u00bb\u00bf)?\\s*(<\\?xml[^>]*>\\s*)?(<!--.*?-->\\s*)*(<!DOCTYPE svg.*?>\\s*)?(<!--.*?-->\\s*)*<svg[\\s>]"),
        PHOTOSHOP("Photoshop's PSD", "8BPS"),
        GIMP("GIMP's XCF", "gimp xcf"),
        PDF("PDF", "%PDF-"),
        POST_SCRIPT("PostScript", "%!PS|\u00c5\u00d0\u00d3\u00c6"),
        ICO("ICO", "\0\0[\1\2]\0[^\0]\0.{3}\0"),
        ICNS("ICNS", "icns"),
        EXR("OpenEXR", "v/1\1"),
        HDR("Radiance HDR", "#\\?(RADIANCE|RGBE)"),
        DDS("DDS", "DDS "),
        KTX("KTX", "\u00abKTX"),
        RAW("a camera's RAW", "II\\*\0.{4}CR|FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\0|FOVb|\0MR[MI]|II.{4}HEAPCCDR"),
        BIG_TIFF("BigTIFF", "II\\+\0|MM\0\\+"),
        QOI("QOI", "qoif"),
        FLIF("FLIF", "FLIF"),
        BPG("BPG", "BPG\u00fb"),
        MNG("MNG or JNG", "[\u008a\u008b][MJ]NG\r\n"),
        NETPBM("Netpbm (PPM, PGM, PBM, PAM)", "P[1-7]\\s"),
        PFM("PFM", "P[Ff]\n"),
        XPM("XPM", "/\\* XPM \\*/"),
        XBM("XBM", "#define \\w*width \\d"),
        PCX("PCX", "\n[\0\2\3\4\5]\1[\1\2\4\b]"),
        SGI("SGI", "\1\u00da[\0\1][\1\2]"),
        SUN_RASTER("Sun Raster", "Y\u00a6j\u0095"),
        FITS("FITS", "SIMPLE  ="),
        DICOM("DICOM", ".{128}DICM"),
        DJVU("DjVu", "AT&TFORM"),
        METAFILE("a Windows metafile", "\u00d7\u00cd\u00c6\u009a|\1\0\0\0.{36} EMF");

        private final String format;
        private final Pattern start;

        Picture(String format, String start) {
            this.format = format;
            this.start = Pattern.compile(start, Pattern.DOTALL);
        }
    }

    /** Something that is no picture, by a pattern of the file's first bytes, a letter a byte. */
    private enum Other {
        LFS("a Git LFS pointer; fetch the picture with git lfs pull", "version https://(git-lfs|hawser)\\."),
        HTML(
                "an HTML page; download the picture itself",
                "(\u00ef\u00bb\u00bf)?\\s*(<!--.*?-->\\s*)*(?i:<!doctype html|<html|<head|<body)"),
        XML("an XML document; download the picture itself", "(\u00ef\u00bb\u00bf)?\\s*<\\?xml"),
        VIDEO(
                "a video; extract its frames as PNG or JPEG",
                ".{4}ftyp|\u001aE\u00df\u00a3|RIFF.{4}AVI |\0\0\1[\u00b3\u00ba]"),
        ARCHIVE(
                "an archive or compressed; unpack it",
                "PK[\3\5]|\u001f\u008b\b|7z\u00bc\u00af|Rar!|\u00fd7zXZ|\\(\u00b5/\u00fd|BZh\\d|.{257}ustar"),
        PARQUET("Parquet; write its images as files in folders", "PAR1"),
        ARRAY("an array of NumPy or HDF5; save its pictures as PNG", "\u0093NUMPY|\u0089HDF\r\n"),
        APPLE_DOUBLE("macOS's notes on a file of the same name; remove it", "\0\5\u0016\7"),
        OLE("Windows' thumbnails or an office document; remove it", "\u00d0\u00cf\u0011\u00e0");

        private final String text;
        private final Pattern start;

        Other(String text, String start) {
            this.text = text;
            this.start = Pattern.compile(start, Pattern.DOTALL);
        }
    }

    private ForeignFile() {}

    /** The refusal of a file that has no decoder and at least one byte. */
    static UnreadableImage refusal(byte[] file) {
        String start = ImageDecoder.latin1(ByteBuffer.wrap(file), LOOKED_AT);
        for (Picture picture : Picture.values()) {
            if (picture.start.matcher(start).lookingAt()) {
                return picture(picture.format);
            }
        }
        for (Other other : Other.values()) {
            if (other.start.matcher(start).lookingAt()) {
                return new UnreadableImage(NOT_AN_IMAGE, expected("the file is " + other.text));
            }
        }
        if (isZero(file)) {
            return new UnreadableImage(
                    NOT_AN_IMAGE, expected("all " + file.length + " bytes are zero; copy or download the file again"));
        }
        if (isTarga(file)) {
            return picture("TGA");
        }
        return new UnreadableImage(NOT_AN_IMAGE, expected(content(file)));
    }

    /** The refusal of a picture's format. */
    static UnreadableImage picture(String format) {
        return new UnreadableImage(UNSUPPORTED, expected("the file is " + format + "; convert it to PNG or JPEG"));
    }

    private static String expected(String found) {
        return "expected JPEG, PNG, WebP, GIF, BMP or TIFF, " + found;
    }

    private static boolean isZero(byte[] file) {
        for (byte b : file) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    /** TGA has a mark at its end, since version 2; before, only a header of likely numbers. */
    private static boolean isTarga(byte[] file) {
        if (file.length < 18) {
            return false;
        }
        String end = new String(file, file.length - 18, 18, StandardCharsets.ISO_8859_1);
        boolean palette = file[1] == 1 && (file[2] == 1 || file[2] == 9) && (file[7] == 24 || file[7] == 32);
        boolean colours = file[1] == 0 && (file[2] & ~8) >= 2 && (file[2] & ~8) <= 3;
        boolean sized = (file[12] | file[13]) != 0 && (file[14] | file[15]) != 0 && (file[17] & 0xc0) == 0;
        boolean depth = file[16] == 8 || file[16] == 16 || file[16] == 24 || file[16] == 32;
        return end.equals("TRUEVISION-XFILE.\0") || ((palette || colours) && sized && depth);
    }

    private static String content(byte[] file) {
        byte[] start = Arrays.copyOf(file, Math.min(file.length, LOOKED_AT));
        int cut = start.length;
        while (file.length > LOOKED_AT && cut > LOOKED_AT - 4 && (start[cut - 1] & 0x80) != 0) { // half a letter
            cut--;
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(start, 0, cut))
                    .toString();
            if (text.codePoints().noneMatch(c -> Character.isISOControl(c) && !Character.isWhitespace(c))) {
                String line = text.strip().replaceAll("\\s+", " ");
                int end = line.offsetByCodePoints(0, Math.min(QUOTED, line.codePointCount(0, line.length())));
                return "the file is text, \"" + line.substring(0, end) + "\"; remove it or download the picture again";
            }
        } catch (CharacterCodingException noText) {
            // falls through to the bytes
        }
        String bytes = HexFormat.of().formatHex(file, 0, Math.min(12, file.length));
        return "the file begins with " + bytes + "; convert it to PNG or JPEG, or remove it";
    }
}
