package latentmix.adaptation;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
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
 * Learns a class from a few images: a token's vectors, a low-rank adapter of the network, or both at once are moved to
 * lessen
 *
 * <pre>E [ weight_t · mean (m(x_t, t, c) − target)² ]</pre>
 *
 * by {@link latentmix.inversion.Adam}, where c are the embeddings of the class's prompt. {@link TrainingProcess} says
 * what x_t, the target and the weight are. Which images, levels and noise a step sees depends on the seed and the step
 * alone.
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
     */
    public record Images(
            latentmix.latent.Shape shape, List<float[]> latents, List<float[]> mirrored, List<TimeIds> sizes) {
        public Images {
            latents = List.copyOf(latents);
            sizes = List.copyOf(sizes);
            mirrored = List.copyOf(mirrored);
            if (latents.isEmpty()) {
                throw new IllegalArgumentException("A class must be learnt from at least 1 image, cannot be from: 0");
            }
        }
    }

    /**
     * What was learnt.
     *
     * @param vectors of each CLIP encoder (vectors, width), row-major; none without a token
     * @param adapter as {@link latentmix.architecture.LowRankNetwork} lays it out; empty without one
     * @param losses of every step, weighted
     * @param plainLoss the mean squared error of the network as it was, told the class's name, at levels and noise
     *     which no step saw
     * @param loss the same of what was learnt
     * @param halvings of the micro-batch, the most
     */
    public record Learnt(
            List<float[]> vectors, float[] adapter, List<Double> losses, double plainLoss, double loss, int halvings) {}

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
     * @param slope the gradient of that with respect to the prompt's embeddings, one row each
     * @param adapter the same with respect to the adapter
     */
    public record Part(double loss, List<float[]> slope, float[] adapter, int halvings) {}

    /**
     * Examples of a step: noisy latents and what the network should say of them.
     *
     * @param sizes of their images
     * @param wordless which of them are shown without words
     */
    private record Examples(
            float[] noisy,
            float[] target,
            double[] timesteps,
            double[] weights,
            List<TimeIds> sizes,
            boolean[] wordless) {
        int rows() {
            return timesteps.length;
        }

        /** Without words, the rows of a part. */
        boolean[] wordless(int from, int to) {
            return Arrays.copyOfRange(wordless, from, to);
        }
    }

    /**
     * Learns the class.
     *
     * @param seed what draws images, levels and noise
     * @param progress hears of each step
     */
    public Learnt learn(
            Student student,
            Told told,
            NDManager arrays,
            Images images,
            String seed,
            Rows runner,
            IntConsumer progress) {
        Embeds empty = told.empty();
        double plainLoss = judged(student::before, arrays, images, told.plain(), seed, runner);
        List<Double> losses = new ArrayList<>();
        int halvings = 0;
        for (int step = 0; step < settings.steps(); step++) {
            Examples examples = examples(images, seed, step);
            List<Part> parts = new ArrayList<>();
            told.step(arrays, embeds -> {
                parts.addAll(runner.run(
                        examples.rows(),
                        (from, to, halved) ->
                                part(student, arrays, images, embeds, empty, examples, from, to, halved)));
                return sum(parts, embeds);
            });
            student.step(sum(parts.stream().map(Part::adapter).toList()));
            losses.add(parts.stream().mapToDouble(Part::loss).sum());
            halvings = Math.max(
                    halvings, parts.stream().mapToInt(Part::halvings).max().orElse(0));
            progress.accept(step);
        }
        double loss = judged(student::now, arrays, images, told.now(), seed, runner);
        return new Learnt(told.vectors(), student.adapter(), losses, plainLoss, loss, halvings);
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
        List<TimeIds> sizes = IntStream.of(rows).mapToObj(images.sizes()::get).toList();
        return examples(latents, levels, sizes, wordless, random);
    }

    /** The image that is shown as the n-th: a fresh permutation of all whenever each was shown. */
    private static int row(int images, String seed, long n) {
        UniformRandomProvider random = RecipeSampler.rng(seed + " epoch " + n / images);
        return new PermutationSampler(random, images, images).sample()[(int) (n % images)];
    }

    private static Examples examples(
            List<float[]> latents,
            List<TrainingProcess.Level> levels,
            List<TimeIds> sizes,
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
                sizes,
                wordless);
    }

    private static Part part(
            Student student,
            NDManager arrays,
            Images images,
            PromptEmbeds embeds,
            Embeds empty,
            Examples examples,
            int from,
            int to,
            int halvings) {
        try (NDManager scope = arrays.newSubManager()) {
            double[] losses = new double[1];
            double[] timesteps = Arrays.copyOfRange(examples.timesteps(), from, to);
            boolean[] wordless = examples.wordless(from, to);
            Student.Slopes slopes = student.slopes(
                    array(examples.noisy(), images.shape(), from, to, scope),
                    timesteps,
                    student.sized(
                            shown(embeds, empty, wordless, scope),
                            examples.sizes().subList(from, to),
                            scope),
                    predicted -> {
                        float[] found = predicted.toFloatArray();
                        losses[0] = squared(found, examples, images.shape().size(), from);
                        return predicted.getManager().create(found, predicted.getShape());
                    });
            List<float[]> sums = new ArrayList<>();
            for (NDArray array : slopes.prompt().arrays()) {
                array.attach(scope);
                sums.add(sum(array, wordless));
            }
            return new Part(losses[0], sums, slopes.adapter(), halvings);
        }
    }

    /** What each row is told. */
    private static PromptEmbeds shown(PromptEmbeds embeds, Embeds empty, boolean[] wordless, NDManager scope) {
        if (!any(wordless)) {
            return embeds.rows(wordless.length, scope);
        }
        return IntStream.range(0, wordless.length)
                .mapToObj(row -> wordless[row] ? empty.onto(scope) : embeds.rows(1, scope))
                .reduce(PromptEmbeds::concat)
                .orElseThrow();
    }

    private static boolean any(boolean[] flags) {
        for (boolean flag : flags) {
            if (flag) {
                return true;
            }
        }
        return false;
    }

    /** The sum of the rows that were told the prompt. */
    private static float[] sum(NDArray rows, boolean[] wordless) {
        if (!any(wordless)) {
            return rows.sum(new int[] {0}, true).toFloatArray();
        }
        float[] all = rows.toFloatArray();
        float[] sum = new float[all.length / wordless.length];
        for (int row = 0; row < wordless.length; row++) {
            for (int i = 0; i < sum.length && !wordless[row]; i++) {
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

    /** The sum of the parts' gradients, beside the embeddings. */
    private static PromptEmbeds sum(List<Part> parts, PromptEmbeds embeds) {
        NDList sums = new NDList();
        for (int i = 0; i < embeds.arrays().size(); i++) {
            NDArray like = embeds.arrays().get(i);
            int at = i;
            float[] sum = sum(parts.stream().map(part -> part.slope().get(at)).toList());
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

    /** The mean squared error with a prompt, at levels and noise that are the same for each and that no step sees. */
    private double judged(
            Function<NDManager, Denoiser> denoiser,
            NDManager arrays,
            Images images,
            Embeds prompt,
            String seed,
            Rows runner) {
        UniformRandomProvider random = RecipeSampler.rng(seed + " judgement");
        double sum = 0;
        for (int i = 0; i < LEVELS; i++) {
            int first = i * IMAGES_PER_LEVEL;
            TrainingProcess.Level level = process.level((i + 0.5) / LEVELS, 0);
            int[] rows = IntStream.range(first, first + IMAGES_PER_LEVEL)
                    .map(n -> n % images.latents().size())
                    .toArray();
            Examples examples = examples(
                    IntStream.of(rows).mapToObj(images.latents()::get).toList(),
                    Collections.nCopies(IMAGES_PER_LEVEL, level),
                    IntStream.of(rows).mapToObj(images.sizes()::get).toList(),
                    new boolean[IMAGES_PER_LEVEL],
                    random);
            List<Part> parts = runner.run(examples.rows(), (from, to, halvings) -> {
                try (NDManager scope = arrays.newSubManager()) {
                    Denoiser network = denoiser.apply(scope);
                    float[] found = network.predict(
                                    array(examples.noisy(), images.shape(), from, to, scope),
                                    level.timestep(),
                                    network.sized(
                                            prompt.onto(scope).rows((long) to - from, scope),
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
