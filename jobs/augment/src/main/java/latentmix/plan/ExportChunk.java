package latentmix.plan;

import java.io.Serializable;
import latentmix.table.ContentId;

/**
 * A chunk of the generated table.
 *
 * @param id the chunk's id in the dataset
 * @param generated its id in the generated table
 * @param mixed the id of the mixed table's chunk that it was generated from
 * @param rows so many of the mixtures, in order, are asked for
 */
public record ExportChunk(String id, ClassLabel label, String generated, String mixed, int rows)
        implements OfClass.Labelled, Serializable {
    /** The chunk of these mixtures; its id tells what is in it and under which features. */
    public static ExportChunk of(ClassLabel label, String generated, MixedChunk mixed, String features) {
        String id = ContentId.of(features, generated, Integer.toString(mixed.asked()));
        return new ExportChunk(id, label, generated, mixed.id(), mixed.asked());
    }
}
