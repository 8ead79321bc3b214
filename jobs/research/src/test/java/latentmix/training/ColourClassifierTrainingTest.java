package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.Pixels;
import latentmix.latent.RecipeSampler;
import latentmix.training.TrainingLoop.Schedule;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ColourClassifierTrainingTest {
    private static final int SIZE = 16;
    private static final String LAYERS =
            "{\"block_out_channels\": [8, 16], \"strides\": 2, \"feature_dim\": 8, \"normalization\": \"%s\"}";

    @TempDir
    private Path folder;

    private static ColourClassifierTraining.Settings settings(int steps, String normalization) throws IOException {
        JsonNode config = new ObjectMapper().readTree(LAYERS.formatted(normalization));
        return new ColourClassifierTraining.Settings(
                3, 1, SIZE, config, 0.1, new Schedule(steps, 8, 5e-3, 5, 0.01, 0.9));
    }

    /** Noise of red and of blue in turn, of the same grey. */
    private static TrainingImages colours(int each, String seed) {
        UniformRandomProvider rng = RecipeSampler.rng(seed);
        List<Pixels> pixels = new ArrayList<>();
        List<Integer> labels = new ArrayList<>();
        for (int i = 0; i < 2 * each; i++) {
            byte[] rgb = new byte[3 * SIZE * SIZE];
            for (int at = 0; at < rgb.length; at += 3) {
                rgb[at + (i % 2 == 0 ? 2 : 0)] = (byte) (50 + rng.nextInt(200)); // blue comes first in the alphabet
            }
            pixels.add(new Pixels(SIZE, SIZE, rgb));
            labels.add(i % 2);
        }
        return new TrainingImages(pixels, List.of("blue", "red"), labels, seed);
    }

    private static void train(TrainingImages images, Path folder, LatentDiffusionTraining.Progress progress)
            throws IOException {
        new ColourClassifierTraining(settings(600, "group_norm"), images, folder, progress).run();
    }

    @Test
    void coloursOfTheSameGreyAreToldApart() throws IOException {
        new ColourClassifierTraining(settings(40, "group_norm"), colours(8, "few"), folder, (stage, point, steps) -> {})
                .run();
        assertThat(ColourClassifierTraining.answers(
                        ColourClassifierTraining.component(folder), colours(20, "held out")))
                .containsExactly(
                        new ColourClassifierTraining.Answers("blue", 20, 20),
                        new ColourClassifierTraining.Answers("red", 20, 20));
    }

    @Test
    void aTrainingThatWasStoppedGoesOnToTheSameBytes(@TempDir Path whole) throws IOException {
        TrainingImages images = colours(8, "few");
        train(images, whole, (stage, point, steps) -> {});
        assertThatThrownBy(() -> train(images, folder, (stage, point, steps) -> {
                    if (point.step() == 550) {
                        throw new IllegalStateException("stopped");
                    }
                }))
                .hasMessage("stopped");
        List<Long> seen = new ArrayList<>();
        train(images, folder, (stage, point, steps) -> seen.add(point.step()));
        assertThat(seen).containsExactly(550L, 600L); // a state was saved at 500
        String weights = "model.safetensors";
        assertThat(Fingerprint.ofFile(ColourClassifierTraining.component(folder).resolve(weights)))
                .isEqualTo(Fingerprint.ofFile(
                        ColourClassifierTraining.component(whole).resolve(weights)));
    }

    @Test
    void oneClassAndANormOfAllImagesAreRefused() throws IOException {
        TrainingImages images = colours(8, "few");
        TrainingImages one = new TrainingImages(
                images.pixels(),
                List.of("blue"),
                images.prompt().stream().map(label -> 0).toList(),
                "one");
        assertThatThrownBy(() -> train(one, folder, (stage, point, steps) -> {}))
                .hasMessageContaining("images of at least two classes to train a classifier on, got [blue]");
        ColourClassifierTraining batchNorm =
                new ColourClassifierTraining(settings(1, "batch_norm"), images, folder, (stage, point, steps) -> {});
        assertThatThrownBy(batchNorm::run)
                .hasMessageContaining("classifier.config: expected normalization: group_norm");
    }
}
