package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import latentmix.table.ContentId;

/**
 * A chunk of the mixed table.
 *
 * @param id the chunk's id in the generated table
 * @param mixed its id in the mixed table
 * @param inverted the chunks of the inverted table that hold its inputs
 */
public record GenerationChunk(String id, ClassLabel label, String mixed, List<String> inverted, int rows)
        implements OfClass.Labelled, Serializable {
    /** The chunk that is generated of this one of the mixed table. */
    public static GenerationChunk of(String settingsId, MixedChunk mixed) {
        return new GenerationChunk(
                id(settingsId, mixed.id()), mixed.label(), mixed.id(), mixed.inverted(), mixed.rows());
    }

    /** The chunk's id in the generated table: what it holds and how it is generated. */
    public static String id(String settingsId, String mixed) {
        return ContentId.of(settingsId, mixed);
    }
}
