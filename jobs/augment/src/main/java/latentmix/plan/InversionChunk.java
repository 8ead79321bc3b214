package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import latentmix.table.ContentId;

/**
 * A chunk of the images table.
 *
 * @param id the chunk's id in the inverted table
 * @param file the images table's file that holds it
 * @param images the chunk's id in the images table
 */
public record InversionChunk(String id, ClassLabel label, String file, String images, int rows)
        implements OfClass.Labelled, Serializable {
    /** The chunks that a class's images are inverted in. */
    public static List<InversionChunk> of(String settingsId, Catalog catalog) {
        ClassLabel label = catalog.label();
        return catalog.chunks().stream()
                .map(images -> new InversionChunk(
                        id(settingsId, label.prompt(), images.id()), label, images.file(), images.id(), images.rows()))
                .toList();
    }

    /** The chunk's id in the inverted table: what it holds, and how and with which prompt it is inverted. */
    public static String id(String settingsId, String prompt, String images) {
        return ContentId.of(settingsId, prompt, images);
    }
}
