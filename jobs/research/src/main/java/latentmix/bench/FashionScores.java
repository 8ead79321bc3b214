package latentmix.bench;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.UnreadableImage;
import latentmix.metric.FrechetDistance;
import latentmix.metric.GaussianStatistics;
import latentmix.model.Dtype;
import latentmix.model.ImageClassifier;
import latentmix.model.ImageClassifier.Classification;
import latentmix.model.Models;

/**
 * These scores say how like Fashion-MNIST's images are, by the built-in classifier: the Fréchet distance of its 64
 * features to those of the built-in sample's 640 images, and the share of images that it takes for what they should
 * show.
 *
 * <p>The distance is no FID, and it falls with the number of images: compare equal numbers only. A high accuracy does
 * not show that images differ from each other.
 */
public final class FashionScores implements AutoCloseable {
    private static final int BATCH = 64;
    private static final long MAX_PIXELS = 1 << 20;

    /** An image and the label that it should have. */
    public record Labelled(Pixels pixels, int label) {}

    /**
     * The scores of some images.
     *
     * @param frechetDistance Fréchet distance to the sample's features, 0 for the sample itself
     * @param accuracy share of images whose largest logit is their label's
     */
    public record Scores(long images, double frechetDistance, double accuracy) {}

    private final ImageClassifier classifier;
    private final GaussianStatistics sample;

    private FashionScores(ImageClassifier classifier, GaussianStatistics sample) {
        this.classifier = classifier;
        this.sample = sample;
    }

    /** Loads the classifier and looks at the sample. */
    public static FashionScores open() {
        ImageClassifier classifier =
                Models.classifier(BuiltIn.FASHION.folder().resolve("classifier"), Device.cpu(), Dtype.FLOAT32);
        GaussianStatistics sample = new GaussianStatistics(classifier.width());
        classify(classifier, sample()).forEach(each -> sample.add(each.features()));
        return new FashionScores(classifier, sample);
    }

    /** The sample's images; labels are those of its {@code classes.tsv}, the places of the sorted folders. */
    public static List<Labelled> sample() {
        List<Labelled> images = new ArrayList<>();
        try (Stream<Path> entries = Files.list(BuiltIn.FASHION_MNIST_SAMPLE.folder())) {
            List<Path> classes = entries.filter(Files::isDirectory).sorted().toList();
            for (int label = 0; label < classes.size(); label++) {
                try (Stream<Path> files = Files.list(classes.get(label))) {
                    for (Path file : files.sorted().toList()) {
                        images.add(new Labelled(ImageDecoder.decode(Files.readAllBytes(file), MAX_PIXELS), label));
                    }
                }
            }
        } catch (IOException | UnreadableImage e) {
            throw new IllegalStateException("The built-in sample cannot be read", e);
        }
        return List.copyOf(images);
    }

    /** Scores at least two images. */
    public Scores of(List<Labelled> images) {
        GaussianStatistics statistics = new GaussianStatistics(classifier.width());
        List<Classification> answers = classify(classifier, images);
        int right = 0;
        for (int i = 0; i < answers.size(); i++) {
            statistics.add(answers.get(i).features());
            right += answers.get(i).label() == images.get(i).label() ? 1 : 0;
        }
        return new Scores(
                images.size(), FrechetDistance.between(statistics, sample).value(), (double) right / images.size());
    }

    private static List<Classification> classify(ImageClassifier classifier, List<Labelled> images) {
        List<Classification> answers = new ArrayList<>();
        for (int from = 0; from < images.size(); from += BATCH) {
            answers.addAll(classifier.classify(images.subList(from, Math.min(from + BATCH, images.size())).stream()
                    .map(Labelled::pixels)
                    .toList()));
        }
        return answers;
    }

    @Override
    public void close() {
        classifier.close();
    }
}
