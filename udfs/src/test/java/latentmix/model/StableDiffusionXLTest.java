package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A small Stable Diffusion XL with random weights as a whole checkpoint: its prompts against diffusers
 * (golden/e2e-sdxl), what its U-Net is told, and what is refused.
 */
class StableDiffusionXLTest {
    private static final Golden PIPELINE = Golden.open("e2e-sdxl");

    @TempDir
    private static Path directory;

    private static CheckpointFolder checkpoint;

    @TempDir
    Path temporary;

    @BeforeAll
    static void assembleCheckpoint() throws IOException {
        checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusionXl(directory));
    }

    private static void assertEmbeds(TextEncoder.Embeds actual, String prefix, String infix) {
        assertThat(actual.tokens()).isEqualTo(77);
        assertThat(actual.width()).isEqualTo(40);
        String states = prefix + "." + infix + "prompt_embeds";
        Golden.assertForward(states, actual.values(), PIPELINE.floats(states));
        String pooled = prefix + "." + infix + "pooled_prompt_embeds";
        Golden.assertForward(pooled, actual.pooled(), PIPELINE.floats(pooled));
    }

    private CheckpointFolder edited(String file, String values) throws IOException {
        Path folder = GoldenCheckpoints.stableDiffusionXl(temporary.resolve("model"));
        GoldenCheckpoints.edit(folder.resolve(file), values);
        return CheckpointFolder.open(folder);
    }

    @Test
    void promptsHaveTheEmbeddingsThatDiffusersGivesThem() {
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            assertEmbeds(encoder.encode("w5 w17 w17 w200 w43"), "zeros", "");
            assertEmbeds(encoder.encode(""), "zeros", "negative_");
            assertEmbeds(encoder.encode("w91 w8"), "told", "negative_");
        }
        assertThat(Models.promptBytes(checkpoint)).isEqualTo(4L * 77 * 40);
    }

    @Test
    void theEmptyPromptIsEncodedWhereTheIndexDoesNotForceZeros() throws IOException {
        CheckpointFolder encoded = edited("model_index.json", "{\"force_zeros_for_empty_prompt\": false}");
        try (TextEncoder encoder = Models.textEncoder(encoded, Device.cpu(), Dtype.FLOAT32)) {
            assertEmbeds(encoder.encode(""), "empty", "negative_");
        }
    }

    @Test
    void aNetworkThatIsToldNoSizeIsToldThatOfTheLatent() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray sample = manager.arange(2 * 4 * 8 * 6f).sin().reshape(2, 4, 8, 6);
            PromptEmbeds prompt = PromptEmbeds.of(
                    manager.arange(2 * 7 * 40f).cos().reshape(2, 7, 40),
                    manager.arange(2 * 20f).sin().reshape(2, 20));
            float[] untold = unet.predict(sample, 481, prompt).toFloatArray();
            PromptEmbeds whole = unet.sized(prompt, Collections.nCopies(2, TimeIds.whole(64, 48)), manager);
            assertThat(unet.predict(sample, 481, whole).toFloatArray()).isEqualTo(untold);
            PromptEmbeds own =
                    unet.sized(prompt, List.of(TimeIds.whole(64, 48), TimeIds.square(500, 375, 48)), manager);
            float[] mixed = unet.predict(sample, 481, own).toFloatArray();
            int row = untold.length / 2;
            for (int i = 0; i < row; i++) {
                assertThat(mixed[i]).isEqualTo(untold[i]);
            }
            assertThat(List.of(mixed[row], mixed[row + 1])).isNotEqualTo(List.of(untold[row], untold[row + 1]));
            assertThatThrownBy(() -> whole.concat(prompt)).hasMessageContaining("must have the same parts");
        }
    }

    /** Of the value Σ output² / 2 with respect to hidden states and pooled embeddings, along the gradient. */
    @Test
    void theGradientIsThatOfFiniteDifferencesAndSizesHaveNone() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Denoiser unet = Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray sample = manager.arange(4 * 8 * 8f).sin().reshape(1, 4, 8, 8);
            PromptEmbeds prompt = PromptEmbeds.of(
                    manager.arange(7 * 40f).cos().reshape(1, 7, 40),
                    manager.arange(20f).sin().reshape(1, 20));
            List<TimeIds> sizes = List.of(TimeIds.square(500, 375, 64));
            PromptEmbeds gradient = unet.promptGradient(
                    sample, new double[] {301}, unet.sized(prompt, sizes, manager), NDArray::duplicate);
            assertThat(gradient.arrays()).hasSize(2);
            for (int part = 0; part < 2; part++) {
                NDArray along = gradient.arrays().get(part);
                double norm = along.norm().getFloat();
                double step = 1e-2;
                double[] values = new double[2];
                for (int side = 0; side < 2; side++) {
                    NDArray moved = prompt.arrays().get(part).add(along.mul((side == 0 ? -step : step) / norm));
                    PromptEmbeds there = PromptEmbeds.of(
                            part == 0 ? moved : prompt.hiddenStates(), part == 1 ? moved : prompt.pooled());
                    NDArray output = unet.predict(sample, 301, unet.sized(there, sizes, manager));
                    values[side] = output.square().sum().getFloat() / 2;
                }
                assertThat(norm).isGreaterThan(1e-3);
                assertThat((values[1] - values[0]) / (2 * step)).isCloseTo(norm, within(0.03 * norm));
            }
        }
    }

    @Test
    void theAutoencoderRunsInFloat32UnlessItsConfigSaysThatItNeedNot() throws IOException {
        assertThat(Models.dtype(checkpoint, "vae", Dtype.BFLOAT16)).isEqualTo(Dtype.FLOAT32);
        assertThat(Models.dtype(checkpoint, "unet", Dtype.BFLOAT16)).isEqualTo(Dtype.BFLOAT16);
        CheckpointFolder fixed = edited("vae/config.json", "{\"force_upcast\": false}");
        assertThat(Models.dtype(fixed, "vae", Dtype.BFLOAT16)).isEqualTo(Dtype.BFLOAT16);
        Path other = GoldenCheckpoints.stableDiffusion15(temporary.resolve("sd15"));
        assertThat(Models.dtype(CheckpointFolder.open(other), "vae", Dtype.BFLOAT16))
                .isEqualTo(Dtype.BFLOAT16);
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                Vae half = Models.decoder(checkpoint, Device.cpu(), Dtype.BFLOAT16);
                Vae single = Models.decoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray latents = manager.arange(4 * 8 * 8f).sin().reshape(new Shape(1, 4, 8, 8));
            assertThat(half.decode(latents).toFloatArray())
                    .isEqualTo(single.decode(latents).toFloatArray());
        }
    }

    @Test
    void itsPartsAreThoseThatItsPipelineHas() throws IOException {
        assertThat(checkpoint.networks()).containsExactly("text_encoder", "text_encoder_2", "unet", "vae");
        assertThat(checkpoint.tokenizers()).containsExactly("tokenizer", "tokenizer_2");
        assertThat(Models.imageSize(checkpoint)).isEqualTo(128);
        Path unnamed = GoldenCheckpoints.stableDiffusionXl(temporary.resolve("unnamed"));
        GoldenCheckpoints.edit(unnamed.resolve("model_index.json"), "{\"_class_name\": null}");
        assertThat(CheckpointFolder.open(unnamed).pipeline()).isEqualTo("StableDiffusionXLPipeline");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            unet/config.json           | {"cross_attention_dim": 32} \
                | must be the sum of the text encoders' hidden_size, 40, cannot be: 32
            unet/config.json           | {"addition_embed_type": null} \
                | the U-Net of a StableDiffusionXLPipeline must take text_embeds and time_ids
            unet/config.json           | {"projection_class_embeddings_input_dim": 60} \
                | text_encoder_2's projection_dim, 20, and 6 times addition_time_embed_dim, 48, cannot be: 60
            text_encoder_2/config.json | {"architectures": ["CLIPTextModel"]} \
                | text_encoder_2 must be of the architecture CLIPTextModelWithProjection
            text_encoder_2/config.json | {"vocab_size": 299} \
                | the ids of tokenizer_2 must be below its text encoder's vocab_size, 299
            """)
    void partsOfOtherWidthsAreRefused(String file, String values, String message) throws IOException {
        CheckpointFolder wrong = edited(file, values);
        assertThatThrownBy(() -> Models.checkParts(wrong))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message);
    }

    @Test
    void theRefinerIsRefusedByName() {
        assertThatThrownBy(
                        () -> edited(
                                "model_index.json",
                                """
                        {"requires_aesthetics_score": true, "text_encoder": [null, null], "tokenizer": [null, null]}"""))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("Stable Diffusion XL's refiner")
                .hasMessageContaining("take the base checkpoint");
    }

    @Test
    void aMissingEncoderIsNamed() {
        assertThatThrownBy(() -> edited("model_index.json", "{\"text_encoder_2\": [null, null]}"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("should name the component text_encoder_2");
    }
}
