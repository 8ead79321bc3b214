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
import java.util.Set;
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
 * was learnt as diffusers loads it, the embeddings of the class's prompts, and last the adapter's row. Classes that
 * share a LoRA are learnt at once; its row is the last one.
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

    /** How many images a class must have: two, to learn what they share, or one where classes share a LoRA. */
    public static int leastImages(boolean shared) {
        return shared ? 1 : 2;
    }

    /** Where the files lie that diffusers loads what was learnt of a class from: the token's, the LoRA's. */
    public static List<org.apache.hadoop.fs.Path> files(RunFolder run, AdaptSettings settings, AdaptChunk chunk) {
        List<org.apache.hadoop.fs.Path> files = new ArrayList<>();
        if (!chunk.token().isEmpty()) {
            files.add(run.adapted(chunk.classId(), chunk.id(), TOKEN));
        }
        if (settings.lora() != null) {
            files.add(loraFile(run, settings, chunk));
        }
        return files;
    }

    private static org.apache.hadoop.fs.Path loraFile(RunFolder run, AdaptSettings settings, AdaptChunk chunk) {
        return run.adapted(settings.isShared() ? RunFolder.NO_CLASS : chunk.classId(), chunk.id(), LORA);
    }

    /** The ids of the adapters that stand. */
    public static Set<String> done(RunFolder run, AdaptSettings settings) throws IOException {
        return settings.isShared() ? AdaptersTable.shared(run).chunks() : run.chunks(RunFolder.Table.ADAPTERS);
    }

    /** A class's images that can be opened, in the order of their ids. */
    private record Opened(List<String> ids, List<Pixels> pixels, List<TimeIds> sizes, int refused) {}

    /**
     * A class and what it is told.
     *
     * @param learner of its token, where one is learnt
     * @param texts the class's prompts
     * @param encoder of a prompt, with the token's vectors
     */
    private record Lesson(
            AdaptChunk chunk,
            Told told,
            Optional<TokenLearner> learner,
            List<String> texts,
            BiFunction<String, List<float[]>, TextEncoder.Embeds> encoder) {}

    /**
     * Learns classes where that is not done, and publishes what was learnt and the classes' prompts.
     *
     * @param chunks those that share an adapter
     * @param contexts that a class's prompt is published in, beside alone
     */
    public ChunkResult adapt(List<AdaptChunk> chunks, List<String> contexts) throws IOException {
        long start = System.nanoTime();
        List<Lesson> lessons = new ArrayList<>();
        try {
            lessons(chunks, contexts, lessons);
            long evaluations = learnt(lessons);
            return new ChunkResult(chunks.size(), 0, evaluations, (System.nanoTime() - start) / 1e9);
        } finally {
            lessons.forEach(lesson -> lesson.learner().ifPresent(TokenLearner::close));
        }
    }

    private void lessons(List<AdaptChunk> chunks, List<String> contexts, List<Lesson> lessons) {
        if (chunks.get(0).token().isEmpty()) {
            Map<String, TextEncoder.Embeds> encoded = new HashMap<>();
            try (TextEncoder encoder = model.textEncoder()) {
                TextEncoder.Embeds empty = encoder.encode("");
                for (AdaptChunk chunk : chunks) {
                    List<String> texts = chunk.prompts(contexts);
                    texts.stream()
                            .map(LoraTag::without)
                            .forEach(text -> encoded.computeIfAbsent(text, encoder::encode));
                    Told told = new Told.Words(encoded.get(LoraTag.without(chunk.prompt())), empty);
                    lessons.add(new Lesson(chunk, told, Optional.empty(), texts, (text, vectors) -> encoded.get(text)));
                }
            }
            return;
        }
        for (AdaptChunk chunk : chunks) {
            TokenLearner learner =
                    model.tokenLearner(new TokenLearner.Token(chunk.token(), chunk.vectors(), chunk.name()));
            Told told = new Told.Token(
                    learner, LoraTag.without(chunk.prompt()), chunk.label().prompt(), settings.learningRate());
            lessons.add(new Lesson(chunk, told, Optional.of(learner), chunk.prompts(contexts), learner::encode));
        }
    }

    /** Learns what is not learnt, and returns the network's evaluations. */
    private long learnt(List<Lesson> lessons) throws IOException {
        String id = lessons.get(0).chunk().id();
        if (done(run, settings).contains(id)) { // a prompt is new, or was taken away
            for (Lesson lesson : lessons) {
                publish(
                        lesson,
                        lesson.learner().isEmpty()
                                ? List.of()
                                : vectors(new AdaptersTable(run, lesson.chunk().classId()).vectors(id)));
            }
            return 0;
        }
        List<Opened> opened = new ArrayList<>();
        for (Lesson lesson : lessons) {
            opened.add(opened(lesson.chunk()));
        }
        String seed = seed(lessons, opened);
        try (NDManager arrays = model.arrays();
                Denoiser plain = settings.lora() == null ? model.differentiableDenoiser() : null) {
            Student student = plain != null ? new Student.Frozen(plain) : student(settings.lora(), seed);
            Adaptation.Learnt learnt = learn(lessons, opened, student, seed, arrays);
            if (settings.lora() != null) {
                run.publish(
                        loraFile(run, settings, lessons.get(0).chunk()),
                        file(student.tensors(model.checkpoint().denoiser())));
            }
            for (int i = 0; i < lessons.size(); i++) {
                publish(lessons.get(i), opened.get(i), learnt, learnt.vectors().get(i));
            }
            if (settings.isShared()) {
                AdaptersTable.shared(run).commit(id, List.of(shared(id, opened, learnt)), List.of());
            }
        }
        return learning(settings).evaluations();
    }

    /** Publishes the embeddings of a class's prompts. */
    private void publish(Lesson lesson, List<float[]> vectors) throws IOException {
        Prompts prompts = new Prompts(run, settings.checkpointFingerprint());
        for (String text : lesson.texts()) {
            prompts.publish(text, lesson.encoder().apply(LoraTag.without(text), vectors));
        }
    }

    private void publish(Lesson lesson, Opened opened, Adaptation.Learnt learnt, List<float[]> vectors)
            throws IOException {
        AdaptChunk chunk = lesson.chunk();
        if (lesson.learner().isPresent()) {
            run.publish(
                    run.adapted(chunk.classId(), chunk.id(), TOKEN),
                    file(vectors(chunk.token(), vectors, lesson.learner().get())));
        }
        publish(lesson, vectors);
        new AdaptersTable(run, chunk.classId())
                .commit(chunk.id(), List.of(row(chunk, opened, learnt, vectors)), List.of());
    }

    private Student student(AdaptSettings.Lora lora, String seed) {
        return new Student.LowRank(model.adaptable(), lora.rank(), lora.alpha(), lora.learningRate(), seed);
    }

    /** What seeds the learning: how, what the classes are told, and their images. */
    private String seed(List<Lesson> lessons, List<Opened> opened) {
        List<String> seed = new ArrayList<>(List.of(settingsId));
        for (int i = 0; i < lessons.size(); i++) {
            seed.add(lessons.get(i).chunk().prompt());
            seed.addAll(opened.get(i).ids());
        }
        return ContentId.of(seed);
    }

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
        int least = leastImages(settings.isShared());
        if (ids.size() < least) {
            throw new IOException("adapt: expected " + least + " or more images of class " + chunk.classId()
                    + " that can be opened, got " + ids.size() + " of " + rows.size()
                    + "; the table rejected of an invert without adapt says why");
        }
        return new Opened(ids, pixels, sizes, rows.size() - ids.size());
    }

    private Adaptation.Learnt learn(
            List<Lesson> lessons, List<Opened> opened, Student student, String seed, NDManager arrays)
            throws IOException {
        Adaptation adaptation =
                new Adaptation(TrainingProcess.of(model.checkpoint().schedulerConfig()), learning(settings));
        Adaptation.Learnt learnt = adaptation.learn(
                student,
                lessons.stream().map(Lesson::told).toList(),
                arrays,
                images(opened, arrays),
                seed,
                (rows, call) -> MicroBatch.run(rows, model.device(), call::on),
                step -> progress.accept(1));
        if (!Double.isFinite(learnt.loss())) {
            String rates = Stream.of(
                            lessons.get(0).learner().isEmpty() ? "" : "adapt.learning_rate",
                            settings.lora() == null ? "" : "adapt.lora_learning_rate")
                    .filter(key -> !key.isEmpty())
                    .collect(Collectors.joining(" or "));
            throw new IOException("adapt: expected something learnt of "
                    + (settings.isShared()
                            ? "the classes"
                            : "class " + lessons.get(0).chunk().classId())
                    + ", but its loss became " + learnt.loss() + "; lower " + rates + ", or use a wider model.dtype");
        }
        return learnt;
    }

    /**
     * The images and, where they are to be seen, their mirror images as latents: the first image of each class, the
     * second of each, and so on, so that the first ones are of as many classes as can be.
     */
    private Adaptation.Images images(List<Opened> classes, NDManager arrays) {
        List<Pixels> pixels = new ArrayList<>();
        List<TimeIds> sizes = new ArrayList<>();
        List<Integer> of = new ArrayList<>();
        int most =
                classes.stream().mapToInt(opened -> opened.ids().size()).max().orElseThrow();
        for (int n = 0; n < most; n++) {
            for (int i = 0; i < classes.size(); i++) {
                Opened opened = classes.get(i);
                if (n < opened.ids().size()) {
                    pixels.add(opened.pixels().get(n));
                    sizes.add(opened.sizes().get(n));
                    of.add(i);
                }
            }
        }
        List<Latents> upright = encoded(pixels, arrays);
        List<Pixels> mirrored =
                settings.flip() ? pixels.stream().map(Pixels::mirrored).toList() : List.of();
        return new Adaptation.Images(upright.get(0).shape(), rows(upright), rows(encoded(mirrored, arrays)), sizes, of);
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

    private AdapterRow row(AdaptChunk chunk, Opened opened, Adaptation.Learnt learnt, List<float[]> vectors) {
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
                rank(),
                settings.isShared() ? new byte[0] : LittleEndian.bytes(learnt.adapter()),
                learnt.losses(),
                learnt.plainLoss(),
                learnt.loss(),
                learnt.halvings(),
                settingsId,
                settings.checkpointFingerprint());
    }

    /** The LoRA that classes share, of no class. */
    private AdapterRow shared(String id, List<Opened> opened, Adaptation.Learnt learnt) {
        List<String> ids =
                opened.stream().flatMap(of -> of.ids().stream()).sorted().toList();
        return new AdapterRow(
                id,
                "",
                -1,
                "",
                "",
                "",
                0,
                ids.size(),
                ids,
                opened.stream().mapToInt(Opened::refused).sum(),
                new byte[0],
                new byte[0],
                rank(),
                LittleEndian.bytes(learnt.adapter()),
                learnt.losses(),
                learnt.plainLoss(),
                learnt.loss(),
                learnt.halvings(),
                settingsId,
                settings.checkpointFingerprint());
    }

    private int rank() {
        return settings.lora() == null ? 0 : settings.lora().rank();
    }

    private static List<float[]> vectors(AdaptersTable.Vectors row) {
        return row.clipG().length == 0
                ? List.of(LittleEndian.floats(row.clipL()))
                : List.of(LittleEndian.floats(row.clipL()), LittleEndian.floats(row.clipG()));
    }
}
