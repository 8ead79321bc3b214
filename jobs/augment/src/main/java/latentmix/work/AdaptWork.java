package latentmix.work;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import latentmix.adaptation.TextualInversion;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.SafetensorsWriter;
import latentmix.codec.LittleEndian;
import latentmix.image.Pixels;
import latentmix.latent.Shape;
import latentmix.model.Denoiser;
import latentmix.model.TimeIds;
import latentmix.model.TokenLearner;
import latentmix.model.Vae;
import latentmix.plan.AdaptChunk;
import latentmix.plan.AdaptSettings;
import latentmix.plan.Catalog;
import latentmix.schedule.TrainingProcess;
import latentmix.source.ImageSource;
import latentmix.table.AdapterRow;
import latentmix.table.AdaptersTable;
import latentmix.table.ContentId;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.RunFolder;

/**
 * Learns a token of a class from its images, and no others: encode them, learn, publish the vectors as diffusers loads
 * them, the embeddings of the class's prompt, and last the adapter's row.
 */
public final class AdaptWork {
    /** As diffusers and ComfyUI call it. */
    private static final String FILE = "learned_embeds.safetensors";

    private final RunFolder run;
    private final ModelOnDevice model;
    private final SourceImages sources;
    private final AdaptSettings settings;
    private final String settingsId;
    private final LongConsumer progress;

    /** Work whose progress is counted in steps. */
    public AdaptWork(
            RunFolder run,
            ModelOnDevice model,
            ImageSource images,
            long maxPixels,
            AdaptSettings settings,
            String settingsId,
            LongConsumer progress) {
        this.run = run;
        this.model = model.expecting(settings.checkpointFingerprint());
        this.sources = new SourceImages(images, run, maxPixels);
        this.settings = settings;
        this.settingsId = settingsId;
        this.progress = progress;
    }

    /** How a token is learnt by these settings. */
    public static TextualInversion.Settings learning(AdaptSettings settings) {
        return new TextualInversion.Settings(
                settings.steps(), settings.learningRate(), settings.batch(), settings.minSnr());
    }

    /** Where the file lies that diffusers loads a class's token from. */
    public static org.apache.hadoop.fs.Path file(RunFolder run, AdaptChunk chunk) {
        return run.adapted(chunk.classId(), chunk.id(), FILE);
    }

    private record Opened(List<String> ids, List<Pixels> pixels, List<TimeIds> sizes, int refused) {}

    /** Learns the token where that is not done, and publishes it and the class's prompt. */
    public ChunkResult adapt(AdaptChunk chunk) throws IOException {
        long start = System.nanoTime();
        AdaptersTable table = new AdaptersTable(run, chunk.classId());
        Prompts prompts = new Prompts(run, settings.checkpointFingerprint());
        TokenLearner.Token token = new TokenLearner.Token(chunk.token(), chunk.vectors(), chunk.name());
        try (TokenLearner learner = model.tokenLearner(token)) {
            if (table.chunks().contains(chunk.id())) { // its prompt was taken away
                prompts.publish(chunk.prompt(), learner.encode(chunk.prompt(), vectors(table.row(chunk.id()))));
                return new ChunkResult(1, 0, 0, (System.nanoTime() - start) / 1e9);
            }
            Opened opened = opened(chunk);
            TextualInversion.Learnt learnt = learn(chunk, opened, learner);
            run.publish(file(run, chunk), file(chunk.token(), learnt.vectors(), learner));
            prompts.publish(chunk.prompt(), learner.encode(chunk.prompt(), learnt.vectors()));
            table.commit(chunk.id(), List.of(row(chunk, opened, learnt)), List.of());
        }
        return new ChunkResult(1, 0, learning(settings).evaluations(), (System.nanoTime() - start) / 1e9);
    }

    /** The class's images that can be opened, in the order of their ids. */
    private Opened opened(AdaptChunk chunk) throws IOException {
        List<ImageRow> rows = new ArrayList<>();
        ImagesTable table = new ImagesTable(run, chunk.classId());
        for (Catalog.Chunk images : chunk.images()) {
            table.chunk(images.file(), images.id()).stream()
                    .filter(row -> !images.leftOut().contains(row.imageId()))
                    .forEach(rows::add);
        }
        rows.sort(Comparator.comparing(ImageRow::imageId));
        List<String> ids = new ArrayList<>();
        List<Pixels> pixels = new ArrayList<>();
        List<TimeIds> sizes = new ArrayList<>();
        for (ImageRow row : rows) {
            if (sources.open(row) instanceof SourceImages.Image image) {
                ids.add(row.imageId());
                pixels.add(image.square(settings.size()));
                sizes.add(image.timeIds(settings.size()));
            }
        }
        if (ids.size() < 2) {
            throw new IOException("adapt: expected two images of class " + chunk.classId() + " that can be opened, got "
                    + ids.size() + " of " + rows.size() + "; the table rejected of an invert without adapt says why");
        }
        return new Opened(ids, pixels, sizes, rows.size() - ids.size());
    }

    private TextualInversion.Learnt learn(AdaptChunk chunk, Opened opened, TokenLearner learner) throws IOException {
        TextualInversion inversion =
                new TextualInversion(TrainingProcess.of(model.checkpoint().schedulerConfig()), learning(settings));
        List<String> seed = new ArrayList<>(List.of(settingsId, chunk.prompt()));
        seed.addAll(opened.ids());
        try (Denoiser denoiser = model.differentiableDenoiser();
                NDManager arrays = model.arrays()) {
            TextualInversion.Learnt learnt = inversion.learn(
                    denoiser,
                    learner,
                    arrays,
                    images(opened, arrays),
                    new TextualInversion.Told(chunk.prompt(), chunk.label().prompt()),
                    ContentId.of(seed),
                    (rows, call) -> MicroBatch.run(rows, model.device(), call::on),
                    step -> progress.accept(1));
            if (!Double.isFinite(learnt.loss())) {
                throw new IOException("adapt: expected vectors of class " + chunk.classId() + ", but its loss became "
                        + learnt.loss() + "; lower adapt.learning_rate, or use a wider model.dtype");
            }
            return learnt;
        }
    }

    /** The images and, where they are to be seen, their mirror images as latents. */
    private TextualInversion.Images images(Opened opened, NDManager arrays) {
        List<Pixels> pixels = opened.pixels();
        List<Latents> upright = encoded(pixels, arrays);
        List<Pixels> mirrored =
                settings.flip() ? pixels.stream().map(Pixels::mirrored).toList() : List.of();
        return new TextualInversion.Images(
                upright.get(0).shape(), rows(upright), rows(encoded(mirrored, arrays)), opened.sizes());
    }

    private List<Latents> encoded(List<Pixels> pixels, NDManager arrays) {
        List<Latents> latents = new ArrayList<>();
        try (Vae encoder = model.encoder()) {
            for (List<Pixels> batch : Batches.of(pixels, settings.encoded())) {
                latents.addAll(MicroBatch.run(batch.size(), model.device(), (from, to, halvings) -> {
                    try (NDManager scope = arrays.newSubManager()) {
                        return Latents.of(encoder.encode(Vae.images(scope, batch.subList(from, to))));
                    }
                }));
            }
        }
        return latents;
    }

    private static List<float[]> rows(List<Latents> batches) {
        List<float[]> rows = new ArrayList<>();
        for (Latents batch : batches) {
            Shape shape = batch.shape();
            for (int from = 0; from < batch.values().length; from += shape.size()) {
                rows.add(Arrays.copyOfRange(batch.values(), from, from + shape.size()));
            }
        }
        return rows;
    }

    /**
     * The vectors as a file: under the token's name, as diffusers has them; or as clip_l and clip_g, for two encoders.
     */
    private static byte[] file(String token, List<float[]> vectors, TokenLearner learner) throws IOException {
        Map<String, SafetensorsWriter.Values> tensors = new TreeMap<>();
        List<String> names = vectors.size() == 1 ? List.of(token) : List.of("clip_l", "clip_g");
        for (int i = 0; i < vectors.size(); i++) {
            long width = learner.widths().get(i);
            tensors.put(
                    names.get(i),
                    new SafetensorsWriter.Values(List.of(vectors.get(i).length / width, width), vectors.get(i)));
        }
        Path file = Files.createTempFile("latentmix-adapted", ".safetensors");
        try {
            SafetensorsWriter.write(file, ElementType.F32, tensors);
            return Files.readAllBytes(file);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private AdapterRow row(AdaptChunk chunk, Opened opened, TextualInversion.Learnt learnt) {
        List<float[]> vectors = learnt.vectors();
        return new AdapterRow(
                chunk.id(),
                chunk.classId(),
                chunk.label().label(),
                chunk.label().className(),
                chunk.token(),
                chunk.prompt(),
                chunk.vectors(),
                opened.ids().size(),
                opened.ids(),
                opened.refused(),
                LittleEndian.bytes(vectors.get(0)),
                vectors.size() == 1 ? new byte[0] : LittleEndian.bytes(vectors.get(1)),
                learnt.losses(),
                learnt.plainLoss(),
                learnt.loss(),
                learnt.halvings(),
                settingsId,
                settings.checkpointFingerprint());
    }

    private static List<float[]> vectors(AdapterRow row) {
        return row.clipG().length == 0
                ? List.of(LittleEndian.floats(row.clipL()))
                : List.of(LittleEndian.floats(row.clipL()), LittleEndian.floats(row.clipG()));
    }
}
