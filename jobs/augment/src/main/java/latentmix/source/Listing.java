package latentmix.source;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import latentmix.image.ImageNames;
import latentmix.table.DigestRow;

/**
 * What a source has for a class. Everything that lies there is in one of the first three.
 *
 * @param images files that may be images, sorted by path
 * @param refused what should be an image and cannot be read as a file
 * @param ignored what is no image by its name, counted by kind, such as {@code .txt}
 * @param digests of images whose bytes the source knows already
 * @param captions by path, of images that have one
 */
public record Listing(
        List<ImageFile> images,
        List<Refused> refused,
        Map<String, Long> ignored,
        List<DigestRow> digests,
        Map<String, String> captions) {
    private static final int LONGEST_SUFFIX = 12; // what is longer is a part of a name

    /** Nothing. */
    public static final Listing EMPTY = new Listing(List.of());

    public Listing {
        images = List.copyOf(images);
        refused = List.copyOf(refused);
        digests = List.copyOf(digests);
        captions = Map.copyOf(captions);
        ignored = Collections.unmodifiableMap(new TreeMap<>(ignored));
    }

    /** Files that must be read to be known. */
    public Listing(List<ImageFile> images, List<Refused> refused, Map<String, Long> ignored) {
        this(images, refused, ignored, List.of(), Map.of());
    }

    /** Images alone. */
    public Listing(List<ImageFile> images) {
        this(images, List.of(), Map.of());
    }

    /**
     * Something that cannot be read.
     *
     * @param path as an image's would be
     * @param reason a short word to group by, as {@code rejected} has it
     * @param detail what was expected, what came and what to do
     */
    public record Refused(String path, String reason, String detail) implements Serializable {}

    /** How a file that is no image is counted, by its name. */
    public static String kind(String name) {
        if (name.startsWith(".")) {
            return "hidden";
        }
        int dot = name.lastIndexOf('.');
        String kind = name.substring(Math.max(dot, 0)).toLowerCase(Locale.ROOT);
        return kind.length() > LONGEST_SUFFIX ? "other" : kind;
    }

    /** Sorts what is found, file by file. */
    static final class Builder {
        private final List<ImageFile> images = new ArrayList<>();
        private final List<Refused> refused = new ArrayList<>();
        private final Map<String, Long> ignored = new TreeMap<>();
        private final List<DigestRow> digests = new ArrayList<>();
        private final Map<String, String> captions = new HashMap<>();

        /** Whether a file is no image by its name; then it is counted. */
        boolean ignores(String name) {
            boolean ignored = ImageNames.isIgnored(name);
            if (ignored) {
                ignore(kind(name));
            }
            return ignored;
        }

        void ignore(String kind) {
            ignored.merge(kind, 1L, Long::sum);
        }

        void image(ImageFile image) {
            images.add(image);
        }

        void known(DigestRow row) {
            image(new ImageFile(row.path(), row.length(), row.modified()));
            digests.add(row);
        }

        void caption(String path, String caption) {
            if (!caption.isEmpty()) {
                captions.put(path, caption);
            }
        }

        void refuse(String path, String reason, String detail) {
            refused.add(new Refused(path, reason, detail));
        }

        Listing listing() {
            images.sort(Comparator.comparing(ImageFile::path));
            refused.sort(Comparator.comparing(Refused::path));
            return new Listing(images, refused, ignored, digests, captions);
        }
    }
}
