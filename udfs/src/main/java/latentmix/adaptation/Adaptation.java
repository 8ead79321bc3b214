package latentmix.adaptation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.latent.RecipeSampler;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder.Embeds;
import latentmix.model.TimeIds;
import latentmix.schedule.TrainingProcess;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * Learns classes from a few images: tokens' vectors, a low-rank adapter of the network, or both at once are moved to
 * lessen
 *
 * <pre>E [ weight_t · mean (m(x_t, t, c) − target)² ]</pre>
 *
 * by {@link latentmix.inversion.Adam}, where c are the embeddings of the prompt of the image's class.
 * {@link TrainingProcess} says what x_t, the target and the weight are. Which images, levels and noise a step sees
 * depends on the seed and the step alone.
 */
public record Adaptation(TrainingProcess process, Settings settings) {
    /** How many levels of noise are judged at, evenly spaced, and how many images at each. */
    private static final int LEVELS = 16;

    private static final int IMAGES_PER_LEVEL = 4;

    /**
     * How it is learnt.
     *
     * @param steps updates
     * @param batch images of a step
     * @param minSnr γ of min-SNR weighting; none where it is 0
     * @param promptDropout the share of images that are shown without words, as the unconditional branch sees them
     */
    public record Settings(int steps, int batch, double minSnr, double promptDropout) {
        /** Forwards of one latent that learning takes, those of both judgements included. */
        public long evaluations() {
            return (long) steps * batch + 2L * LEVELS * IMAGES_PER_LEVEL;
        }
    }

    /**
     * The images, encoded, float32 (C, h, w) each.
     *
     * @param mirrored the same of mirror images; empty where none are shown
     * @param sizes of the images before they were encoded
     * @param classes of the images, as places in the list of what is told
     */
    public record Images(
            latentmix.latent.Shape shape,
            List<float[]> latents,
            List<float[]> mirrored,
            List<TimeIds> sizes,
            List<Integer> classes) {
        public Images {
            latents = List.copyOf(latents);
            sizes = List.copyOf(sizes);
            mirrored = List.copyOf(mirrored);
            classes = List.copyOf(classes);
            if (latents.isEmpty()) {
                throw new IllegalArgumentException("A class must be learnt from at least 1 image, cannot be from: 0");
            }
        }
    }

    /**
     * What was learnt.
     *
     * @param vectors of each class and each CLIP encoder (vectors, width), row-major; none without a token
     * @param adapter as {@link latentmix.architecture.LowRankNetwork} lays it out; empty without one
     * @param losses of every step, weighted
     * @param plainLoss the mean squared error of the network as it was, told the classes' names, at levels and noise
     *     which no step saw; of the first images, 64 at most
     * @param loss the same of what was learnt
     * @param halvings of the micro-batch, the most
     */
    public record Learnt(
            List<List<float[]>> vectors,
            float[] adapter,
            List<Double> losses,
            double plainLoss,
            double loss,
            int halvings) {}

    /** Runs rows of a micro-batch through a network: whole, or in halves where there is no memory for them. */
    @FunctionalInterface
    public interface Rows {
        List<Part> run(int rows, Call call);
    }

    /** What a network makes of the rows {@code from} to {@code to} of a micro-batch that was halved so often. */
    @FunctionalInterface
    public interface Call {
        Part on(int from, int to, int halvings);
    }

    /**
     * What some rows give.
     *
     * @param loss their share of the batch's
     * @param slopes the gradients of that with respect to the embeddings of each prompt, one row each
     * @param adapter the same with respect to the adapter
     */
    public record Part(double loss, List<List<float[]>> slopes, float[] adapter, int halvings) {}

    /**
     * Examples of a step: noisy latents and what the network should say of them.
     *
     * @param sizes of their images
     * @param classes of their images
     * @param wordless which of them are shown without words
     */
    private record Examples(
            float[] noisy,
            float[] target,
            double[] timesteps,
            double[] weights,
            List<TimeIds> sizes,
            List<Integer> classes,
            boolean[] wordless) {
        int rows() {
            return timesteps.length;
        }

        /** What the rows of a part are told: the class, or nothing where they are shown without words. */
        List<OptionalInt> told(int from, int to) {
            return IntStream.range(from, to)
                    .mapToObj(row -> wordless[row] ? OptionalInt.empty() : OptionalInt.of(classes.get(row)))
                    .toList();
        }
    }

    /**
     * Learns the classes.
     *
     * @param told a class each
     * @param seed what draws images, levels and noise
     * @param progress hears of each step
     */
    public Learnt learn(
            Student student,
            List<Told> told,
            NDManager arrays,
            Images images,
            String seed,
            Rows runner,
            IntConsumer progress) {
        Embeds empty = told.get(0).empty();
        double plainLoss = judged(student::before, arrays, images, told, Told::plain, seed, runner);
        List<Double> losses = new ArrayList<>();
        int halvings = 0;
        for (int step = 0; step < settings.steps(); step++) {
            Examples examples = examples(images, seed, step);
            List<Integer> shown =
                    examples.classes().stream().distinct().sorted().toList();
            List<Part> parts = new ArrayList<>();
            step(
                    shown.stream().map(told::get).toList(),
                    List.of(),
                    arrays,
                    parts,
                    embeds -> parts.addAll(runner.run(
                            examples.rows(),
                            (from, to, halved) ->
                                    part(student, arrays, images, shown, embeds, empty, examples, from, to, halved))));
            student.step(sum(parts.stream().map(Part::adapter).toList()));
            losses.add(parts.stream().mapToDouble(Part::loss).sum());
            halvings = Math.max(
                    halvings, parts.stream().mapToInt(Part::halvings).max().orElse(0));
            progress.accept(step);
        }
        double loss = judged(student::now, arrays, images, told, Told::now, seed, runner);
        return new Learnt(
                told.stream().map(Told::vectors).toList(), student.adapter(), losses, plainLoss, loss, halvings);
    }

    /**
     * One step of each class: their prompts are encoded, the network runs once with all of them, and each is led its
     * own part of the gradient.
     *
     * @param embeds of the first classes
     * @param parts what the network gives
     */
    private static void step(
            List<Told> classes,
            List<PromptEmbeds> embeds,
            NDManager arrays,
            List<Part> parts,
            Consumer<List<PromptEmbeds>> network) {
        int place = embeds.size();
        if (place == classes.size()) {
            network.accept(embeds);
            return;
        }
        classes.get(place).step(arrays, own -> {
            step(classes, Stream.concat(embeds.stream(), Stream.of(own)).toList(), arrays, parts, network);
            return sum(parts, place, own);
        });
    }

    /** The examples of a step. */
    private Examples examples(Images images, String seed, int step) {
        UniformRandomProvider random = RecipeSampler.rng(seed + " step " + step);
        int[] rows = IntStream.range(0, settings.batch())
                .map(i -> row(images.latents().size(), seed, (long) step * settings.batch() + i))
                .toArray();
        List<float[]> latents = IntStream.of(rows)
                .mapToObj(row -> !images.mirrored().isEmpty() && random.nextBoolean()
                        ? images.mirrored().get(row)
                        : images.latents().get(row))
                .toList();
        List<TrainingProcess.Level> levels = latents.stream()
                .map(latent -> process.level(process.share(random), settings.minSnr()))
                .toList();
        boolean[] wordless = new boolean[latents.size()];
        for (int i = 0; i < wordless.length && settings.promptDropout() > 0; i++) {
            wordless[i] = random.nextDouble() < settings.promptDropout();
        }
        return examples(images, rows, latents, levels, wordless, random);
    }

    /** The image that is shown as the n-th: a fresh permutation of all whenever each was shown. */
    private static int row(int images, String seed, long n) {
        UniformRandomProvider random = RecipeSampler.rng(seed + " epoch " + n / images);
        return new PermutationSampler(random, images, images).sample()[(int) (n % images)];
    }

    private static Examples examples(
            Images images,
            int[] rows,
            List<float[]> latents,
            List<TrainingProcess.Level> levels,
            boolean[] wordless,
            UniformRandomProvider random) {
        ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
        int size = latents.get(0).length;
        float[] noisy = new float[latents.size() * size];
        float[] target = new float[noisy.length];
        for (int row = 0; row < latents.size(); row++) {
            TrainingProcess.Level level = levels.get(row);
            for (int i = 0; i < size; i++) {
                double original = latents.get(row)[i];
                double noise = normal.sample();
                noisy[row * size + i] = (float) (level.signal() * original + level.deviation() * noise);
                target[row * size + i] = (float) (level.original() * original + level.noise() * noise);
            }
        }
        return new Examples(
                noisy,
                target,
                levels.stream().mapToDouble(TrainingProcess.Level::timestep).toArray(),
                levels.stream().mapToDouble(TrainingProcess.Level::weight).toArray(),
                IntStream.of(rows).mapToObj(images.sizes()::get).toList(),
                IntStream.of(rows).mapToObj(images.classes()::get).toList(),
                wordless);
    }

    private static Part part(
            Student student,
            NDManager arrays,
            Images images,
            List<Integer> classes,
            List<PromptEmbeds> embeds,
            Embeds empty,
            Examples examples,
            int from,
            int to,
            int halvings) {
        try (NDManager scope = arrays.newSubManager()) {
            double[] losses = new double[1];
            double[] timesteps = Arrays.copyOfRange(examples.timesteps(), from, to);
            List<OptionalInt> told = examples.told(from, to);
            Student.Slopes slopes = student.slopes(
                    array(examples.noisy(), images.shape(), from, to, scope),
                    timesteps,
                    student.sized(
                            shown(told, of -> embeds.get(classes.indexOf(of)), empty, scope),
                            examples.sizes().subList(from, to),
                            scope),
                    predicted -> {
                        float[] found = predicted.toFloatArray();
                        losses[0] = squared(found, examples, images.shape().size(), from);
                        return predicted.getManager().create(found, predicted.getShape());
                    });
            slopes.prompt().arrays().attach(scope);
            List<List<float[]>> sums = classes.stream()
                    .map(of -> slopes.prompt().arrays().stream()
                            .map(array -> sum(array, told, OptionalInt.of(of)))
                            .toList())
                    .toList();
            return new Part(losses[0], sums, slopes.adapter(), halvings);
        }
    }

    /** What each row is told, of a class's embeddings of one row. */
    private static PromptEmbeds shown(
            List<OptionalInt> told, IntFunction<PromptEmbeds> embeds, Embeds empty, NDManager scope) {
        if (told.get(0).isPresent() && areAll(told, told.get(0))) {
            return embeds.apply(told.get(0).getAsInt()).rows(told.size(), scope);
        }
        return told.stream()
                .map(of -> of.isEmpty()
                        ? empty.onto(scope)
                        : embeds.apply(of.getAsInt()).rows(1, scope))
                .reduce(PromptEmbeds::concat)
                .orElseThrow();
    }

    private static boolean areAll(List<OptionalInt> told, OptionalInt of) {
        return told.stream().allMatch(of::equals);
    }

    /** The sum of the rows that were told a class. */
    private static float[] sum(NDArray rows, List<OptionalInt> told, OptionalInt of) {
        if (areAll(told, of)) {
            return rows.sum(new int[] {0}, true).toFloatArray();
        }
        float[] all = rows.toFloatArray();
        float[] sum = new float[all.length / told.size()];
        for (int row = 0; row < told.size(); row++) {
            for (int i = 0; i < sum.length && told.get(row).equals(of); i++) {
                sum[i] += all[row * sum.length + i];
            }
        }
        return sum;
    }

    /**
     * The weighted squared error of predictions, as their rows' share of the batch's mean.
     *
     * @param found the predictions from a row on; becomes the gradient with respect to them
     */
    private static double squared(float[] found, Examples examples, int size, int from) {
        double all = (double) examples.rows() * size;
        double sum = 0;
        for (int i = 0; i < found.length; i++) {
            double weight = examples.weights()[from + i / size];
            double difference = found[i] - examples.target()[from * size + i];
            sum += weight * difference * difference / all;
            found[i] = (float) (2 * weight * difference / all);
        }
        return sum;
    }

    /** The sum of the parts' gradients with respect to a prompt's embeddings, beside these. */
    private static PromptEmbeds sum(List<Part> parts, int place, PromptEmbeds embeds) {
        NDList sums = new NDList();
        for (int i = 0; i < embeds.arrays().size(); i++) {
            NDArray like = embeds.arrays().get(i);
            int at = i;
            float[] sum = sum(
                    parts.stream().map(part -> part.slopes().get(place).get(at)).toList());
            sums.add(like.getManager().create(sum, like.getShape()));
        }
        return new PromptEmbeds(sums);
    }

    private static float[] sum(List<float[]> parts) {
        float[] sum = new float[parts.get(0).length];
        for (float[] part : parts) {
            for (int i = 0; i < sum.length; i++) {
                sum[i] += part[i];
            }
        }
        return sum;
    }

    /**
     * The mean squared error with the classes' prompts, at levels and noise that are the same for all prompts and that
     * no step sees.
     */
    private double judged(
            Function<NDManager, Denoiser> denoiser,
            NDManager arrays,
            Images images,
            List<Told> told,
            Function<Told, Embeds> prompt,
            String seed,
            Rows runner) {
        UniformRandomProvider random = RecipeSampler.rng(seed + " judgement");
        Map<Integer, Embeds> prompts = new HashMap<>(); // by class
        double sum = 0;
        for (int i = 0; i < LEVELS; i++) {
            int first = i * IMAGES_PER_LEVEL;
            TrainingProcess.Level level = process.level((i + 0.5) / LEVELS, 0);
            int[] rows = IntStream.range(first, first + IMAGES_PER_LEVEL)
                    .map(n -> n % images.latents().size())
                    .toArray();
            Examples examples = examples(
                    images,
                    rows,
                    IntStream.of(rows).mapToObj(images.latents()::get).toList(),
                    Collections.nCopies(IMAGES_PER_LEVEL, level),
                    new boolean[IMAGES_PER_LEVEL],
                    random);
            List<Part> parts = runner.run(examples.rows(), (from, to, halvings) -> {
                try (NDManager scope = arrays.newSubManager()) {
                    Denoiser network = denoiser.apply(scope);
                    float[] found = network.predict(
                                    array(examples.noisy(), images.shape(), from, to, scope),
                                    level.timestep(),
                                    network.sized(
                                            shown(
                                                    examples.told(from, to),
                                                    of -> prompts.computeIfAbsent(of, c -> prompt.apply(told.get(c)))
                                                            .onto(scope),
                                                    null,
                                                    scope),
                                            examples.sizes().subList(from, to),
                                            scope))
                            .toFloatArray();
                    return new Part(
                            squared(found, examples, images.shape().size(), from),
                            List.of(),
                            Student.NOTHING,
                            halvings);
                }
            });
            sum += parts.stream().mapToDouble(Part::loss).sum() / LEVELS;
        }
        return sum;
    }

    private static NDArray array(float[] values, latentmix.latent.Shape shape, int from, int to, NDManager owner) {
        return owner.create(
                Arrays.copyOfRange(values, from * shape.size(), to * shape.size()),
                new Shape((long) to - from, shape.channels(), shape.height(), shape.width()));
    }
}
