package latentmix.training;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.Part;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.latent.RecipeSampler;
import latentmix.torchscript.ScriptModule;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.sampling.distribution.AhrensDieterMarsagliaTsangGammaSampler;
import org.apache.commons.rng.sampling.distribution.SharedStateContinuousSampler;

/**
 * Trains a classifier from nothing, of images or of features that another network has of them: AdamW down the cross
 * entropy with smoothed labels (<a href="https://arxiv.org/abs/1512.00567">Szegedy et al.</a>), the learning rate
 * falling from its value to 0 as half a cosine.
 *
 * <p>Equal examples, settings and seed give equal weights.
 */
public final class ClassifierTraining implements AutoCloseable {
    private static final double MAX_NORM = 5;
    private static final int EVALUATION_BATCH = 250;

    /**
     * The settings of a training.
     *
     * @param steps of the optimiser, whatever the number of images
     * @param batch examples a step
     * @param labelSmoothing the share of a label that goes to all classes, in [0, 1)
     * @param mixup α of <a href="https://arxiv.org/abs/1710.09412">MixUp</a>: a batch is blended with itself in another
     *     order, rows and labels alike, by λ ~ Beta(α, α); 0 for none
     * @param balanced whether a batch has as many examples of each class, however few a class has
     */
    public record Settings(
            int steps,
            int batch,
            double learningRate,
            double weightDecay,
            double labelSmoothing,
            double mixup,
            boolean balanced)
            implements Serializable {
        public Settings {
            if (steps < 1 || batch < 1) {
                throw new IllegalArgumentException(
                        "Steps and batch must be at least 1, cannot be: " + steps + ", " + batch);
            }
            if (!(labelSmoothing >= 0 && labelSmoothing < 1 && mixup >= 0)) {
                throw new IllegalArgumentException(
                        "Label smoothing must be in [0, 1) and MixUp's alpha at least 0, cannot be: " + labelSmoothing
                                + ", " + mixup);
            }
        }
    }

    /**
     * A classifier that can be trained.
     *
     * @param network its forward gives a list, the logits (B, classes) last
     * @param row the shape of an example, without the batch
     */
    public record Form(ScriptModule network, Shape row, int classes) {
        /**
         * A small convolutional classifier: three blocks that halve the side, with group norm, so that it does the same
         * in training and after.
         *
         * @param size pixels of a side of its images (3, size, size)
         */
        public static Form small(int size, int classes) {
            ConvClassifier architecture = new ConvClassifier(
                    size,
                    3,
                    List.of(16, 32, 64),
                    List.of(2, 2, 2),
                    64,
                    classes,
                    ConvClassifier.Normalization.GROUP_NORM);
            return new Form(architecture.parts().get(Part.CLASSIFIER), new Shape(3, size, size), classes);
        }

        /** A linear layer over layer-normalised features. */
        public static Form linear(int features, int classes) {
            return new Form(
                    ScriptModule.named("LinearClassifier")
                            .parameter("weight", classes, features)
                            .parameter("bias", classes)
                            .method(
                                    """
                                    def forward(self, features: Tensor) -> List[Tensor]:
                                      rows = torch.layer_norm(features, [%d], None, None, 1.0e-05, False)
                                      return [torch.linear(rows, self.weight, self.bias)]
                                    """
                                            .formatted(features)),
                    new Shape(features),
                    classes);
        }

        /**
         * forward(examples (B, …), labels (B, classes), shares that sum to 1): to the mean cross entropy, and how many
         * of the largest logits are the largest labels'.
         */
        private ScriptModule loss() {
            return ScriptModule.named("ClassifierLoss")
                    .child("classifier", network)
                    .method(
                            """
                            def forward(self, examples: Tensor, labels: Tensor) -> List[Tensor]:
                              logits = (self.classifier.forward(examples))[-1]
                              right = torch.sum(torch.eq(torch.argmax(logits, 1), torch.argmax(labels, 1))).to(6)
                              return [torch.cross_entropy_loss(logits, labels, None, 1, -100, 0.0), right]
                            """);
        }
    }

    private final Form form;
    private final TrainableNetwork network;

    private ClassifierTraining(Form form, TrainableNetwork network) {
        this.form = form;
        this.network = network;
    }

    /** Numbers in an order of their own each time they have all been given. */
    private static final class Epochs {
        private final List<Integer> numbers;
        private final UniformRandomProvider rng;
        private int[] order = {};
        private int next;

        Epochs(List<Integer> numbers, UniformRandomProvider rng) {
            this.numbers = numbers;
            this.rng = rng;
        }

        static Epochs of(Examples examples, UniformRandomProvider rng) {
            return new Epochs(IntStream.range(0, examples.count()).boxed().toList(), rng);
        }

        int next() {
            if (next == order.length) {
                order = new PermutationSampler(rng, numbers.size(), numbers.size()).sample();
                next = 0;
            }
            return numbers.get(order[next++]);
        }
    }

    /** An example that a training sees. */
    private record Drawn(Examples from, int index) {}

    /** Which examples the rows of batches are. */
    private interface Draws {
        Drawn next(int row);
    }

    /** The first rows of a batch are made ones. */
    private static Draws even(Examples real, Examples made, int ofMade, UniformRandomProvider rng) {
        Epochs reals = Epochs.of(real, rng);
        Epochs mades = Epochs.of(made, rng);
        return row -> row < ofMade ? new Drawn(made, mades.next()) : new Drawn(real, reals.next());
    }

    /** Each class comes equally often; of a class that has made examples, a share is made. */
    private static Draws byClass(Examples real, Examples made, double share, UniformRandomProvider rng) {
        Map<Integer, Epochs> reals = epochs(real, rng);
        Map<Integer, Epochs> mades = epochs(made, rng);
        Epochs classes = new Epochs(List.copyOf(reals.keySet()), rng);
        return row -> {
            int label = classes.next();
            return mades.containsKey(label) && rng.nextDouble() < share
                    ? new Drawn(made, mades.get(label).next())
                    : new Drawn(real, reals.get(label).next());
        };
    }

    private static Map<Integer, Epochs> epochs(Examples examples, UniformRandomProvider rng) {
        Map<Integer, Epochs> epochs = new TreeMap<>();
        IntStream.range(0, examples.count())
                .boxed()
                .collect(Collectors.groupingBy(examples::label, TreeMap::new, Collectors.toList()))
                .forEach((label, indices) -> epochs.put(label, new Epochs(indices, rng)));
        return epochs;
    }

    /**
     * Trains on real examples, and on made ones if there are any.
     *
     * @param share the share of a batch that is made, in [0, 1]; of no effect where nothing is
     * @param seed decides the first weights, the examples' order and how they are augmented
     */
    public static ClassifierTraining of(
            Form form, Settings settings, Examples real, Examples made, double share, String seed) {
        if (real.count() == 0) {
            throw new IllegalArgumentException("There must be at least one real image to train on, there is none");
        }
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("The share of made images must be in [0, 1], cannot be: " + share);
        }
        ScriptModule module = form.loss();
        ClassifierTraining training = new ClassifierTraining(
                form,
                TrainableNetwork.load(
                        module,
                        Initialization.of(
                                module, RecipeSampler.rng(seed + " weights").nextLong()),
                        key -> true,
                        Device.cpu()));
        try {
            training.run(settings, real, made, share, RecipeSampler.rng(seed + " images"));
            return training;
        } catch (RuntimeException e) {
            training.close();
            throw e;
        }
    }

    private void run(Settings settings, Examples real, Examples made, double share, UniformRandomProvider rng) {
        int ofMade = made.count() == 0 ? 0 : (int) Math.round(settings.batch() * share);
        Draws draws = settings.balanced() ? byClass(real, made, share, rng) : even(real, made, ofMade, rng);
        Batch batch = new Batch(settings.batch());
        float rest = (float) (settings.labelSmoothing() / form.classes());
        for (int step = 0; step < settings.steps(); step++) {
            Arrays.fill(batch.labels, rest);
            for (int i = 0; i < settings.batch(); i++) {
                Drawn drawn = draws.next(i);
                batch.set(
                        i,
                        drawn.from().seen(drawn.index(), rng),
                        drawn.from().shares(drawn.index()),
                        1 - settings.labelSmoothing());
            }
            if (settings.mixup() > 0) {
                batch.mix(settings.mixup(), rng);
            }
            double rate = settings.learningRate() * (1 + Math.cos(Math.PI * step / settings.steps())) / 2;
            try (NDManager scope = network.arrays().newSubManager()) {
                network.step(
                        new TrainableNetwork.StepSize(rate, settings.weightDecay(), MAX_NORM, 0), batch.arrays(scope));
            }
        }
    }

    /** Rows and the labels' shares, as the network takes them. */
    private final class Batch {
        private final int rows;
        private final int length = (int) form.row().size();
        private final float[] values;
        private final float[] labels;

        Batch(int rows) {
            this.rows = rows;
            this.values = new float[rows * length];
            this.labels = new float[rows * form.classes()];
        }

        void set(int row, float[] example, Map<Integer, Double> shares, double weight) {
            System.arraycopy(example, 0, values, row * length, length);
            shares.forEach((label, share) -> labels[row * form.classes() + label] += (float) (share * weight));
        }

        void mix(double alpha, UniformRandomProvider rng) {
            SharedStateContinuousSampler gamma = AhrensDieterMarsagliaTsangGammaSampler.of(rng, alpha, 1);
            double first = gamma.sample();
            float share = (float) (first / (first + gamma.sample()));
            int[] order = new PermutationSampler(rng, rows, rows).sample();
            blend(values, length, order, share);
            blend(labels, form.classes(), order, share);
        }

        private static void blend(float[] all, int length, int[] order, float share) {
            float[] before = all.clone();
            for (int row = 0; row < order.length; row++) {
                for (int i = 0; i < length; i++) {
                    all[row * length + i] =
                            share * before[row * length + i] + (1 - share) * before[order[row] * length + i];
                }
            }
        }

        NDArray[] arrays(NDManager owner) {
            return new NDArray[] {
                owner.create(values, new Shape(rows).addAll(form.row())),
                owner.create(labels, new Shape(rows, form.classes()))
            };
        }
    }

    /** The share of examples that are taken for what their labels say. */
    public double accuracy(Examples examples) {
        double right = 0;
        for (int from = 0; from < examples.count(); from += EVALUATION_BATCH) {
            int rows = Math.min(EVALUATION_BATCH, examples.count() - from);
            Batch batch = new Batch(rows);
            for (int i = 0; i < rows; i++) {
                batch.set(i, examples.plain(from + i), examples.shares(from + i), 1);
            }
            try (NDManager scope = network.arrays().newSubManager()) {
                right += network.forward(scope, batch.arrays(scope)).get(1).getFloat();
            }
        }
        return right / examples.count();
    }

    /** The classifier's weights by the keys of its state dict. */
    public Map<String, Values> weights() {
        return LatentDiffusionTraining.below("classifier.", network.weights());
    }

    @Override
    public void close() {
        network.close();
    }
}
