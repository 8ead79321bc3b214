package latentmix.plan;

import java.io.Serializable;
import java.util.List;

/**
 * A class's rows of the images table, by chunk.
 *
 * @param rejected files of the class that are not in the table
 */
public record Catalog(ClassLabel label, List<Chunk> chunks, long rejected) implements Serializable {
    /** A chunk, the images table's file that holds it and its number of rows. */
    public record Chunk(String file, String id, int rows) implements Serializable {}

    /** Images in the table. */
    public long images() {
        return chunks.stream().mapToLong(Chunk::rows).sum();
    }
}
