package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import latentmix.table.ContentId;

/**
 * A chunk of the images table.
 *
 * @param id the chunk's id in the inverted table
 * @param file the images table's file that holds it
 * @param images the chunk's id in the images table
 * @param captions the hash of what its images are told; empty where all are told their class's prompt
 */
public record InversionChunk(String id, ClassLabel label, String file, String images, String captions, int rows)
        implements OfClass.Labelled, Serializable {
    /** The chunks that a class's images are inverted in. */
    public static List<InversionChunk> of(String settingsId, Catalog catalog) {
        ClassLabel label = catalog.label();
        return catalog.chunks().stream()
                .map(images -> new InversionChunk(
                        id(settingsId, label.prompt(), images.id(), images.captions()),
                        label,
                        images.file(),
                        images.id(),
                        images.captions(),
                        images.rows()))
                .toList();
    }

    /** The chunk's id in the inverted table: what it holds, and how and with which prompts it is inverted. */
    public static String id(String settingsId, String prompt, String images, String captions) {
        return captions.isEmpty()
                ? ContentId.of(settingsId, prompt, images)
                : ContentId.of(settingsId, prompt, images, captions);
    }

    /**
     * The hash of what images are told.
     *
     * @param prompt their class's
     * @param imageIds in the chunk's order
     * @param captions by image id, of those that have one
     */
    public static String captions(String prompt, List<String> imageIds, Map<String, String> captions) {
        List<String> told =
                imageIds.stream().map(id -> captions.getOrDefault(id, prompt)).toList();
        return told.stream().allMatch(prompt::equals) ? "" : ContentId.of(told);
    }
}
