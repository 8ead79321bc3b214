package latentmix.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import latentmix.architecture.Architecture;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.Part;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.image.Pixels;
import latentmix.model.Dtype;
import latentmix.model.ImageClassifier;
import latentmix.model.Models;
import latentmix.torchscript.ScriptModule;
import latentmix.training.TrainingLoop.Point;
import latentmix.training.TrainingLoop.Schedule;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * Trains a classifier of coloured images, whose classes are the images' prompts, down the cross entropy with smoothed
 * labels, and writes it as a component in float16.
 *
 * <p>Its state lies beside those of {@link LatentDiffusionTraining} under a name that hashes its settings and images. A
 * training that was stopped goes on there, to the same bytes with the same number of threads.
 */
public final class ColourClassifierTraining {
    /** The stage's name, which is the component's folder too. */
    public static final String STAGE = "classifier";

    /** Half of the images that may be mirrored are, by themselves. */
    private static final Augmentation AUGMENTATION = new Augmentation(0, 4, 0.15, 0.1, 0.25);

    /**
     * The settings of a training.
     *
     * @param size pixels of a side
     * @param config configuration of a ConvClassifier, without its size, channels and classes
     * @param labelSmoothing the share of a label that goes to all classes, in [0, 1)
     */
    public record Settings(
            long seed, int threads, int size, JsonNode config, double labelSmoothing, Schedule schedule) {}

    private final Settings settings;
    private final TrainingImages images;
    private final Path folder;
    private final LatentDiffusionTraining.Progress progress;

    /**
     * A training into a folder: the component becomes its {@code model/classifier}.
     *
     * @param images their prompts are the classes, by number
     */
    public ColourClassifierTraining(
            Settings settings, TrainingImages images, Path folder, LatentDiffusionTraining.Progress progress) {
        if (images.prompts().size() < 2) {
            throw new IllegalArgumentException("expected images of at least two classes to train a classifier on, got "
                    + images.prompts() + "; choose other images, or leave the classifier out");
        }
        this.settings = settings;
        this.images = images;
        this.folder = folder;
        this.progress = progress;
    }

    /** The component's folder in a training's folder. */
    public static Path component(Path folder) {
        return folder.resolve("model").resolve(STAGE);
    }

    /** Trains what is not trained yet; returns the curve of the loss and of the images of a batch that are right. */
    public List<Point> run() throws IOException {
        ObjectNode config = settings.config().deepCopy();
        config.put("normalization", config.path("normalization").asText("group_norm"));
        config.put("_class_name", "ConvClassifier")
                .put("image_size", settings.size())
                .put("in_channels", 3)
                .put("num_classes", images.prompts().size());
        ConvClassifier architecture = (ConvClassifier) Architecture.of(config, STAGE);
        if (architecture.normalization() != ConvClassifier.Normalization.GROUP_NORM) {
            throw new IllegalArgumentException("classifier.config: expected normalization: group_norm, which does the"
                    + " same in training as after it, got batch_norm; set it");
        }
        ScriptModule module = loss(architecture, settings.labelSmoothing());
        String name = LatentDiffusionTraining.id(
                settings.seed(),
                settings.threads(),
                STAGE,
                images.fingerprint(),
                images.prompts(),
                images.told(),
                config,
                settings.labelSmoothing(),
                AUGMENTATION,
                settings.schedule());
        try (TrainableNetwork network =
                TrainableNetwork.load(module, Initialization.of(module, settings.seed()), key -> true, Device.cpu())) {
            BatchOrder order = new BatchOrder(
                    settings.seed(), images.size(), settings.schedule().batch());
            TrainingLoop loop =
                    new TrainingLoop(folder.resolve("state"), name, (point, steps) -> progress.at(STAGE, point, steps));
            List<Point> points = loop.run(
                    network,
                    settings.schedule(),
                    (step, owner) -> batch(order, step, owner),
                    () -> write(config, network.averaged()));
            write(config, network.averaged());
            return points;
        }
    }

    /**
     * forward(images (B, 3, size, size), labels (B)): to the mean cross entropy, and how many of the largest logits are
     * the labels'.
     */
    private static ScriptModule loss(ConvClassifier architecture, double labelSmoothing) {
        return ScriptModule.named("ClassifierLoss")
                .child("classifier", architecture.parts().get(Part.CLASSIFIER))
                .method(
                        """
                        def forward(self, images: Tensor, labels: Tensor) -> List[Tensor]:
                          logits = (self.classifier.forward(images))[1]
                          classes = labels.to(4)
                          right = torch.sum(torch.eq(torch.argmax(logits, 1), classes)).to(6)
                          return [torch.cross_entropy_loss(logits, classes, None, 1, -100, %s), right]
                        """
                                .formatted(labelSmoothing));
    }

    /**
     * What a classifier says of some images of a class.
     *
     * @param right how many it takes for the class
     */
    public record Answers(String name, int images, int right) {}

    /** What the classifier of a component's folder says of held-out images, whose prompts are the classes, by class. */
    public static List<Answers> answers(Path component, TrainingImages heldOut) {
        ImageClassifier classifier = Models.classifier(component, Device.cpu(), Dtype.FLOAT32);
        List<Answers> answers = new ArrayList<>();
        for (int label = 0; label < heldOut.prompts().size(); label++) {
            int asked = label;
            List<Pixels> own = IntStream.range(0, heldOut.size())
                    .filter(row -> heldOut.prompt().get(row) == asked)
                    .mapToObj(heldOut.pixels()::get)
                    .toList();
            long right = own.stream()
                    .filter(image -> classifier.classify(List.of(image)).get(0).label() == asked)
                    .count();
            answers.add(new Answers(heldOut.prompts().get(label), own.size(), (int) right));
        }
        return answers;
    }

    private NDArray[] batch(BatchOrder order, long step, NDManager owner) {
        int[] rows = order.rows(step);
        UniformRandomProvider random = BatchOrder.random(~settings.seed(), step);
        int side = settings.size();
        int width = 3 * side * side;
        float[] values = new float[rows.length * width];
        float[] labels = new float[rows.length];
        for (int i = 0; i < rows.length; i++) {
            Pixels pixels = images.pixels().get(rows[i]);
            Pixels turned = images.mirrored().get(rows[i]) && random.nextBoolean() ? pixels.mirrored() : pixels;
            float[] changed = AUGMENTATION.apply(turned.toChw(), side, Augmentation.Outside.EDGE, random);
            System.arraycopy(changed, 0, values, i * width, width);
            labels[i] = images.prompt().get(rows[i]);
        }
        return new NDArray[] {owner.create(values, new Shape(rows.length, 3, side, side)), owner.create(labels)};
    }

    private void write(ObjectNode config, Map<String, Values> averages) throws IOException {
        LatentDiffusionTraining.write(
                component(folder), config, "model.safetensors", LatentDiffusionTraining.below("classifier.", averages));
    }
}
