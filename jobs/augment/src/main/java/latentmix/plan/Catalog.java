package latentmix.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import latentmix.table.ContentId;

/**
 * A class's rows of the images table that count, by chunk, and what lies beside them.
 *
 * @param chunks those with an image that counts
 * @param leftOut rows of the table that do not count now, by why
 * @param refused files of the class that are not in the table, by reason
 * @param ignored what is no image by its name, by kind
 * @param unreadable images of a format that is not read, by the suffix of their name; only foreseen
 * @param unread images that a scan would have to read to know them
 * @param uncaptioned images that have no caption where captions are asked for
 */
public record Catalog(
        ClassLabel label,
        List<Chunk> chunks,
        Map<String, Long> leftOut,
        Map<String, Long> refused,
        Map<String, Long> ignored,
        Map<String, Long> unreadable,
        long unread,
        long uncaptioned)
        implements Serializable {
    /**
     * A chunk.
     *
     * @param file the images table's file that holds it
     * @param rows images that count
     * @param captions the hash of what all its images are told; empty where all are told their class's prompt
     * @param leftOut the ids of its images that do not count, sorted
     */
    public record Chunk(String file, String id, int rows, String captions, List<String> leftOut)
            implements Serializable {
        public Chunk {
            leftOut = List.copyOf(leftOut);
        }

        /** What its images are, now that some are left out. */
        public String content() {
            return without(id, leftOut);
        }
    }

    /**
     * The chunk of a later table that holds what is made of a chunk's images: the whole one where it stands, whose
     * other rows are not used, else one without them.
     *
     * @param whole its id where no image is left out
     * @param done the chunks that stand
     */
    static String made(String whole, List<String> leftOut, Set<String> done) {
        return done.contains(whole) ? whole : without(whole, leftOut);
    }

    /** The id of what is made of a chunk without some of its images. */
    static String without(String whole, List<String> leftOut) {
        if (leftOut.isEmpty()) {
            return whole;
        }
        List<String> parts = new ArrayList<>(leftOut);
        parts.add(0, whole);
        return ContentId.of(parts);
    }

    /** The same of a class that is told something else. */
    public Catalog told(ClassLabel told) {
        return new Catalog(told, chunks, leftOut, refused, ignored, unreadable, unread, uncaptioned);
    }

    /** Images that count. */
    public long images() {
        return chunks.stream().mapToLong(Chunk::rows).sum();
    }

    /** Files that are not in the table. */
    public long rejected() {
        return refused.values().stream().mapToLong(Long::longValue).sum();
    }
}
