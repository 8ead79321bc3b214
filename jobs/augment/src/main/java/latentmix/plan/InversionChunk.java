package latentmix.plan;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import latentmix.table.ContentId;

/**
 * A chunk of the images table.
 *
 * @param id the chunk's id in the inverted table
 * @param file the images table's file that holds it
 * @param images the chunk's id in the images table
 * @param captions the hash of what all its images are told; empty where all are told their class's prompt
 * @param rows images that count
 * @param leftOut the ids of its other images: they are not inverted, and not used where they were
 */
public record InversionChunk(
        String id, ClassLabel label, String file, String images, String captions, int rows, List<String> leftOut)
        implements OfClass.Labelled, Serializable {
    public InversionChunk {
        leftOut = List.copyOf(leftOut);
    }

    /**
     * The chunks that a class's images are inverted in.
     *
     * @param done the chunks that stand
     */
    public static List<InversionChunk> of(String settingsId, Catalog catalog, Set<String> done) {
        ClassLabel label = catalog.label();
        return catalog.chunks().stream()
                .map(images -> new InversionChunk(
                        Catalog.made(
                                id(settingsId, label.prompt(), images.id(), images.captions()), images.leftOut(), done),
                        label,
                        images.file(),
                        images.id(),
                        images.captions(),
                        images.rows(),
                        images.leftOut()))
                .toList();
    }

    /** The id in the inverted table of a whole chunk: what it holds, and how and with which prompts it is inverted. */
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
