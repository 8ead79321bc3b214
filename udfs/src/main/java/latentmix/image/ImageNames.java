package latentmix.image;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which files of a folder claim to be images by their names. Only the content says whether such a claim is true, and
 * {@link ImageDecoder} judges that.
 */
public final class ImageNames {
    /** Suffixes of pictures, with those that no decoder here reads: such a file is refused, not passed over. */
    private static final Set<String> SUFFIXES = Arrays.stream(
                    """
                    jpg jpeg jpe jfif jfi jif pjpeg pjp jpeg_large jpg_large png apng webp gif bmp dib tif tiff btf
                    heic heif heics heifs hif avif avifs jxl jp2 j2k j2c jpc jpf jpx jpm jph jhc jls jxr wdp hdp
                    svg svgz psd psb xcf kra ico cur icns exr hdr dds tga icb vda vst pcx qoi flif bpg mng jng
                    ppm pgm pbm pnm pam pfm xbm xpm wbmp sgi ras fit fits dcm
                    raw cr2 cr3 crw nef nrw dng arw srf sr2 orf rw2 rwl raf pef srw x3f erf kdc dcr mrw 3fr mef mos iiq gpr
                    """
                            .split("\\s+"))
            .collect(Collectors.toUnmodifiableSet());

    /** Those of the suffixes whose formats {@link ImageDecoder} reads. */
    private static final Set<String> READ = Arrays.stream(
                    """
                    jpg jpeg jpe jfif jfi jif pjpeg pjp jpeg_large jpg_large png apng webp gif bmp dib tif tiff
                    """
                            .split("\\s+"))
            .collect(Collectors.toUnmodifiableSet());

    /** Names without a suffix that systems and datasets put beside images. */
    private static final Set<String> SYSTEM = Set.of(
            "icon\r",
            "_success",
            "readme",
            "license",
            "licence",
            "copying",
            "authors",
            "makefile",
            "md5sums",
            "sha256sums");

    /** What stands after the last dot, if it can be a suffix: "v1.5" and "Mr. Smith" have none. */
    private static final Pattern SUFFIX = Pattern.compile(".*\\.(\\w*[a-z]\\w*)", Pattern.DOTALL);

    private ImageNames() {}

    /**
     * Whether a file is no image by its name: a hidden name, a system's, an editor's copy ("a~"), or a suffix that is
     * no picture's. A name without a suffix may be an image.
     *
     * @param fileName the last part of a path, in any case
     */
    public static boolean isIgnored(String fileName) {
        String name = fileName.toLowerCase(Locale.ROOT);
        if (name.startsWith(".") || name.endsWith("~") || SYSTEM.contains(name)) {
            return true;
        }
        Optional<String> suffix = suffix(name);
        return suffix.isPresent() && !SUFFIXES.contains(suffix.get());
    }

    /** The suffix of a picture's name whose format is not read here, such as {@code .heic}. */
    public static Optional<String> unreadable(String fileName) {
        return suffix(fileName.toLowerCase(Locale.ROOT))
                .filter(suffix -> SUFFIXES.contains(suffix) && !READ.contains(suffix))
                .map(suffix -> "." + suffix);
    }

    private static Optional<String> suffix(String name) {
        Matcher suffix = SUFFIX.matcher(name);
        return suffix.matches() ? Optional.of(suffix.group(1)) : Optional.empty();
    }
}
