package latentmix.plan;

import java.io.Serializable;
import latentmix.table.ContentId;

/**
 * A chunk of the mixed table.
 *
 * @param id the chunk's id in the generated table
 * @param pool what its mixtures are drawn from
 * @param mixed its id in the mixed table
 */
public record GenerationChunk(String id, ClassPool pool, String mixed, int rows)
        implements OfClass.Labelled, Serializable {
    /** The chunk that is generated of this one of the mixed table. */
    public static GenerationChunk of(String settingsId, MixedChunk mixed) {
        return new GenerationChunk(id(settingsId, mixed.id()), mixed.pool(), mixed.id(), mixed.rows());
    }

    @Override
    public ClassLabel label() {
        return pool.label();
    }

    /** The chunk's id in the generated table: what it holds and how it is generated. */
    public static String id(String settingsId, String mixed) {
        return ContentId.of(settingsId, mixed);
    }
}
