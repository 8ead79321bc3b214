package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import latentmix.table.ContentId;

/**
 * A chunk of verdicts, on the images of a chunk of the generated table.
 *
 * @param id the chunk's id in the judged table: it tells all that verdicts depend on, the images before it included
 * @param mixingId the settings id of its mixtures
 * @param mixed the id of the mixed table's chunk
 * @param generated the id of the generated table's
 * @param first the least k of its mixtures
 * @param rows mixtures
 * @param kept how many of them enter the dataset, the first ones by k that are kept
 */
public record JudgedChunk(
        String id, ClassLabel label, String mixingId, String mixed, String generated, int first, int rows, int kept)
        implements OfClass.Labelled, Serializable {
    /**
     * The id of a chunk.
     *
     * @param real the hash of the real images that it is judged by
     * @param before the id of the chunk before it; empty for the first one
     */
    static String id(String filterId, String real, long sample, String before, String generated) {
        return ContentId.of(List.of(filterId, real, Long.toString(sample), before, generated));
    }

    /** The same with so many images for the dataset. */
    JudgedChunk keeping(int images) {
        return new JudgedChunk(id, label, mixingId, mixed, generated, first, rows, images);
    }
}
