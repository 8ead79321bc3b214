package latentmix.work;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import latentmix.plan.GenerationChunk;
import latentmix.table.GeneratedTable;
import latentmix.table.GeneratedTable.Generated;
import latentmix.table.MixedTable;
import latentmix.table.MixedTable.Mixture;
import latentmix.table.RunFolder;

/** Mixtures of one class beside the images that were generated from them: rows of the same mix id. */
public final class GeneratedMixtures {
    /**
     * A mixture and its image.
     *
     * @param image empty where generation refused the mixture or has not come to it yet
     */
    public record Pair<M extends Mixture, G extends Generated>(M mixture, Optional<G> image) {}

    private final MixedTable mixed;
    private final GeneratedTable generated;

    public GeneratedMixtures(RunFolder run, String classId) {
        this.mixed = new MixedTable(run, classId);
        this.generated = new GeneratedTable(run, classId);
    }

    /**
     * The mixtures of a chunk that are asked for, in the file's order. Their images are read only where there are any.
     *
     * @param generatedChunk the id of the chunk that was generated from them, which must be done
     */
    public <M extends Record & Mixture, G extends Record & Generated> List<Pair<M, G>> chunk(
            String mixedChunk, String generatedChunk, Class<M> mixture, Class<G> image, Predicate<M> asked)
            throws IOException {
        List<M> rows = asked(mixedChunk, mixture, asked);
        return rows.isEmpty() ? List.of() : pairs(rows, images(generatedChunk, image));
    }

    /**
     * All mixtures of the class that are asked for, generated or not, chunk by chunk in the files' order.
     *
     * @param generationId the settings id of the images
     */
    public <M extends Record & Mixture, G extends Record & Generated> List<Pair<M, G>> all(
            String generationId, Class<M> mixture, Class<G> image, Predicate<M> asked) throws IOException {
        Set<String> done = generated.chunks();
        List<Pair<M, G>> pairs = new ArrayList<>();
        for (String chunk : mixed.chunks()) {
            List<M> rows = asked(chunk, mixture, asked);
            String images = GenerationChunk.id(generationId, chunk);
            boolean generated = !rows.isEmpty() && done.contains(images);
            pairs.addAll(pairs(rows, generated ? images(images, image) : Map.of()));
        }
        return pairs;
    }

    private <M extends Record & Mixture> List<M> asked(String chunk, Class<M> columns, Predicate<M> asked)
            throws IOException {
        return mixed.mixtures(chunk, columns).stream().filter(asked).toList();
    }

    /** The images of a chunk of the generated table, by mix id. */
    public <G extends Record & Generated> Map<String, G> images(String chunk, Class<G> columns) throws IOException {
        Map<String, G> images = new HashMap<>();
        generated.rows(chunk, columns).forEach(row -> images.put(row.mixId(), row));
        return images;
    }

    private static <M extends Record & Mixture, G extends Record & Generated> List<Pair<M, G>> pairs(
            List<M> mixtures, Map<String, G> images) {
        return mixtures.stream()
                .map(row -> new Pair<M, G>(row, Optional.ofNullable(images.get(row.mixId()))))
                .toList();
    }
}
