package latentmix.plan;

import java.io.Serializable;
import latentmix.table.ContentId;

/**
 * A chunk of the mixed table.
 *
 * @param id the chunk's id in the generated table
 * @param mixed its id in the mixed table
 */
public record GenerationChunk(String id, ClassLabel label, String mixed, int rows)
        implements OfClass.Labelled, Serializable {
    /** The chunk that is generated of this one of the mixed table. */
    public static GenerationChunk of(String settingsId, MixedChunk mixed) {
        return new GenerationChunk(id(settingsId, mixed.id()), mixed.label(), mixed.id(), mixed.rows());
    }

    /** The chunk's id in the generated table: what it holds and how it is generated. */
    public static String id(String settingsId, String mixed) {
        return ContentId.of(settingsId, mixed);
    }
}
