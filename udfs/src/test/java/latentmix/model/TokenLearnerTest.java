package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Embedding;
import latentmix.checkpoint.Tensors;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A token whose vectors come with the prompt, beside prompts without one and with one in the vocabulary. */
class TokenLearnerTest {
    private static final Configuration CONF = new Configuration();
    private static final CheckpointSpec FASHION =
            CheckpointSpec.of(Golden.folder("fashion-ldm").toString());

    @TempDir
    Path folder;

    private static TokenLearner learner(CheckpointFolder checkpoint, int vectors, String name) {
        return Models.tokenLearner(
                checkpoint, Device.cpu(), Dtype.FLOAT32, new TokenLearner.Token("<it>", vectors, name));
    }

    private CheckpointFolder stableDiffusion3() throws IOException {
        return CheckpointFolder.open(GoldenCheckpoints.stableDiffusion3(Files.createDirectory(folder.resolve("sd3"))));
    }

    @Test
    void aTokenBeginsAsItsName() {
        CheckpointFolder checkpoint = FASHION.open(CONF);
        try (TextEncoder plain = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Tokenizer tokenizer = Models.tokenizers(checkpoint).get(0);
                TokenLearner one = learner(checkpoint, TokenLearner.words(tokenizer, "ankle boot"), "ankle boot");
                TokenLearner more = learner(checkpoint, 3, "bag")) {
            TextEncoder.Embeds expected = plain.encode("a photo of an ankle boot");
            Golden.assertForward(
                    "embeds", one.encode("a photo of an <it>", one.initial()).values(), expected.values());
            Golden.assertForward(
                    "repeated",
                    more.encode("a <it>", more.initial()).values(),
                    plain.encode("a bag bag bag").values());
            Golden.assertForward(
                    "without it",
                    more.encode("a coat", more.initial()).values(),
                    plain.encode("a coat").values());
        }
    }

    private CheckpointFolder stableDiffusionXl() throws IOException {
        return CheckpointFolder.open(GoldenCheckpoints.stableDiffusionXl(Files.createDirectory(folder.resolve("xl"))));
    }

    /** The name's first encoders read other vectors, and T5 reads the name. */
    @Test
    void stableDiffusion3sTwoEncodersHaveVectorsOfTheirOwn() throws IOException {
        assertVectorsOfTheirOwn(stableDiffusion3());
    }

    @Test
    void stableDiffusionXlsTwoEncodersHaveVectorsOfTheirOwn() throws IOException {
        assertVectorsOfTheirOwn(stableDiffusionXl());
    }

    private static void assertVectorsOfTheirOwn(CheckpointFolder checkpoint) {
        try (TextEncoder plain = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
                TokenLearner learner = learner(checkpoint, 1, "w17")) {
            TextEncoder.Embeds expected = plain.encode("w5 w17 w9");
            TextEncoder.Embeds actual = learner.encode("w5 <it> w9", learner.initial());
            assertThat(learner.widths()).hasSize(2);
            Golden.assertForward("embeds", actual.values(), expected.values());
            Golden.assertForward("pooled", actual.pooled(), expected.pooled());
            learner.initial().forEach(vectors -> assertThat(vectors).hasSizeGreaterThan(1));
            List<float[]> moved = new ArrayList<>(learner.initial());
            moved.get(1)[0] += 1;
            assertThat(learner.encode("w5 <it> w9", moved).pooled()).isNotEqualTo(actual.pooled());
        }
    }

    @Test
    void whatWasLearntIsTheSameTokenForThoseWhoLoadItsFile() throws IOException {
        CheckpointFolder checkpoint = FASHION.open(CONF);
        try (TokenLearner learner = learner(checkpoint, 2, "ankle boot")) {
            List<float[]> vectors = learner.initial();
            for (int i = 0; i < vectors.get(0).length; i++) {
                vectors.get(0)[i] += 0.01f * (i % 7);
            }
            long width = learner.widths().get(0);
            Tensors file = new Tensors();
            file.put("<it>", List.of(2L, width), vectors.get(0));
            Path path = file.write(folder.resolve("learned_embeds.safetensors"));
            CheckpointFolder loaded = FASHION.withEmbeddings(List.of(new Embedding(path.toString(), "<it>")))
                    .open(CONF);
            try (TextEncoder encoder = Models.textEncoder(loaded, Device.cpu(), Dtype.FLOAT32)) {
                Golden.assertForward(
                        "embeds",
                        learner.encode("a photo of an <it>, <it>", vectors).values(),
                        encoder.encode("a photo of an <it>, <it>").values());
            }
            assertThatThrownBy(() -> learner(loaded, 1, "bag"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("with the token <it>: expected one of its own");
        }
    }

    @Test
    void theGradientIsThatOfFiniteDifferences() throws IOException {
        try (TokenLearner learner = learner(FASHION.open(CONF), 2, "ankle boot")) {
            assertGradient(learner, "a photo of an <it>");
        }
        try (TokenLearner learner = learner(stableDiffusion3(), 2, "w17 w3")) {
            assertGradient(learner, "w5 <it> w9");
        }
        try (TokenLearner learner = learner(stableDiffusionXl(), 2, "w17 w3")) {
            assertGradient(learner, "w5 <it> w9");
        }
    }

    /** Of the value Σ embeds² / 2, hidden states and pooled ones, along the gradient. */
    private static void assertGradient(TokenLearner learner, String prompt) {
        List<float[]> vectors = learner.initial();
        List<float[]> gradients = learner.gradient(prompt, vectors, embeds -> {
            NDList slopes = new NDList();
            embeds.arrays().stream().map(NDArray::duplicate).forEach(slopes::add);
            return new PromptEmbeds(slopes);
        });
        double norm = 0;
        for (float[] gradient : gradients) {
            for (float value : gradient) {
                norm += (double) value * value;
            }
        }
        norm = Math.sqrt(norm);
        double step = 1e-3;
        double slope = (value(learner, prompt, vectors, gradients, step / norm)
                        - value(learner, prompt, vectors, gradients, -step / norm))
                / (2 * step);
        assertThat(norm).isGreaterThan(1e-3);
        assertThat(slope).isCloseTo(norm, within(0.03 * norm));
    }

    private static double value(
            TokenLearner learner, String prompt, List<float[]> vectors, List<float[]> along, double by) {
        List<float[]> moved = new ArrayList<>();
        for (int i = 0; i < vectors.size(); i++) {
            float[] row = vectors.get(i).clone();
            for (int j = 0; j < row.length; j++) {
                row[j] += (float) (by * along.get(i)[j]);
            }
            moved.add(row);
        }
        TextEncoder.Embeds embeds = learner.encode(prompt, moved);
        double sum = 0;
        for (float[] values : List.of(embeds.values(), embeds.pooled())) {
            for (float value : values) {
                sum += (double) value * value / 2;
            }
        }
        return sum;
    }
}
