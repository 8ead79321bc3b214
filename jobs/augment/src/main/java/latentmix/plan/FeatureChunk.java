package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import java.util.Set;
import latentmix.table.ContentId;

/**
 * A chunk of images.
 *
 * @param id the chunk's id in the features table
 * @param file the table's file that lists it
 * @param chunk its id there
 * @param rows images that count
 * @param leftOut the ids of its other images: they are not shown, and not used where they were
 */
public record FeatureChunk(
        String id, String classId, Source source, String file, String chunk, int rows, List<String> leftOut)
        implements OfClass, Serializable {
    public FeatureChunk {
        leftOut = List.copyOf(leftOut);
    }

    /**
     * The features, under these settings, of a chunk of a source.
     *
     * @param done the chunks of features that stand
     */
    public static FeatureChunk of(
            String settingsId,
            String classId,
            Source source,
            String file,
            String chunk,
            int rows,
            List<String> leftOut,
            Set<String> done) {
        String whole = ContentId.of(settingsId, source.name(), classId, chunk);
        return new FeatureChunk(Catalog.made(whole, leftOut, done), classId, source, file, chunk, rows, leftOut);
    }

    /** The features of a whole chunk. */
    public static FeatureChunk of(
            String settingsId, String classId, Source source, String file, String chunk, int rows) {
        return of(settingsId, classId, source, file, chunk, rows, List.of(), Set.of());
    }

    /** The same of the images of a class that count, which are listed. */
    public static List<FeatureChunk> of(String settingsId, Source source, Catalog catalog, Set<String> done) {
        return catalog.chunks().stream()
                .map(chunk -> of(
                        settingsId,
                        catalog.label().classId(),
                        source,
                        chunk.file(),
                        chunk.id(),
                        chunk.rows(),
                        chunk.leftOut(),
                        done))
                .toList();
    }

    /** Which images its features that count are of: what a measurement's name is made of. */
    public String content() {
        return leftOut.isEmpty() ? id : id + " without " + String.join(" ", leftOut);
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
