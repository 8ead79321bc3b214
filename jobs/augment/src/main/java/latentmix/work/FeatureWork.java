package latentmix.work;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongConsumer;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.model.ImageClassifier;
import latentmix.model.ImageEncoder;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureSettings;
import latentmix.source.ImageSource;
import latentmix.table.FeatureRow;
import latentmix.table.FeaturesTable;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.GeneratedTable;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.InvertedTable;
import latentmix.table.InvertedTable.Encoded;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/** Shows a chunk of images to a network and publishes its features of them. */
public final class FeatureWork {
    /**
     * A network, and the settings of what it says.
     *
     * @param location its folder or file
     */
    public record Network(FeatureKind kind, String location, FeatureSettings settings, String settingsId)
            implements Serializable {}

    /**
     * Where real images are.
     *
     * @param input the input's images
     * @param reference the images to compare with: the input's where no others are named
     * @param referenceTables the folder of the tables that list the reference's images
     */
    public record Places(ImageSource input, ImageSource reference, String referenceTables, long maxPixels)
            implements Serializable {}

    /** A micro-batch's images, made by a decoder whose own was halved so often, or read. */
    private record Pictures(List<String> ids, List<Pixels> pixels, int halvings, int asked) {
        Pictures part(int from, int to, int halved) {
            return new Pictures(ids.subList(from, to), pixels.subList(from, to), halvings + halved, to - from);
        }
    }

    private record Part(List<FeatureVector> vectors, int halvings) {}

    private record Seen(List<Part> parts, int asked) {}

    private final RunFolder run;
    private final Network network;
    private final Places places;
    private final ModelOnDevice model;
    private final LongConsumer progress;
    private final List<RejectedRow> rejected = new ArrayList<>();

    /**
     * Work on one chunk.
     *
     * @param model the checkpoint, of which reconstructions need the decoder
     */
    public FeatureWork(RunFolder run, Network network, Places places, ModelOnDevice model, LongConsumer progress) {
        this.run = run;
        this.network = network;
        this.places = places;
        this.model = model;
        this.progress = progress;
    }

    /** Publishes the chunk's rejected rows, then its features. */
    public ChunkResult extract(FeatureChunk chunk) throws IOException {
        long start = System.nanoTime();
        String classId = chunk.classId();
        List<FeatureRow> rows =
                switch (chunk.source()) {
                    case GENERATED ->
                        features(classId, new GeneratedTable(run, classId).images(chunk.file()), this::generated);
                    case INPUT -> features(classId, listed(run, chunk), files(places.input(), run));
                    case REFERENCE ->
                        features(
                                classId,
                                listed(new RunFolder(places.referenceTables(), run.conf()), chunk),
                                files(places.reference(), new RunFolder(places.referenceTables(), run.conf())));
                    case RECONSTRUCTION ->
                        features(
                                classId,
                                counted(
                                        new InvertedTable(run, classId).allEncoded(chunk.file()),
                                        chunk,
                                        Encoded::imageId),
                                this::reconstructed);
                };
        new FeaturesTable(run, classId).commit(chunk.id(), rows, rejected);
        return new ChunkResult(rows.size(), rejected.size(), 0, (System.nanoTime() - start) / 1e9);
    }

    private static List<ImageRow> listed(RunFolder tables, FeatureChunk chunk) throws IOException {
        List<ImageRow> rows = new ImagesTable(tables, chunk.classId()).chunk(chunk.file(), chunk.chunk());
        return counted(rows, chunk, ImageRow::imageId);
    }

    private static <T> List<T> counted(List<T> rows, FeatureChunk chunk, Function<T, String> imageId) {
        Set<String> leftOut = Set.copyOf(chunk.leftOut());
        return rows.stream()
                .filter(row -> !leftOut.contains(imageId.apply(row)))
                .toList();
    }

    private <T> List<FeatureRow> features(String classId, List<T> images, Function<List<T>, Pictures> open) {
        List<FeatureRow> rows = new ArrayList<>();
        try (ImageEncoder encoder =
                network.kind().open(network.location(), network.settings().fingerprint(), model.device(), run.conf())) {
            Overlap.run(
                    Batches.of(images, network.settings().batch()),
                    open,
                    pictures -> new Seen(see(encoder, pictures), pictures.asked()),
                    seen -> {
                        for (Part part : seen.parts()) {
                            part.vectors().forEach(vector -> keep(vector, classId, part.halvings(), rows));
                        }
                        progress.accept(seen.asked());
                    });
        }
        return rows;
    }

    private void keep(FeatureVector vector, String classId, int halvings, List<FeatureRow> rows) {
        if (vector.finite()) {
            rows.add(vector.row(classId, halvings, network.settingsId()));
        } else {
            reject(classId, vector.id(), "", Latents.NOT_FINITE, "the network gave NaN or infinity");
        }
    }

    private List<Part> see(ImageEncoder encoder, Pictures pictures) {
        if (pictures.pixels().isEmpty()) {
            return List.of();
        }
        return MicroBatch.run(pictures.pixels().size(), model.device(), (from, to, halvings) -> {
            Pictures part = pictures.part(from, to, halvings);
            return new Part(vectors(encoder, part), part.halvings());
        });
    }

    private static List<FeatureVector> vectors(ImageEncoder encoder, Pictures pictures) {
        List<FeatureVector> vectors = new ArrayList<>();
        if (encoder instanceof ImageClassifier classifier) {
            List<ImageClassifier.Classification> answers = classifier.classify(pictures.pixels());
            for (int i = 0; i < answers.size(); i++) {
                vectors.add(new FeatureVector(
                        pictures.ids().get(i),
                        answers.get(i).features(),
                        answers.get(i).logits()));
            }
        } else {
            List<float[]> features = encoder.encode(pictures.pixels());
            for (int i = 0; i < features.size(); i++) {
                vectors.add(new FeatureVector(pictures.ids().get(i), features.get(i), new float[0]));
            }
        }
        return vectors;
    }

    private Pictures generated(List<GeneratedTable.Image> batch) {
        return new Pictures(
                batch.stream().map(GeneratedTable.Image::mixId).toList(),
                batch.stream().map(row -> decoded(row.image())).toList(),
                0,
                batch.size());
    }

    private static Pixels decoded(EncodedImage image) {
        try {
            return ImageDecoder.decode(image.bytes(), Integer.MAX_VALUE);
        } catch (UnreadableImage e) {
            throw new IllegalStateException("An image of the generated table must decode: " + e.detail(), e);
        }
    }

    private Function<List<ImageRow>, Pictures> files(ImageSource source, RunFolder tables) {
        SourceImages sources = new SourceImages(source, tables, places.maxPixels());
        return batch -> {
            Pictures pictures = new Pictures(new ArrayList<>(), new ArrayList<>(), 0, batch.size());
            for (ImageRow row : batch) {
                try {
                    SourceImages.Opened opened = sources.open(row);
                    if (opened instanceof SourceImages.Image image) {
                        pictures.pixels().add(image.square(network.settings().size()));
                        pictures.ids().add(row.imageId());
                    } else if (opened instanceof SourceImages.Refused refused) {
                        reject(row.classId(), row.imageId(), row.path(), refused.reason(), refused.detail());
                    }
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return pictures;
        };
    }

    private Pictures reconstructed(List<Encoded> batch) {
        List<Pictures> parts = MicroBatch.run(
                batch.size(), model.device(), (from, to, halvings) -> reconstructed(batch.subList(from, to), halvings));
        return new Pictures(
                parts.stream().flatMap(part -> part.ids().stream()).toList(),
                parts.stream().flatMap(part -> part.pixels().stream()).toList(),
                parts.stream().mapToInt(Pictures::halvings).max().orElse(0),
                batch.size());
    }

    private Pictures reconstructed(List<Encoded> batch, int halvings) {
        try (NDManager arrays = model.arrays()) {
            NDArray images = model.decoder()
                    .decode(Latents.onto(
                            arrays, batch.stream().map(Encoded::encoded).toList())); // (B, 3, H, W)
            int height = (int) images.getShape().get(2);
            int width = (int) images.getShape().get(3);
            float[] values = images.toFloatArray();
            Pictures pictures = new Pictures(new ArrayList<>(), new ArrayList<>(), halvings, batch.size());
            for (int i = 0; i < batch.size(); i++) {
                pictures.ids().add(batch.get(i).imageId());
                pictures.pixels().add(Pixels.ofChw(values, i * 3 * height * width, width, height));
            }
            return pictures;
        }
    }

    private void reject(String classId, String id, String path, String reason, String detail) {
        rejected.add(new RejectedRow(StageName.EVALUATE, classId, id, path, reason, detail, network.settingsId()));
    }
}
