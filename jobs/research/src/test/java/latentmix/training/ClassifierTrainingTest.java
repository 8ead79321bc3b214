package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.image.Pixels;
import latentmix.latent.RecipeSampler;
import latentmix.training.ClassifierTraining.Form;
import latentmix.training.ClassifierTraining.Settings;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.api.Test;

class ClassifierTrainingTest {
    private static final int SIZE = 16;
    private static final Settings SHORT = new Settings(40, 8, 5e-3, 0.05, 0.1, 0, false);
    private static final Form FORM = Form.small(SIZE, 3);

    /** Noise with a bright half: above for class 0, below for class 1, to the left for class 2. */
    private static LabelledImages halves(int each, String seed) {
        UniformRandomProvider rng = RecipeSampler.rng(seed);
        LabelledImages.Builder images = new LabelledImages.Builder(SIZE);
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

    private static LabelledImages none() {
        return new LabelledImages.Builder(SIZE).build();
    }

    private static ClassifierTraining trained(
            LabelledImages real, LabelledImages made, Augmentation augmentation, Settings settings, String seed) {
        return ClassifierTraining.of(
                FORM, settings, real.augmented(augmentation), made.augmented(augmentation), 0.5, seed);
    }

    private static Examples plain(LabelledImages images) {
        return images.augmented(Augmentation.NONE);
    }

    @Test
    void learnsWhatCanBeToldApartAndTellsItOfImagesItNeverSaw() {
        Examples unseen = plain(halves(100, "unseen"));
        try (ClassifierTraining classifier = trained(halves(4, "few"), none(), Augmentation.NONE, SHORT, "a")) {
            assertThat(classifier.accuracy(unseen)).isGreaterThan(0.9);
        }
    }

    @Test
    void learnsFromMadeImagesToo() {
        Examples made = plain(halves(20, "made"));
        try (ClassifierTraining classifier =
                ClassifierTraining.of(FORM, SHORT, plain(halves(1, "one")), made, 1, "a")) {
            assertThat(classifier.accuracy(plain(halves(100, "unseen")))).isGreaterThan(0.9);
        }
    }

    @Test
    void learnsFromBlendsOfImagesAndOfTheirLabels() {
        Settings blended = new Settings(60, 16, 5e-3, 0.05, 0, 1, false);
        try (ClassifierTraining classifier = trained(halves(4, "few"), none(), Augmentation.NONE, blended, "a")) {
            assertThat(classifier.accuracy(plain(halves(100, "unseen")))).isGreaterThan(0.9);
        }
        assertThat(weights(halves(4, "few"), none(), blended, "a"))
                .isNotEqualTo(weights(halves(4, "few"), none(), new Settings(60, 16, 5e-3, 0.05, 0, 0, false), "a"));
    }

    /** Of a class with one image among many of another, none is seen less often. */
    @Test
    void aBalancedTrainingSeesEachClassEquallyOften() {
        int[] seen = new int[3];
        Examples counted = counted(plain(halves(4, "few").only(List.of(0, 3, 6, 9, 1, 2))), seen);
        Settings balanced = new Settings(10, 6, 5e-3, 0.05, 0, 0, true);
        ClassifierTraining.of(FORM, balanced, counted, plain(none()), 0.5, "a").close();
        assertThat(seen).containsExactly(20, 20, 20);
        int[] real = new int[3];
        Examples made = plain(halves(2, "made").of(Set.of(1)));
        ClassifierTraining.of(FORM, balanced, counted(plain(halves(2, "few")), real), made, 1, "a")
                .close();
        assertThat(real).as("a class whose images are all made").containsExactly(20, 0, 20);
    }

    private static Examples counted(Examples of, int[] seen) {
        return new Examples() {
            @Override
            public int count() {
                return of.count();
            }

            @Override
            public int label(int index) {
                return of.label(index);
            }

            @Override
            public Map<Integer, Double> shares(int index) {
                return of.shares(index);
            }

            @Override
            public float[] plain(int index) {
                return of.plain(index);
            }

            @Override
            public float[] seen(int index, UniformRandomProvider rng) {
                seen[of.label(index)]++;
                return of.seen(index, rng);
            }
        };
    }

    /** Labels that say nothing teach nothing; the same images with their classes do. */
    @Test
    void aSoftLabelIsWhatIsLearnt() {
        LabelledImages real = halves(1, "one");
        LabelledImages images = halves(20, "made");
        LabelledImages.Builder soft = new LabelledImages.Builder(SIZE);
        LabelledImages.Builder turned = new LabelledImages.Builder(SIZE);
        for (int i = 0; i < images.count(); i++) {
            int label = images.label(i);
            soft.add(images.pixels(i), label, Map.of(0, 1 / 3.0, 1, 1 / 3.0, 2, 1 / 3.0));
            turned.add(images.pixels(i), label, Map.of((label + 1) % 3, 1.0));
        }
        Examples unseen = plain(halves(100, "unseen"));
        try (ClassifierTraining classifier =
                ClassifierTraining.of(FORM, SHORT, plain(real), plain(turned.build()), 1, "a")) {
            assertThat(classifier.accuracy(unseen)).isLessThan(0.1);
        }
        assertThat(LabelledImages.concat(List.of(real, soft.build()))
                        .only(List.of(4))
                        .shares(0))
                .containsOnly(Map.entry(0, 1 / 3.0), Map.entry(1, 1 / 3.0), Map.entry(2, 1 / 3.0));
        assertThat(weights(real, soft.build(), SHORT, "a")).isNotEqualTo(weights(real, images, SHORT, "a"));
    }

    @Test
    void aLinearLayerLearnsFromFeatures() {
        Function<List<Pixels>, List<float[]>> halves =
                images -> images.stream().map(ClassifierTrainingTest::means).toList();
        Settings longer = new Settings(200, 8, 0.1, 0, 0, 0, false);
        Features real = Features.of(halves, halves(4, "few"), Augmentation.NONE, 1, "a");
        Features unseen = Features.of(halves, halves(100, "unseen"), Augmentation.NONE, 1, "a");
        try (ClassifierTraining classifier =
                ClassifierTraining.of(Form.linear(4, 3), longer, real, plain(none()), 0.5, "a")) {
            assertThat(classifier.accuracy(unseen)).isEqualTo(1);
        }
    }

    @Test
    void aViewOfAnImageIsItsFeaturesWhenItIsAugmentedAndTheFirstOneAsItIs() {
        Function<List<Pixels>, List<float[]>> corner = images -> images.stream()
                .map(image -> new float[] {image.rgb()[0] & 0xff})
                .toList();
        LabelledImages one = halves(1, "one");
        Features views = Features.of(corner, one, Augmentation.STANDARD, 50, "a");
        assertThat(views.count()).isEqualTo(3);
        assertThat(views.plain(1)).containsExactly(one.pixels(1).rgb()[0] & 0xff);
        UniformRandomProvider rng = RecipeSampler.rng("a");
        assertThat(IntStream.range(0, 100).mapToObj(i -> views.seen(1, rng)[0]).distinct())
                .hasSizeGreaterThan(10);
        Features again = Features.of(corner, one, Augmentation.STANDARD, 50, "a");
        UniformRandomProvider same = RecipeSampler.rng("b");
        UniformRandomProvider other = RecipeSampler.rng("b");
        assertThat(again.seen(2, same)).containsExactly(views.seen(2, other));
    }

    /** Mean levels of the quarters of an image. */
    private static float[] means(Pixels image) {
        float[] means = new float[4];
        for (int p = 0; p < SIZE * SIZE; p++) {
            int quarter = 2 * (p / SIZE / (SIZE / 2)) + p % SIZE / (SIZE / 2);
            means[quarter] += (image.rgb()[3 * p] & 0xff) / 64f;
        }
        return means;
    }

    @Test
    void theSameSeedGivesTheSameWeightsAndAnotherOneOthers() {
        LabelledImages real = halves(4, "few");
        LabelledImages made = halves(8, "made");
        float[] first = weights(real, made, SHORT, "a");
        assertThat(weights(real, made, SHORT, "a")).containsExactly(first);
        assertThat(weights(real, made, SHORT, "b")).isNotEqualTo(first);
        assertThat(weights(real, halves(8, "other"), SHORT, "a")).isNotEqualTo(first);
    }

    private static float[] weights(LabelledImages real, LabelledImages made, Settings settings, String seed) {
        try (ClassifierTraining classifier = trained(real, made, Augmentation.STANDARD, settings, seed)) {
            Values values = classifier.weights().get("body.1.0.weight");
            return values.values();
        }
    }

    @Test
    void trainingNeedsRealImages() {
        assertThatThrownBy(() -> trained(none(), halves(1, "made"), Augmentation.NONE, SHORT, "a"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least one real image");
    }
}
