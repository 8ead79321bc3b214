package latentmix.view;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import latentmix.image.PixelScores;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Degeneracy;
import latentmix.latent.Latent;
import latentmix.latent.LatentPool;
import latentmix.latent.MeanAdjusted;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Recipe;
import latentmix.model.PromptEmbeds;
import latentmix.plan.ClassLabel;
import latentmix.plan.GenerationSettings;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Solver;
import latentmix.table.InvertedTable;
import latentmix.table.LatentColumn;
import latentmix.table.RowFile;
import latentmix.work.Latents;
import latentmix.work.ModelOnDevice;
import latentmix.work.Prompts;

/**
 * Mixes inverted images as a person asks for it, beside their plain average, and generates both. What a browser asked
 * for before it asked for something else is given up.
 */
final class Playground {
    private static final int MOST_INPUTS = 64;
    private static final int MOST_STEPS = 200;
    private static final double MOST_GUIDANCE = 30;
    private static final int MOST_POOL = 5000; // latents of the classes whose mean a split takes
    private static final int MOST_WAITING = 8;
    private static final long ROOM = 256L << 20; // bytes of latents

    private static final MeanAdjusted PLAIN = MeanAdjusted.parse("lin/0");

    /** An image that is mixed. */
    record Input(String classId, String id, double weight) {}

    /**
     * What is asked for.
     *
     * @param client what tells one page from another: its next question replaces this one
     * @param prompt the class whose prompt is told
     * @param method norm, split and scope, such as {@code nin/chm}
     */
    record Question(String client, List<Input> inputs, String prompt, String method, int steps, double guidance) {}

    /**
     * An image and what its latent is like.
     *
     * @param png the image's file
     * @param norm ‖z‖ / √D, 1 for noise
     */
    record Made(byte[] png, double norm, double[] channelMeans, Degeneracy latent, PixelScores pixels) {}

    /**
     * What came out.
     *
     * @param ess effective number of inputs
     * @param predictedGain by how much a small bias that all inputs share is predicted to be amplified
     * @param note what is left out here; empty where nothing is
     */
    record Answer(Made mixture, Made plain, double ess, double predictedGain, long milliseconds, String note) {}

    private record Key(String classId, String chunk) {}

    /** What decides a plain average. */
    private record PlainKey(List<Input> inputs, String prompt, int steps, double guidance) {}

    private final RunView view;
    private final Networks networks;
    private final Map<String, AtomicLong> questions = new ConcurrentHashMap<>(); // asked by each client
    private final AtomicInteger waiting = new AtomicInteger();
    private final Cache<Key, Map<String, Latent>> latents = new Cache<>(ROOM, of -> of.values().stream()
            .mapToLong(latent -> 8L * latent.shape().size())
            .sum());
    private final Cache<String, Map<String, List<String>>> chunks = new Cache<>(100, of -> 1); // by class
    private final Cache<PlainKey, Made> plain = new Cache<>(100, of -> 1);
    private Prompts prompts;

    Playground(RunView view, Networks networks) {
        this.view = view;
        this.networks = networks;
    }

    /** Answers a question, when those before it are answered or given up. */
    Answer answer(Question question) throws IOException {
        check(question);
        if (waiting.incrementAndGet() > MOST_WAITING) {
            waiting.decrementAndGet();
            throw new Requests.RefusedException(429, "too many mixtures are asked for at once; try again");
        }
        if (questions.size() > 1000) {
            questions.clear();
        }
        AtomicLong last = questions.computeIfAbsent(question.client(), client -> new AtomicLong());
        long mine = last.incrementAndGet();
        Runnable goOn = () -> {
            if (last.get() != mine) {
                throw new CancellationException();
            }
        };
        try {
            return networks.submit(() -> answered(question, goOn)).get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof CancellationException) {
                throw new Requests.RefusedException(409, "another question was asked since");
            }
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("The server is stopped", e);
        } finally {
            waiting.decrementAndGet();
        }
    }

    private static void check(Question question) throws Requests.RefusedException {
        if (question.inputs() == null || question.client() == null || question.method() == null) {
            throw Requests.bad("expected a client, inputs and a method");
        }
        int inputs = question.inputs().size();
        if (inputs < 1 || inputs > MOST_INPUTS) {
            throw Requests.bad("expected 1 to " + MOST_INPUTS + " images, got " + inputs);
        }
        if (question.client().length() > 64) {
            throw Requests.bad("expected a client of at most 64 characters");
        }
        if (question.steps() < 1 || question.steps() > MOST_STEPS) {
            throw Requests.bad("expected 1 to " + MOST_STEPS + " steps, got " + question.steps());
        }
        Requests.number(
                question.guidance(), g -> g >= 0 && g <= MOST_GUIDANCE, "expected guidance from 0 to " + MOST_GUIDANCE);
        for (Input input : question.inputs()) {
            Requests.number(input.weight(), w -> w >= 0 && w <= 1e6, "expected weights of 0 and more");
        }
        if (!(question.inputs().stream().mapToDouble(Input::weight).sum() > 0)) {
            throw Requests.bad("expected a weight that is not 0");
        }
        if (question.inputs().stream().map(Input::id).distinct().count() < inputs) {
            throw Requests.bad("expected different images");
        }
    }

    private Answer answered(Question question, Runnable goOn) throws IOException {
        goOn.run();
        long start = System.nanoTime();
        MeanAdjusted method = method(question.method());
        List<Mixture> mixtures = mixed(question, method);
        PlainKey plainKey = new PlainKey(question.inputs(), question.prompt(), question.steps(), question.guidance());
        Optional<Made> known = plain.find(plainKey);
        List<Latent> asked = new ArrayList<>();
        for (Mixture mixture : known.isPresent() ? mixtures.subList(0, 1) : mixtures) {
            if (mixture instanceof Mixture.Undefined no) {
                throw new Requests.RefusedException(422, "that mixture is not defined: " + no.reason());
            }
            asked.add(((Mixture.Mixed) mixture).latent());
        }
        goOn.run();
        List<Made> made = generated(question, asked, goOn);
        Made average = known.orElseGet(() -> made.get(1));
        plain.put(plainKey, average);
        Mixture.Mixed mixture = (Mixture.Mixed) mixtures.get(0);
        GenerationSettings settings = networks.generation();
        boolean leaves = InversionMethod.parse(settings.inversionMethod(), settings.guidance())
                .hasCompanion();
        return new Answer(
                made.get(0),
                average,
                mixture.ess(),
                mixture.predictedGain(),
                (System.nanoTime() - start) / 1_000_000,
                leaves ? "What " + settings.inversionMethod() + " keeps beside the noise is left out here." : "");
    }

    private static MeanAdjusted method(String name) throws Requests.RefusedException {
        try {
            return MeanAdjusted.parse(name);
        } catch (IllegalArgumentException e) {
            throw Requests.bad(e.getMessage());
        }
    }

    /** The mixture and the plain average. */
    private List<Mixture> mixed(Question question, MeanAdjusted method) throws IOException {
        List<Input> inputs = question.inputs();
        Map<String, Latent> pool = new HashMap<>();
        List<String> ids = new ArrayList<>(); // in the pool's order
        for (Input input : inputs) {
            if (method.needsClassMean()) {
                for (Map.Entry<String, Latent> other : all(input.classId()).entrySet()) {
                    if (pool.putIfAbsent(other.getKey(), other.getValue()) == null) {
                        ids.add(other.getKey());
                    }
                }
            } else {
                pool.put(input.id(), latent(input.classId(), input.id()));
                ids.add(input.id());
            }
        }
        Optional<String> error = method.poolError(ids.size(), inputs.size());
        if (error.isPresent()) {
            throw new Requests.RefusedException(422, error.get());
        }
        int[] indices =
                inputs.stream().mapToInt(input -> ids.indexOf(input.id())).toArray();
        if (Arrays.stream(indices).anyMatch(index -> index < 0)) {
            throw new Images.MissingException("an image is not inverted");
        }
        double sum = inputs.stream().mapToDouble(Input::weight).sum();
        double[] weights =
                inputs.stream().mapToDouble(input -> input.weight() / sum).toArray();
        return Mixer.mix(
                LatentPool.of(ids.stream().map(pool::get).toList()),
                List.of(
                        new Recipe(method, indices, weights, Recipe.Pool.ALL),
                        new Recipe(PLAIN, indices, weights, Recipe.Pool.ALL)));
    }

    private List<Made> generated(Question question, List<Latent> mixtures, Runnable goOn) throws IOException {
        GenerationSettings settings = networks.generation();
        ModelOnDevice model = networks.model();
        if (prompts == null) {
            prompts = new Prompts(view.run(), settings.checkpointFingerprint());
        }
        ClassLabel told = view.tables(question.prompt())
                .label()
                .orElseThrow(() -> new Images.MissingException("no image of that class is inverted yet"));
        Guidance guidance = new Guidance(question.guidance(), settings.guidanceLeast(), settings.guidanceMost());
        try (NDManager arrays = model.arrays()) {
            DenoisingLoop loop = new DenoisingLoop(
                    model.scheduler(Solver.parse(settings.solver()))
                            .startingAt(settings.noisiest())
                            .sampling(question.steps()),
                    model.denoiser(view.run(), told, arrays),
                    guidance);
            NDArray noise =
                    Latents.onto(arrays, mixtures.stream().map(LatentColumn::of).toList()); // (B, C, h, w)
            PromptEmbeds conditional = prompts.embeds(List.of(told.prompt()), arrays);
            PromptEmbeds unconditional = prompts.embeds(List.of(settings.negative()), arrays);
            NDArray latents = loop.run(noise, conditional, unconditional, (step, output, next) -> goOn.run());
            NDArray images = model.decoder().decode(latents); // (B, 3, H, W)
            float[] values = images.toFloatArray();
            int height = (int) images.getShape().get(2);
            int width = (int) images.getShape().get(3);
            List<Made> made = new ArrayList<>();
            for (int i = 0; i < mixtures.size(); i++) {
                Pixels pixels = Pixels.ofChw(values, i * 3 * height * width, width, height);
                Latent latent = mixtures.get(i);
                made.add(new Made(
                        PngEncoder.encode(pixels),
                        latent.norm() / Math.sqrt(latent.shape().size()),
                        latent.channelMeans(),
                        Degeneracy.of(latent),
                        PixelScores.of(pixels)));
            }
            return made;
        }
    }

    /** The chunks of a class's inverted images, with their ids. */
    private Map<String, List<String>> chunks(String classId) throws IOException {
        Optional<Map<String, List<String>>> known = chunks.find(classId);
        if (known.isPresent()) {
            return known.get();
        }
        Map<String, List<String>> found = view.tables(classId).inverted();
        chunks.put(classId, found);
        return found;
    }

    private Latent latent(String classId, String id) throws IOException {
        if (chunks(classId).values().stream().noneMatch(ids -> ids.contains(id))) {
            chunks.put(classId, view.tables(classId).inverted()); // a run may have inverted it since
        }
        for (Map.Entry<String, List<String>> chunk : chunks(classId).entrySet()) {
            if (chunk.getValue().contains(id)) {
                return chunk(classId, chunk.getKey()).get(id);
            }
        }
        throw new Images.MissingException("an image is not inverted");
    }

    private Map<String, Latent> all(String classId) throws IOException {
        Map<String, List<String>> found = chunks(classId);
        if (found.values().stream().mapToInt(List::size).sum() > MOST_POOL) {
            throw new Requests.RefusedException(
                    422, "the class has more than " + MOST_POOL + " images, whose mean takes too long here");
        }
        Map<String, Latent> all = new TreeMap<>();
        for (String chunk : found.keySet()) {
            all.putAll(chunk(classId, chunk));
        }
        return all;
    }

    private Map<String, Latent> chunk(String classId, String chunk) throws IOException {
        Key key = new Key(classId, chunk);
        Optional<Map<String, Latent>> known = latents.find(key);
        if (known.isPresent()) {
            return known.get();
        }
        Map<String, Latent> read = new HashMap<>();
        try (RowFile.Cursor<InvertedTable.Noise> rows = new InvertedTable(view.run(), classId).noise(chunk)) {
            for (InvertedTable.Noise row = rows.next(); row != null; row = rows.next()) {
                read.put(row.imageId(), row.latent().latent());
            }
        }
        latents.put(key, read);
        return read;
    }
}
