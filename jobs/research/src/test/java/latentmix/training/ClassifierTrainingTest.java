package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.image.Pixels;
import latentmix.latent.RecipeSampler;
import latentmix.training.ClassifierTraining.Settings;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.api.Test;

class ClassifierTrainingTest {
    private static final int SIZE = 16;
    private static final Settings SHORT = new Settings(40, 8, 5e-3, 0.05, 0.1, 0.5);

    /** Noise with a bright half: above for class 0, below for class 1, to the left for class 2. */
    private static GreyImages halves(int each, String seed) {
        UniformRandomProvider rng = RecipeSampler.rng(seed);
        GreyImages.Builder images = new GreyImages.Builder(SIZE);
        for (int i = 0; i < 3 * each; i++) {
            int label = i % 3;
            byte[] rgb = new byte[3 * SIZE * SIZE];
            for (int p = 0; p < SIZE * SIZE; p++) {
                boolean bright =
                        switch (label) {
                            case 0 -> p / SIZE < SIZE / 2;
                            case 1 -> p / SIZE >= SIZE / 2;
                            default -> p % SIZE < SIZE / 2;
                        };
                byte grey = (byte) (rng.nextInt(150) + (bright ? 100 : 0));
                rgb[3 * p] = grey;
                rgb[3 * p + 1] = grey;
                rgb[3 * p + 2] = grey;
            }
            images.add(new Pixels(SIZE, SIZE, rgb), label);
        }
        return images.build();
    }

    private static GreyImages none() {
        return new GreyImages.Builder(SIZE).build();
    }

    private static ClassifierTraining trained(
            GreyImages real, GreyImages made, Augmentation augmentation, String seed) {
        return ClassifierTraining.of(ClassifierTraining.small(SIZE, 3), SHORT, augmentation, real, made, seed);
    }

    @Test
    void learnsWhatCanBeToldApartAndTellsItOfImagesItNeverSaw() {
        GreyImages unseen = halves(100, "unseen");
        try (ClassifierTraining classifier = trained(halves(4, "few"), none(), Augmentation.NONE, "a")) {
            assertThat(classifier.accuracy(unseen)).isGreaterThan(0.9);
        }
    }

    @Test
    void learnsFromMadeImagesToo() {
        GreyImages one = halves(1, "one");
        Settings madeAlone = new Settings(40, 8, 5e-3, 0.05, 0.1, 1);
        try (ClassifierTraining classifier = ClassifierTraining.of(
                ClassifierTraining.small(SIZE, 3), madeAlone, Augmentation.NONE, one, halves(20, "made"), "a")) {
            assertThat(classifier.accuracy(halves(100, "unseen"))).isGreaterThan(0.9);
        }
    }

    @Test
    void theSameSeedGivesTheSameWeightsAndAnotherOneOthers() {
        GreyImages real = halves(4, "few");
        GreyImages made = halves(8, "made");
        float[] first = weights(real, made, "a");
        assertThat(weights(real, made, "a")).containsExactly(first);
        assertThat(weights(real, made, "b")).isNotEqualTo(first);
        assertThat(weights(real, halves(8, "other"), "a")).isNotEqualTo(first);
    }

    private static float[] weights(GreyImages real, GreyImages made, String seed) {
        try (ClassifierTraining classifier = trained(real, made, Augmentation.STANDARD, seed)) {
            Values values = classifier.weights().get("body.1.0.weight");
            return values.values();
        }
    }

    @Test
    void trainingNeedsRealImages() {
        assertThatThrownBy(() -> trained(none(), halves(1, "made"), Augmentation.NONE, "a"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least one real image");
    }
}
