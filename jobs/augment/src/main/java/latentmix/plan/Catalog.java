package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * A class's rows of the images table, by chunk, and what lies beside them.
 *
 * @param refused files of the class that are not in the table, by reason
 * @param ignored what is no image by its name, by kind; empty where nobody looked
 * @param unread images that a scan would have to read to know them
 * @param standingConflicts images in the table that another class has, too, since it got them later
 * @param uncaptioned images that have no caption where captions are asked for
 */
public record Catalog(
        ClassLabel label,
        List<Chunk> chunks,
        Map<String, Long> refused,
        Map<String, Long> ignored,
        long unread,
        long standingConflicts,
        long uncaptioned)
        implements Serializable {
    /**
     * A chunk, the images table's file that holds it and its number of rows.
     *
     * @param captions the hash of what its images are told; empty where all are told their class's prompt
     */
    public record Chunk(String file, String id, int rows, String captions) implements Serializable {}

    /** Images in the table. */
    public long images() {
        return chunks.stream().mapToLong(Chunk::rows).sum();
    }

    /** Files that are not in the table. */
    public long rejected() {
        return refused.values().stream().mapToLong(Long::longValue).sum();
    }
}
