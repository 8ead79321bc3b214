package latentmix.plan;

import java.io.Serializable;
import latentmix.table.ContentId;

/**
 * A chunk of the generated table.
 *
 * @param id the chunk's id in the dataset
 * @param generated its id in the generated table
 * @param mixed the id of the mixed table's chunk that it was generated from
 * @param rows how many of the mixtures, the first ones by k, enter the dataset
 */
public record ExportChunk(String id, ClassLabel label, String generated, String mixed, int rows)
        implements OfClass.Labelled, Serializable {
    /** The chunk of these mixtures; its id tells what is in it and under which features. */
    public static ExportChunk of(String generationId, MixedChunk mixed, String features) {
        String generated = GenerationChunk.id(generationId, mixed.id());
        String id = ContentId.of(features, generated, Integer.toString(mixed.exported()));
        return new ExportChunk(id, mixed.label(), generated, mixed.id(), mixed.exported());
    }

    /** The dataset's file that holds the chunk. */
    public String file() {
        return id + ".parquet";
    }
}
