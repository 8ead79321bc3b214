package latentmix.study;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.Type;
import latentmix.image.PixelScores;
import latentmix.image.Pixels;
import latentmix.metric.FrechetDistance;
import latentmix.metric.GaussianStatistics;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.ImageClassifier;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.model.Vae;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.study.StudyConfig.AxisScale;
import latentmix.training.TrainConfig;
import latentmix.training.TrainingImages;
import latentmix.training.TrainingLoop.Point;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.apache.commons.rng.simple.RandomSource;

/**
 * A report on a training as one page: the curves of its losses, reconstructions of held-out images, samples of every
 * prompt, and how both compare with held-out images by a classifier's features and answers and by their colours, beside
 * other checkpoints.
 */
public final class TrainingReport {
    private static final int SAMPLES = 1000;
    private static final int SHOWN = 10;
    private static final int BATCH = 50;
    private static final int STEPS = 50;
    private static final long SEED = 1;

    /**
     * Measurements of some images of a checkpoint. Distances are between features of the classifier, of these images
     * and of the rest of the held-out images. They are no FID.
     *
     * @param images what they are: the held-out images themselves, reconstructions of them, or samples
     * @param count number of images
     * @param distance Fréchet distance
     * @param error of reconstructions, the root of the mean squared difference of their pixels, in levels of a byte;
     *     else NaN
     * @param agreement share of images that the classifier takes for their class; NaN where prompts are not classes
     * @param sharpness mean {@link PixelScores#sharpness}, over that of held-out images
     * @param saturation mean {@link PixelScores#saturation}
     * @param red mean of the channel, in levels of a byte
     */
    public record Scores(
            String checkpoint,
            String images,
            int count,
            double distance,
            double error,
            double agreement,
            double sharpness,
            double saturation,
            double red,
            double green,
            double blue) {}

    /** A checkpoint's images: reconstructions, and samples of every prompt by guidance scale. */
    private record Made(String checkpoint, List<Pixels> reconstructed, Map<Double, List<List<Pixels>>> sampled) {}

    private final TrainConfig.Report config;
    private final List<String> prompts;
    private final List<Pixels> heldOut;
    private final List<Integer> labels;
    private final GaussianStatistics reference;
    private final List<Pixels> measured;
    private final ImageClassifier classifier;

    /**
     * A report.
     *
     * @param judge the classifier's component folder
     * @param prompts one prompt for each class, in the classifier's order; or one for all
     * @param heldOut images in any order, whose prompts are the classes in the same order; or one for all
     */
    public TrainingReport(TrainConfig.Report config, Path judge, List<String> prompts, TrainingImages heldOut) {
        this.config = config;
        this.prompts = List.copyOf(prompts);
        int[] spread = spread(heldOut.size());
        this.heldOut = IntStream.of(spread).mapToObj(heldOut.pixels()::get).toList();
        this.labels = IntStream.of(spread).mapToObj(heldOut.prompt()::get).toList();
        this.classifier = Models.classifier(judge, Device.cpu(), Dtype.FLOAT32);
        int count = Math.min(SAMPLES, this.heldOut.size() / 2);
        this.measured = this.heldOut.subList(0, count);
        this.reference = statistics(this.heldOut.subList(count, this.heldOut.size()));
        int classes = classifier.classify(this.measured.subList(0, 1)).get(0).logits().length;
        if (prompts.size() > 1 && prompts.size() != classes) {
            throw new IllegalArgumentException("report.classifier: expected a classifier of the " + prompts.size()
                    + " classes of the held-out images, got one of " + classes + " in " + judge + "; name another");
        }
    }

    /** Places in an order that has nothing to do with classes. */
    private static int[] spread(int count) {
        return new PermutationSampler(RandomSource.XO_RO_SHI_RO_128_PP.create(SEED), count, count).sample();
    }

    /**
     * Publishes {@code report.html} and {@code scores.csv} in a folder. A checkpoint that has no U-Net yet is measured
     * by its reconstructions alone.
     */
    public List<Scores> publish(Path checkpoint, Map<String, List<Point>> curves, Path folder) throws IOException {
        List<Made> all = new ArrayList<>();
        all.add(made("trained", checkpoint));
        for (String other : config.compare()) {
            all.add(made(other, Path.of(BuiltIn.located(other))));
        }
        List<Scores> scores = new ArrayList<>();
        scores.add(scores("", "held out", measured, Double.NaN, labels));
        all.forEach(each -> scores.addAll(scores(each)));
        StudyTable<Scores> table = new StudyTable<>("scores", "", Scores.class, scores);
        Files.writeString(folder.resolve("scores.csv"), table.csv());
        Files.write(
                folder.resolve("report.html"), page(curves, all, table).html().getBytes(StandardCharsets.UTF_8));
        return scores;
    }

    // ---- measurements ----

    private Made made(String name, Path path) {
        Path vae = path.resolve("vae");
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Vae encoder = Models.encoder(vae, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(vae, Device.cpu(), Dtype.FLOAT32)) {
            List<Pixels> reconstructed = reconstructed(encoder, decoder, arrays);
            Map<Double, List<List<Pixels>>> sampled = new LinkedHashMap<>();
            if (Files.isDirectory(path.resolve("unet"))) {
                CheckpointFolder folder = CheckpointFolder.open(path);
                for (double guidance : config.guidance()) {
                    sampled.put(guidance, sampled(folder, decoder, arrays, guidance));
                }
            }
            return new Made(name, reconstructed, sampled);
        }
    }

    private List<Scores> scores(Made made) {
        List<Scores> scores = new ArrayList<>();
        List<Pixels> reconstructed = made.reconstructed();
        double error = difference(measured, reconstructed);
        scores.add(scores(made.checkpoint(), "reconstructions", reconstructed, error, labels));
        made.sampled().forEach((guidance, byPrompt) -> {
            List<Integer> asked = IntStream.range(0, byPrompt.size())
                    .boxed()
                    .flatMap(prompt -> Collections.nCopies(byPrompt.get(prompt).size(), prompt).stream())
                    .toList();
            List<Pixels> samples = byPrompt.stream().flatMap(List::stream).toList();
            scores.add(scores(made.checkpoint(), samples(guidance), samples, Double.NaN, asked));
        });
        return scores;
    }

    private static String samples(double guidance) {
        return "samples at guidance " + Type.Decimal.plain(guidance);
    }

    /** The scores of some images, of which these are the labels, and more. */
    private Scores scores(String checkpoint, String images, List<Pixels> pixels, double error, List<Integer> expected) {
        double[] means = means(pixels);
        return new Scores(
                checkpoint,
                images,
                pixels.size(),
                FrechetDistance.between(statistics(pixels), reference).value(),
                error,
                agreement(pixels, expected),
                mean(pixels, PixelScores::sharpness) / mean(measured, PixelScores::sharpness),
                mean(pixels, PixelScores::saturation),
                means[0],
                means[1],
                means[2]);
    }

    private List<Pixels> reconstructed(Vae encoder, Vae decoder, NDManager arrays) {
        List<Pixels> images = new ArrayList<>();
        for (int from = 0; from < measured.size(); from += BATCH) {
            List<Pixels> batch = measured.subList(from, Math.min(from + BATCH, measured.size()));
            try (NDManager scope = arrays.newSubManager()) {
                images.addAll(pixels(decoder.decode(encoder.encode(Vae.images(scope, batch)))));
            }
        }
        return images;
    }

    private static List<Pixels> pixels(NDArray images) {
        int side = (int) images.getShape().get(3);
        float[] values = images.toFloatArray();
        return IntStream.range(0, (int) images.getShape().get(0))
                .mapToObj(i -> Pixels.ofChw(values, i * 3 * side * side, side, side))
                .toList();
    }

    /** Samples of every prompt, the same noise for every checkpoint and scale. */
    private List<List<Pixels>> sampled(CheckpointFolder folder, Vae decoder, NDManager arrays, double guidance) {
        latentmix.latent.Shape shape = Models.latentShape(folder);
        Scheduler scheduler = Scheduler.of(folder.schedulerConfig());
        List<List<Pixels>> all = new ArrayList<>();
        ZigguratSampler.NormalizedGaussian normal =
                ZigguratSampler.NormalizedGaussian.of(RandomSource.XO_RO_SHI_RO_128_PP.create(SEED));
        try (Denoiser denoiser = Models.denoiser(folder, Device.cpu(), Dtype.FLOAT32);
                TextEncoder text = Models.textEncoder(folder, Device.cpu(), Dtype.FLOAT32)) {
            DenoisingLoop loop = new DenoisingLoop(scheduler.sampling(STEPS), denoiser, new Guidance(guidance));
            PromptEmbeds unconditional = text.encode("").onto(arrays);
            int each = Math.max(SHOWN, measured.size() / prompts.size());
            for (String prompt : prompts) {
                PromptEmbeds conditional = text.encode(prompt).onto(arrays);
                List<Pixels> images = new ArrayList<>();
                for (int from = 0; from < each; from += BATCH) {
                    int count = Math.min(BATCH, each - from);
                    float[] noise = new float[count * shape.size()];
                    for (int i = 0; i < noise.length; i++) {
                        noise[i] = (float) normal.sample();
                    }
                    try (NDManager scope = arrays.newSubManager()) {
                        NDArray start =
                                scope.create(noise, new Shape(count, shape.channels(), shape.height(), shape.width()));
                        images.addAll(pixels(decoder.decode(loop.run(start, conditional, unconditional))));
                    }
                }
                all.add(images);
            }
        }
        return all;
    }

    private GaussianStatistics statistics(List<Pixels> images) {
        GaussianStatistics statistics = new GaussianStatistics(classifier.width());
        for (int from = 0; from < images.size(); from += BATCH) {
            classifier
                    .encode(images.subList(from, Math.min(from + BATCH, images.size())))
                    .forEach(statistics::add);
        }
        return statistics;
    }

    private double agreement(List<Pixels> images, List<Integer> expected) {
        if (prompts.size() < 2) {
            return Double.NaN;
        }
        long right = 0;
        for (int from = 0; from < images.size(); from += BATCH) {
            List<ImageClassifier.Classification> answers =
                    classifier.classify(images.subList(from, Math.min(from + BATCH, images.size())));
            for (int i = 0; i < answers.size(); i++) {
                right += answers.get(i).label() == expected.get(from + i) ? 1 : 0;
            }
        }
        return (double) right / images.size();
    }

    private static double difference(List<Pixels> images, List<Pixels> others) {
        double sum = 0;
        long count = 0;
        for (int i = 0; i < images.size(); i++) {
            byte[] a = images.get(i).rgb();
            byte[] b = others.get(i).rgb();
            for (int j = 0; j < a.length; j++) {
                double difference = (a[j] & 0xff) - (b[j] & 0xff);
                sum += difference * difference;
            }
            count += a.length;
        }
        return Math.sqrt(sum / count);
    }

    private static double mean(List<Pixels> images, ToDoubleFunction<PixelScores> score) {
        return images.stream()
                .mapToDouble(image -> score.applyAsDouble(PixelScores.of(image)))
                .average()
                .orElseThrow();
    }

    /** Means of the three channels over all pixels, in levels of a byte. */
    private static double[] means(List<Pixels> images) {
        long[] sums = new long[3];
        long count = 0;
        for (Pixels image : images) {
            byte[] rgb = image.rgb();
            for (int i = 0; i < rgb.length; i++) {
                sums[i % 3] += rgb[i] & 0xff;
            }
            count += rgb.length / 3;
        }
        return new double[] {(double) sums[0] / count, (double) sums[1] / count, (double) sums[2] / count};
    }

    // ---- the page ----

    private TrainingPage page(Map<String, List<Point>> curves, List<Made> all, StudyTable<Scores> table)
            throws IOException {
        List<PageImage> figures = new ArrayList<>();
        for (Map.Entry<String, List<Point>> curve : curves.entrySet()) {
            Chart chart = loss(curve.getKey(), curve.getValue());
            figures.add(PageImage.of(
                    new Figure.Drawing(curve.getKey(), "Loss of the " + curve.getKey(), chart), chart.svg()));
        }
        figures.add(picture("Held-out images and what each autoencoder makes of them", reconstructions(all)));
        for (Made each : all) {
            each.sampled()
                    .forEach((guidance, samples) -> figures.add(picture(
                            "By prompt alone, " + samples(guidance) + ": " + each.checkpoint(), samples(samples))));
        }
        return new TrainingPage(heldOut.size() - measured.size(), table, figures);
    }

    private static PageImage picture(String caption, PictureGrid grid) {
        return PageImage.of(new Figure.Pictures("", caption, grid), grid.png());
    }

    private static Chart loss(String stage, List<Point> points) {
        List<Chart.Point> line = points.stream()
                .map(point -> new Chart.Point(point.step(), point.terms().get(0)))
                .toList();
        return new Chart(
                stage,
                new Chart.Axis("step", AxisScale.LINEAR),
                new Chart.Axis("loss", AxisScale.LINEAR),
                List.of(new Chart.Series("mean of 50 steps", Chart.Mark.FIT, line)),
                List.of());
    }

    private PictureGrid reconstructions(List<Made> all) {
        List<PictureGrid.Row> rows = new ArrayList<>();
        rows.add(row("held out", measured));
        all.forEach(each -> rows.add(row(each.checkpoint(), each.reconstructed())));
        return new PictureGrid(places(), rows);
    }

    private PictureGrid samples(List<List<Pixels>> byPrompt) {
        return new PictureGrid(
                places(),
                IntStream.range(0, prompts.size())
                        .mapToObj(i -> row(prompts.get(i), byPrompt.get(i)))
                        .toList());
    }

    private static PictureGrid.Row row(String label, List<Pixels> images) {
        return new PictureGrid.Row(
                label, images.stream().limit(SHOWN).map(Optional::of).toList());
    }

    private static List<String> places() {
        return IntStream.rangeClosed(1, SHOWN).mapToObj(Integer::toString).toList();
    }
}
