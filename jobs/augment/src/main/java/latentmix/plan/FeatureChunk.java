package latentmix.plan;

import java.io.Serializable;
import latentmix.table.ContentId;

/**
 * A chunk of images.
 *
 * @param id the chunk's id in the features table
 * @param file the table's file that lists it
 * @param chunk its id there
 */
public record FeatureChunk(String id, String classId, Source source, String file, String chunk, int rows)
        implements OfClass, Serializable {
    /** The features, under these settings, of a chunk of a source. */
    public static FeatureChunk of(
            String settingsId, String classId, Source source, String file, String chunk, int rows) {
        return new FeatureChunk(
                ContentId.of(settingsId, source.name(), classId, chunk), classId, source, file, chunk, rows);
    }

    /** Where the images of a chunk are. */
    public enum Source {
        /** The generated table. */
        GENERATED,
        /** The input's files, as the images table lists them. */
        INPUT,
        /** The reference's files. */
        REFERENCE,
        /** The encoded latents of the inverted table, decoded again. */
        RECONSTRUCTION
    }
}
