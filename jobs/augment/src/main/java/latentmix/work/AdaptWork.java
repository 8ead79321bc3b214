package latentmix.work;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.adaptation.Adaptation;
import latentmix.adaptation.Student;
import latentmix.adaptation.Told;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.SafetensorsWriter;
import latentmix.codec.LittleEndian;
import latentmix.image.Pixels;
import latentmix.latent.Shape;
import latentmix.model.Denoiser;
import latentmix.model.TextEncoder;
import latentmix.model.TimeIds;
import latentmix.model.TokenLearner;
import latentmix.model.Vae;
import latentmix.plan.AdaptChunk;
import latentmix.plan.AdaptSettings;
import latentmix.plan.Catalog;
import latentmix.plan.LoraTag;
import latentmix.schedule.TrainingProcess;
import latentmix.source.ImageSource;
import latentmix.table.AdapterRow;
import latentmix.table.AdaptersTable;
import latentmix.table.ContentId;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.RunFolder;

/**
 * Learns a token of a class, a LoRA or both from the class's images, and no others: encode them, learn, publish what
 * was learnt as diffusers loads it, the embeddings of the class's prompts, and last the adapter's row.
 */
public final class AdaptWork {
    /** A token's file, as diffusers and ComfyUI call it. */
    private static final String TOKEN = "learned_embeds.safetensors";

    /** A LoRA's file, as diffusers calls it. */
    private static final String LORA = "pytorch_lora_weights.safetensors";

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

    /** How a class is learnt by these settings. */
    public static Adaptation.Settings learning(AdaptSettings settings) {
        return new Adaptation.Settings(
                settings.steps(),
                settings.batch(),
                settings.minSnr(),
                settings.lora() == null ? 0 : settings.lora().promptDropout());
    }

    /** Where the files lie that diffusers loads what was learnt of a class from: the token's, the LoRA's. */
    public static List<org.apache.hadoop.fs.Path> files(RunFolder run, AdaptChunk chunk) {
        List<org.apache.hadoop.fs.Path> files = new ArrayList<>();
        if (!chunk.token().isEmpty()) {
            files.add(run.adapted(chunk.classId(), chunk.id(), TOKEN));
        }
        if (LoraTag.adapter(chunk.prompt()).isPresent()) {
            files.add(run.adapted(chunk.classId(), chunk.id(), LORA));
        }
        return files;
    }

    private record Opened(List<String> ids, List<Pixels> pixels, List<TimeIds> sizes, int refused) {}

    /**
     * Learns the class where that is not done, and publishes what was learnt and the class's prompt, alone and in these
     * contexts.
     */
    public ChunkResult adapt(AdaptChunk chunk, List<String> contexts) throws IOException {
        long start = System.nanoTime();
        long evaluations;
        List<String> texts = chunk.prompts(contexts);
        if (chunk.token().isEmpty()) {
            Map<String, TextEncoder.Embeds> encoded = new HashMap<>();
            TextEncoder.Embeds empty;
            try (TextEncoder encoder = model.textEncoder()) {
                texts.stream().map(LoraTag::without).forEach(text -> encoded.put(text, encoder.encode(text)));
                empty = encoder.encode("");
            }
            Told told = new Told.Words(encoded.get(LoraTag.without(chunk.prompt())), empty);
            evaluations = adapt(chunk, told, Optional.empty(), texts, (text, vectors) -> encoded.get(text));
        } else {
            TokenLearner.Token token = new TokenLearner.Token(chunk.token(), chunk.vectors(), chunk.name());
            try (TokenLearner learner = model.tokenLearner(token)) {
                Told told = new Told.Token(
                        learner, LoraTag.without(chunk.prompt()), chunk.label().prompt(), settings.learningRate());
                evaluations = adapt(chunk, told, Optional.of(learner), texts, learner::encode);
            }
        }
        return new ChunkResult(1, 0, evaluations, (System.nanoTime() - start) / 1e9);
    }

    /**
     * The same.
     *
     * @param learner of the token, where one is learnt
     * @param texts the prompts to publish
     * @param encoder from a prompt and the token's vectors
     * @return the network's evaluations
     */
    private long adapt(
            AdaptChunk chunk,
            Told told,
            Optional<TokenLearner> learner,
            List<String> texts,
            BiFunction<String, List<float[]>, TextEncoder.Embeds> encoder)
            throws IOException {
        AdaptersTable table = new AdaptersTable(run, chunk.classId());
        if (table.chunks().contains(chunk.id())) { // a prompt is new, or was taken away
            publish(texts, learner.isEmpty() ? List.of() : vectors(table.vectors(chunk.id())), encoder);
            return 0;
        }
        Opened opened = opened(chunk);
        String seed = seed(chunk, opened);
        try (NDManager arrays = model.arrays();
                Denoiser plain = settings.lora() == null ? model.differentiableDenoiser() : null) {
            Student student = plain != null ? new Student.Frozen(plain) : student(settings.lora(), seed);
            Adaptation.Learnt learnt = learn(chunk, opened, student, told, seed, arrays);
            if (learner.isPresent()) {
                run.publish(
                        run.adapted(chunk.classId(), chunk.id(), TOKEN),
                        file(vectors(chunk.token(), learnt.vectors(), learner.get())));
            }
            if (settings.lora() != null) {
                run.publish(
                        run.adapted(chunk.classId(), chunk.id(), LORA),
                        file(student.tensors(model.checkpoint().denoiser())));
            }
            publish(texts, learnt.vectors(), encoder);
            table.commit(chunk.id(), List.of(row(chunk, opened, learnt)), List.of());
        }
        return learning(settings).evaluations();
    }

    /** Publishes the embeddings of prompts. */
    private void publish(
            List<String> texts, List<float[]> vectors, BiFunction<String, List<float[]>, TextEncoder.Embeds> encoder)
            throws IOException {
        Prompts prompts = new Prompts(run, settings.checkpointFingerprint());
        for (String text : texts) {
            prompts.publish(text, encoder.apply(LoraTag.without(text), vectors));
        }
    }

    private Student student(AdaptSettings.Lora lora, String seed) {
        return new Student.LowRank(model.adaptable(), lora.rank(), lora.alpha(), lora.learningRate(), seed);
    }

    /** What seeds a class's learning: how, what it is told, and its images. */
    private String seed(AdaptChunk chunk, Opened opened) {
        List<String> seed = new ArrayList<>(List.of(settingsId, chunk.prompt()));
        seed.addAll(opened.ids());
        return ContentId.of(seed);
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

    private Adaptation.Learnt learn(
            AdaptChunk chunk, Opened opened, Student student, Told told, String seed, NDManager arrays)
            throws IOException {
        Adaptation adaptation =
                new Adaptation(TrainingProcess.of(model.checkpoint().schedulerConfig()), learning(settings));
        Adaptation.Learnt learnt = adaptation.learn(
                student,
                told,
                arrays,
                images(opened, arrays),
                seed,
                (rows, call) -> MicroBatch.run(rows, model.device(), call::on),
                step -> progress.accept(1));
        if (!Double.isFinite(learnt.loss())) {
            String rates = Stream.of(
                            chunk.token().isEmpty() ? "" : "adapt.learning_rate",
                            settings.lora() == null ? "" : "adapt.lora_learning_rate")
                    .filter(key -> !key.isEmpty())
                    .collect(Collectors.joining(" or "));
            throw new IOException("adapt: expected something learnt of class " + chunk.classId()
                    + ", but its loss became " + learnt.loss() + "; lower " + rates + ", or use a wider model.dtype");
        }
        return learnt;
    }

    /** The images and, where they are to be seen, their mirror images as latents. */
    private Adaptation.Images images(Opened opened, NDManager arrays) {
        List<Pixels> pixels = opened.pixels();
        List<Latents> upright = encoded(pixels, arrays);
        List<Pixels> mirrored =
                settings.flip() ? pixels.stream().map(Pixels::mirrored).toList() : List.of();
        return new Adaptation.Images(
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

    /** The vectors under the token's name, as diffusers has them; or as clip_l and clip_g, for two encoders. */
    private static SortedMap<String, SafetensorsWriter.Values> vectors(
            String token, List<float[]> vectors, TokenLearner learner) {
        SortedMap<String, SafetensorsWriter.Values> tensors = new TreeMap<>();
        List<String> names = vectors.size() == 1 ? List.of(token) : List.of("clip_l", "clip_g");
        for (int i = 0; i < vectors.size(); i++) {
            long width = learner.widths().get(i);
            tensors.put(
                    names.get(i),
                    new SafetensorsWriter.Values(List.of(vectors.get(i).length / width, width), vectors.get(i)));
        }
        return tensors;
    }

    private static byte[] file(SortedMap<String, SafetensorsWriter.Values> tensors) throws IOException {
        Path file = Files.createTempFile("latentmix-adapted", ".safetensors");
        try {
            SafetensorsWriter.write(file, ElementType.F32, tensors);
            return Files.readAllBytes(file);
        } finally {
            Files.deleteIfExists(file);
        }
    }

    private AdapterRow row(AdaptChunk chunk, Opened opened, Adaptation.Learnt learnt) {
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
                vectors.isEmpty() ? new byte[0] : LittleEndian.bytes(vectors.get(0)),
                vectors.size() < 2 ? new byte[0] : LittleEndian.bytes(vectors.get(1)),
                settings.lora() == null ? 0 : settings.lora().rank(),
                LittleEndian.bytes(learnt.adapter()),
                learnt.losses(),
                learnt.plainLoss(),
                learnt.loss(),
                learnt.halvings(),
                settingsId,
                settings.checkpointFingerprint());
    }

    private static List<float[]> vectors(AdaptersTable.Vectors row) {
        return row.clipG().length == 0
                ? List.of(LittleEndian.floats(row.clipL()))
                : List.of(LittleEndian.floats(row.clipL()), LittleEndian.floats(row.clipG()));
    }
}
