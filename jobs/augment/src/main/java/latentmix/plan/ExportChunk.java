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
 * @param share of the generated chunk's rows that these are, 0 to 1
 */
public record ExportChunk(String id, ClassLabel label, String generated, String mixed, int rows, double share)
        implements OfClass.Labelled, Serializable {
    /** The chunk of these mixtures; its id tells what is in it and as what it is exported. */
    public static ExportChunk of(String generationId, MixedChunk mixed, String exportId) {
        String generated = GenerationChunk.id(generationId, mixed.id());
        String id = ContentId.of(exportId, generated, Integer.toString(mixed.exported()));
        double share = (double) mixed.exported() / mixed.rows();
        return new ExportChunk(id, mixed.label(), generated, mixed.id(), mixed.exported(), share);
    }
}
