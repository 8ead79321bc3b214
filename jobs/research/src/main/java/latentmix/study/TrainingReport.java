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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
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
 * prompt, and the distance of both from held-out images by a classifier's features, beside other checkpoints.
 */
public final class TrainingReport {
    private static final int SAMPLES = 1000;
    private static final int SHOWN = 10;
    private static final int BATCH = 50;
    private static final int STEPS = 50;
    private static final long SEED = 1;

    /**
     * A checkpoint's measurements. Distances are between features of the classifier, of as many images each, and the
     * rest of the held-out images. They are no FID.
     *
     * @param images number of images behind each number
     * @param reconstruction Fréchet distance of held-out images encoded and decoded
     * @param reconstructionError root of the mean squared difference of their pixels, in levels of a byte
     * @param samples Fréchet distance of samples of all prompts
     * @param agreement share of samples that the classifier takes for their prompt's class; NaN where prompts are not
     *     classes
     * @param sharpness mean of samples' {@link PixelScores#sharpness}, over that of held-out images
     */
    public record Scores(
            String checkpoint,
            int images,
            double reconstruction,
            double reconstructionError,
            double samples,
            double agreement,
            double sharpness) {}

    private record Measured(Scores scores, List<Pixels> reconstructed, List<List<Pixels>> sampled) {}

    private final TrainConfig.Report config;
    private final List<String> prompts;
    private final List<Pixels> heldOut;
    private final GaussianStatistics reference;
    private final List<Pixels> measured;
    private final ImageClassifier classifier;

    /**
     * A report.
     *
     * @param prompts one prompt for each class, in the classifier's order; or one for all
     * @param heldOut images in any order
     */
    public TrainingReport(TrainConfig.Report config, List<String> prompts, TrainingImages heldOut) {
        this.config = config;
        this.prompts = List.copyOf(prompts);
        this.heldOut = spread(heldOut.pixels());
        this.classifier = Models.classifier(Path.of(BuiltIn.located(config.classifier())), Device.cpu(), Dtype.FLOAT32);
        int count = Math.min(SAMPLES, this.heldOut.size() / 2);
        this.measured = this.heldOut.subList(0, count);
        this.reference = statistics(this.heldOut.subList(count, this.heldOut.size()));
    }

    /** The images in an order that has nothing to do with classes. */
    private static List<Pixels> spread(List<Pixels> pixels) {
        return IntStream.of(new PermutationSampler(
                                RandomSource.XO_RO_SHI_RO_128_PP.create(SEED), pixels.size(), pixels.size())
                        .sample())
                .mapToObj(pixels::get)
                .toList();
    }

    /** Publishes {@code report.html} and {@code scores.csv} in a folder. */
    public List<Scores> publish(Path checkpoint, Map<String, List<Point>> curves, Path folder) throws IOException {
        List<Measured> all = new ArrayList<>();
        all.add(measure("trained", checkpoint));
        for (String other : config.compare()) {
            all.add(measure(other, Path.of(BuiltIn.located(other))));
        }
        List<Scores> scores = all.stream().map(Measured::scores).toList();
        StudyTable<Scores> table = new StudyTable<>("scores", "", Scores.class, scores);
        Files.writeString(folder.resolve("scores.csv"), table.csv());
        Files.write(
                folder.resolve("report.html"), page(curves, all, table).html().getBytes(StandardCharsets.UTF_8));
        return scores;
    }

    // ---- measurements ----

    private Measured measure(String name, Path path) {
        CheckpointFolder folder = CheckpointFolder.open(path);
        try (NDManager arrays = NDManager.newBaseManager(Device.cpu(), "PyTorch");
                Vae encoder = Models.encoder(folder, Device.cpu(), Dtype.FLOAT32);
                Vae decoder = Models.decoder(folder, Device.cpu(), Dtype.FLOAT32)) {
            List<Pixels> reconstructed = reconstructed(encoder, decoder, arrays);
            List<List<Pixels>> sampled = sampled(folder, decoder, arrays);
            List<Pixels> samples = sampled.stream().flatMap(List::stream).toList();
            return new Measured(
                    new Scores(
                            name,
                            measured.size(),
                            FrechetDistance.between(statistics(reconstructed), reference)
                                    .value(),
                            difference(measured, reconstructed),
                            FrechetDistance.between(statistics(samples), reference)
                                    .value(),
                            agreement(sampled),
                            sharpness(samples) / sharpness(measured)),
                    reconstructed,
                    sampled);
        }
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

    /** Samples of every prompt, the same noise for every checkpoint. */
    private List<List<Pixels>> sampled(CheckpointFolder folder, Vae decoder, NDManager arrays) {
        latentmix.latent.Shape shape = Models.latentShape(folder);
        Scheduler scheduler = Scheduler.of(folder.schedulerConfig());
        List<List<Pixels>> all = new ArrayList<>();
        ZigguratSampler.NormalizedGaussian normal =
                ZigguratSampler.NormalizedGaussian.of(RandomSource.XO_RO_SHI_RO_128_PP.create(SEED));
        try (Denoiser denoiser = Models.denoiser(folder, Device.cpu(), Dtype.FLOAT32);
                TextEncoder text = Models.textEncoder(folder, Device.cpu(), Dtype.FLOAT32)) {
            DenoisingLoop loop =
                    new DenoisingLoop(scheduler.sampling(STEPS), denoiser, new Guidance(config.guidance()));
            PromptEmbeds unconditional = text.encode("").onto(arrays);
            int each = measured.size() / prompts.size();
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

    private double agreement(List<List<Pixels>> sampled) {
        if (sampled.size() < 2) {
            return Double.NaN;
        }
        long right = 0;
        for (int label = 0; label < sampled.size(); label++) {
            int expected = label;
            right += classifier.classify(sampled.get(label)).stream()
                    .filter(answer -> answer.label() == expected)
                    .count();
        }
        return (double) right / sampled.stream().mapToInt(List::size).sum();
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

    private static double sharpness(List<Pixels> images) {
        return images.stream()
                .mapToDouble(image -> PixelScores.of(image).sharpness())
                .average()
                .orElseThrow();
    }

    // ---- the page ----

    private TrainingPage page(Map<String, List<Point>> curves, List<Measured> all, StudyTable<Scores> table)
            throws IOException {
        List<PageImage> figures = new ArrayList<>();
        for (Map.Entry<String, List<Point>> curve : curves.entrySet()) {
            Chart chart = loss(curve.getKey(), curve.getValue());
            figures.add(PageImage.of(
                    new Figure.Drawing(curve.getKey(), "Loss of the " + curve.getKey(), chart), chart.svg()));
        }
        figures.add(picture("Held-out images and what each autoencoder makes of them", reconstructions(all)));
        for (Measured each : all) {
            figures.add(picture(
                    String.format(
                            Locale.ROOT,
                            "Samples by prompt alone, guidance %s: %s",
                            config.guidance(),
                            each.scores().checkpoint()),
                    samples(each)));
        }
        return new TrainingPage(measured.size(), heldOut.size() - measured.size(), table, figures);
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

    private PictureGrid reconstructions(List<Measured> all) {
        List<PictureGrid.Row> rows = new ArrayList<>();
        rows.add(row("held out", measured));
        all.forEach(each -> rows.add(row(each.scores().checkpoint(), each.reconstructed())));
        return new PictureGrid(places(), rows);
    }

    private PictureGrid samples(Measured each) {
        return new PictureGrid(
                places(),
                IntStream.range(0, prompts.size())
                        .mapToObj(i -> row(prompts.get(i), each.sampled().get(i)))
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
