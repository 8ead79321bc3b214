package latentmix.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.Part;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.latent.RecipeSampler;
import latentmix.torchscript.ScriptModule;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;

/**
 * Trains a classifier of grey images from nothing: AdamW down the cross entropy with smoothed labels (<a
 * href="https://arxiv.org/abs/1512.00567">Szegedy et al.</a>), the learning rate falling from its value to 0 as half a
 * cosine.
 *
 * <p>Equal images, settings and seed give equal weights.
 */
public final class ClassifierTraining implements AutoCloseable {
    private static final double MAX_NORM = 5;
    private static final int EVALUATION_BATCH = 250;

    /**
     * The settings of a training.
     *
     * @param steps of the optimiser, whatever the number of images
     * @param batch images a step
     * @param labelSmoothing the share of a label that goes to all classes, in [0, 1)
     * @param madeShare the share of a batch that is made images, where there are any
     */
    public record Settings(
            int steps, int batch, double learningRate, double weightDecay, double labelSmoothing, double madeShare)
            implements Serializable {
        public Settings {
            if (steps < 1 || batch < 1) {
                throw new IllegalArgumentException(
                        "Steps and batch must be at least 1, cannot be: " + steps + ", " + batch);
            }
            if (!(labelSmoothing >= 0 && labelSmoothing < 1 && madeShare >= 0 && madeShare <= 1)) {
                throw new IllegalArgumentException(
                        "Label smoothing must be in [0, 1) and the share of made images in [0, 1], cannot be: "
                                + labelSmoothing + ", " + madeShare);
            }
        }
    }

    private final ConvClassifier architecture;
    private final TrainableNetwork network;

    private ClassifierTraining(ConvClassifier architecture, TrainableNetwork network) {
        this.architecture = architecture;
        this.network = network;
    }

    /**
     * A small classifier: three blocks that halve the side, with group norm, so that it does the same in training and
     * after.
     */
    public static ConvClassifier small(int imageSize, int classes) {
        return new ConvClassifier(
                imageSize,
                1,
                List.of(16, 32, 64),
                List.of(2, 2, 2),
                64,
                classes,
                ConvClassifier.Normalization.GROUP_NORM);
    }

    /** Images in an order of their own each time they have all been seen. */
    private static final class Epochs {
        private final GreyImages images;
        private final UniformRandomProvider rng;
        private int[] order = {};
        private int next;

        Epochs(GreyImages images, UniformRandomProvider rng) {
            this.images = images;
            this.rng = rng;
        }

        int next() {
            if (next == order.length) {
                order = new PermutationSampler(rng, images.count(), images.count()).sample();
                next = 0;
            }
            return order[next++];
        }
    }

    /**
     * Trains on real images, and on made ones if there are any.
     *
     * @param seed decides the first weights, the images' order and how they are augmented
     */
    public static ClassifierTraining of(
            ConvClassifier architecture,
            Settings settings,
            Augmentation augmentation,
            GreyImages real,
            GreyImages made,
            String seed) {
        if (real.count() == 0) {
            throw new IllegalArgumentException("There must be at least one real image to train on, there is none");
        }
        ScriptModule module = loss(architecture, settings.labelSmoothing());
        ClassifierTraining training = new ClassifierTraining(
                architecture,
                TrainableNetwork.load(
                        module,
                        Initialization.of(
                                module, RecipeSampler.rng(seed + " weights").nextLong()),
                        key -> true,
                        Device.cpu()));
        try {
            training.run(settings, augmentation, real, made, RecipeSampler.rng(seed + " images"));
            return training;
        } catch (RuntimeException e) {
            training.close();
            throw e;
        }
    }

    private void run(
            Settings settings, Augmentation augmentation, GreyImages real, GreyImages made, UniformRandomProvider rng) {
        int ofMade = made.count() == 0 ? 0 : (int) Math.round(settings.batch() * settings.madeShare());
        Epochs reals = new Epochs(real, rng);
        Epochs mades = new Epochs(made, rng);
        int size = architecture.imageSize();
        float[] images = new float[settings.batch() * size * size];
        float[] labels = new float[settings.batch()];
        for (int step = 0; step < settings.steps(); step++) {
            for (int i = 0; i < settings.batch(); i++) {
                Epochs from = i < ofMade ? mades : reals;
                int index = from.next();
                float[] image = augmentation.apply(from.images.values(index), size, Augmentation.Outside.BLACK, rng);
                System.arraycopy(image, 0, images, i * size * size, size * size);
                labels[i] = from.images.label(index);
            }
            double rate = settings.learningRate() * (1 + Math.cos(Math.PI * step / settings.steps())) / 2;
            try (NDManager scope = network.arrays().newSubManager()) {
                network.step(
                        new TrainableNetwork.StepSize(rate, settings.weightDecay(), MAX_NORM, 0),
                        scope.create(images, new Shape(settings.batch(), 1, size, size)),
                        scope.create(labels));
            }
        }
    }

    /** The share of images that are taken for what their labels say. */
    public double accuracy(GreyImages images) {
        int size = architecture.imageSize();
        double right = 0;
        for (int from = 0; from < images.count(); from += EVALUATION_BATCH) {
            int rows = Math.min(EVALUATION_BATCH, images.count() - from);
            float[] values = new float[rows * size * size];
            float[] labels = new float[rows];
            for (int i = 0; i < rows; i++) {
                System.arraycopy(images.values(from + i), 0, values, i * size * size, size * size);
                labels[i] = images.label(from + i);
            }
            try (NDManager scope = network.arrays().newSubManager()) {
                NDArray batch = scope.create(values, new Shape(rows, 1, size, size));
                right += network.forward(scope, batch, scope.create(labels))
                        .get(1)
                        .getFloat();
            }
        }
        return right / images.count();
    }

    /** The classifier's weights by the keys of its state dict. */
    public Map<String, Values> weights() {
        Map<String, Values> weights = new LinkedHashMap<>();
        network.weights().forEach((key, values) -> weights.put(key.substring("classifier.".length()), values));
        return weights;
    }

    /**
     * forward(images (B, C, size, size), labels (B)): to the mean cross entropy, and how many of the largest logits are
     * the labels'.
     */
    static ScriptModule loss(ConvClassifier architecture, double labelSmoothing) {
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

    @Override
    public void close() {
        network.close();
    }
}
