package latentmix.morph;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.inversion.DdimInversion;
import latentmix.latent.InputCount;
import latentmix.latent.Latent;
import latentmix.latent.LatentPool;
import latentmix.latent.Method;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Recipe;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.TimeIds;
import latentmix.model.Vae;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.table.LatentColumn;
import latentmix.work.Batches;
import latentmix.work.Latents;
import latentmix.work.ModelOnDevice;

/**
 * A path of pictures through two or more images, of any classes: each is inverted, neighbours are mixed with weights 1
 * - t and t, their prompts' embeddings interpolated linearly, and every mixture sampled.
 *
 * <p>A position on the path is a number from 0, the first image, to N - 1, the last. The morph owns the arrays of its
 * prompts.
 */
public final class Morph implements AutoCloseable {
    private static final InputCount TWO = new InputCount(2, 2);

    /** Pictures looked at for each frame of an evenly spaced path. */
    private static final int LOOKS = 4;

    /**
     * The settings of inverting, mixing and sampling.
     *
     * @param method one of two inputs that draws no noise and needs no class
     * @param steps steps of the inversion and of the sampling
     * @param guidance guidance scale of the sampling; the inversion is not guided
     * @param negative the prompt of the unconditional branch
     * @param size pixels of a side
     * @param batch rows of a micro-batch
     */
    public record Settings(Method method, int steps, double guidance, String negative, int size, int batch) {
        public Settings {
            if (method.drawsNoise() || method.needsClassMean()) {
                throw new IllegalArgumentException(
                        "A morph must have a method that needs two images alone, cannot have: "
                                + method + ", which takes "
                                + (method.drawsNoise() ? "fresh noise" : "the mean of a class")
                                + "; use nin/chm, slerp, spherical-mean, nao or adain");
            }
            method.inputError(TWO).ifPresent(error -> {
                throw new IllegalArgumentException(error);
            });
        }
    }

    /** An image to pass through, and what it shows in words, perhaps none. */
    public record Stop(Pixels image, String prompt) {}

    private final ModelOnDevice model;
    private final Settings settings;
    private final NDManager arrays;
    private final List<PromptEmbeds> prompts = new ArrayList<>(); // one a stop
    private final PromptEmbeds unconditional;
    private final List<Latent> latents = new ArrayList<>(); // one a stop, at the noisy end

    /**
     * Inverts the images.
     *
     * @throws IllegalArgumentException if there are fewer than two
     */
    public Morph(ModelOnDevice model, Settings settings, List<Stop> stops) {
        if (stops.size() < 2) {
            throw new IllegalArgumentException("A morph must have at least 2 images, cannot have: " + stops.size());
        }
        this.model = model;
        this.settings = settings;
        this.arrays = model.arrays();
        try (TextEncoder encoder = model.textEncoder()) {
            Map<String, PromptEmbeds> known = new HashMap<>();
            stops.forEach(stop -> prompts.add(known.computeIfAbsent(
                    stop.prompt(), text -> encoder.encode(text).onto(arrays))));
            unconditional = known.computeIfAbsent(
                    settings.negative(), text -> encoder.encode(text).onto(arrays));
        }
        for (List<Integer> batch :
                Batches.of(IntStream.range(0, stops.size()).boxed().toList(), settings.batch())) {
            latents.addAll(invert(
                    batch.stream().map(stops::get).toList(),
                    batch.stream().map(prompts::get).toList()));
        }
    }

    /** Pictures at positions of equal distance, the images' own first and last. */
    public List<Pixels> frames(int count) {
        return pictures(uniform(count));
    }

    /** Pictures at equal distances in a feature space along the path, which is looked at more often for it. */
    public List<Pixels> evenFrames(int count, FeatureSpace space) {
        double[] looks = uniform(LOOKS * (count - 1) + 1);
        return pictures(EvenSpacing.of(looks, space.steps(pictures(looks)), count));
    }

    @Override
    public void close() {
        arrays.close();
    }

    private double[] uniform(int count) {
        if (count < 2) {
            throw new IllegalArgumentException("A path must have at least 2 frames, cannot have: " + count);
        }
        return IntStream.range(0, count)
                .mapToDouble(i -> (double) i * (latents.size() - 1) / (count - 1))
                .toArray();
    }

    private List<Latent> invert(List<Stop> stops, List<PromptEmbeds> embeds) {
        int size = settings.size();
        try (NDManager scope = arrays.newSubManager()) {
            NDArray images = Vae.images(
                    scope,
                    stops.stream()
                            .map(stop -> Resize.square(stop.image(), size))
                            .toList());
            PromptEmbeds conditional = embeds.stream()
                    .map(one -> one.rows(1, scope))
                    .reduce(PromptEmbeds::concat)
                    .orElseThrow();
            DenoisingLoop loop =
                    new DdimInversion(model.scheduler(), settings.steps(), Guidance.NONE).with(model.denoiser());
            PromptEmbeds sized = model.denoiser()
                    .sized(
                            conditional,
                            stops.stream()
                                    .map(stop -> TimeIds.square(
                                            stop.image().height(), stop.image().width(), size))
                                    .toList(),
                            scope);
            Latents noise = Latents.of(loop.run(model.encoder().encode(images), sized, unconditional));
            return IntStream.range(0, stops.size()).mapToObj(noise::latent).toList();
        }
    }

    private List<Pixels> pictures(double[] positions) {
        List<Recipe> recipes = Arrays.stream(positions).mapToObj(this::recipe).toList();
        List<Mixture> mixtures = Mixer.mix(LatentPool.of(latents), recipes);
        DenoisingLoop loop = new DenoisingLoop(
                model.scheduler().sampling(settings.steps()), model.denoiser(), new Guidance(settings.guidance()));
        List<Pixels> pictures = new ArrayList<>();
        for (List<Integer> batch :
                Batches.of(IntStream.range(0, positions.length).boxed().toList(), settings.batch())) {
            pictures.addAll(sample(
                    batch.stream()
                            .map(i -> column(mixtures.get(i), positions[i]))
                            .toList(),
                    batch.stream().mapToDouble(i -> positions[i]),
                    loop));
        }
        return pictures;
    }

    private Recipe recipe(double position) {
        int before = before(position);
        double t = position - before;
        return new Recipe(settings.method(), new int[] {before, before + 1}, new double[] {1 - t, t}, Recipe.Pool.ALL);
    }

    private int before(double position) {
        return Math.min((int) position, latents.size() - 2);
    }

    private static LatentColumn column(Mixture mixture, double position) {
        if (mixture instanceof Mixture.Mixed mixed) {
            return LatentColumn.of(mixed.latent());
        }
        throw new IllegalArgumentException("The path has no latent at " + position + " ("
                + ((Mixture.Undefined) mixture).reason() + "); use another method");
    }

    private List<Pixels> sample(List<LatentColumn> batch, DoubleStream positions, DenoisingLoop loop) {
        try (NDManager scope = arrays.newSubManager()) {
            NDArray noise = Latents.onto(scope, batch);
            PromptEmbeds conditional = positions
                    .mapToObj(position -> between(position, scope))
                    .reduce(PromptEmbeds::concat)
                    .orElseThrow();
            NDArray images = model.decoder().decode(loop.run(noise, conditional, unconditional)); // (B, 3, H, W)
            int height = (int) images.getShape().get(2);
            int width = (int) images.getShape().get(3);
            float[] chw = images.toFloatArray();
            return IntStream.range(0, batch.size())
                    .mapToObj(i -> Pixels.ofChw(chw, i * 3 * height * width, width, height))
                    .toList();
        }
    }

    /** The prompt at t, (1 - t) · the prompt before + t · the prompt after, of one row. */
    private PromptEmbeds between(double position, NDManager scope) {
        int before = before(position);
        double t = position - before;
        NDList one = prompts.get(before).rows(1, scope).arrays();
        NDList other = prompts.get(before + 1).rows(1, scope).arrays();
        NDList between = new NDList();
        for (int i = 0; i < one.size(); i++) {
            between.add(one.get(i).mul(1 - t).addi(other.get(i).mul(t)));
        }
        return new PromptEmbeds(between);
    }
}
