package latentmix.study;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.plan.ClassPool;
import latentmix.plan.GenerationChunk;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.GeneratedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.work.GeneratedMixtures;

/** The images of one class's mixtures, found by their entry's settings and their number in it. */
final class MixtureImages {
    /** The place of a mixture. */
    private record Place(String chunk, String mixId) {}

    private final GeneratedMixtures tables;
    private final Map<String, Map<Integer, Place>> places = new HashMap<>(); // by settings id and number

    private MixtureImages(RunFolder run, String classId) {
        this.tables = new GeneratedMixtures(run, classId);
    }

    /** Lists the mixtures of a pool. */
    static MixtureImages of(RunFolder run, ClassPool pool) throws IOException {
        MixtureImages images = new MixtureImages(run, pool.classId());
        MixedTable table = new MixedTable(run, pool.classId());
        String poolId = pool.id(run);
        for (String chunk : table.chunks()) {
            for (MixedTable.Key key : table.keys(chunk)) {
                if (key.poolId().equals(poolId)) {
                    images.places
                            .computeIfAbsent(key.settingsId(), id -> new HashMap<>())
                            .put(key.k(), new Place(chunk, key.mixId()));
                }
            }
        }
        return images;
    }

    /**
     * The first mixtures' images by number; those that were refused are missing.
     *
     * @param mixing the mixtures' settings id
     * @param generation the images' settings id
     */
    Map<Integer, Pixels> open(String mixing, String generation, int count) throws IOException {
        Map<Integer, Pixels> images = new HashMap<>();
        Map<String, Map<String, GeneratedTable.Image>> files = new HashMap<>();
        Map<Integer, Place> own = places.getOrDefault(mixing, Map.of());
        for (int k = 0; k < count; k++) {
            Place place = own.get(k);
            if (place == null) {
                continue;
            }
            String chunk = GenerationChunk.id(generation, place.chunk());
            if (!files.containsKey(chunk)) {
                files.put(chunk, tables.images(chunk, GeneratedTable.Image.class));
            }
            GeneratedTable.Image image = files.get(chunk).get(place.mixId());
            if (image != null) {
                images.put(k, decoded(image.image()));
            }
        }
        return images;
    }

    private static Pixels decoded(EncodedImage image) {
        try {
            return ImageDecoder.decode(image.bytes(), Integer.MAX_VALUE);
        } catch (UnreadableImage e) {
            throw new IllegalStateException("An image of the generated table must decode: " + e.detail(), e);
        }
    }
}
