package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.latent.Shape;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A small Stable Diffusion 3.5 with random weights as a whole checkpoint, its prompts against diffusers:
 * golden/e2e-sd3.
 */
class StableDiffusion3Test {
    private static final Golden PIPELINE = Golden.open("e2e-sd3");
    private static final int CLIP_TOKENS = 77;

    @TempDir
    private static Path directory;

    private static CheckpointFolder checkpoint;

    @TempDir
    Path temporary;

    @BeforeAll
    static void assembleCheckpoint() throws IOException {
        checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusion3(directory));
    }

    private static PromptNetwork network(String encoder, Tokenizer tokenizer) {
        Network network = Models.load(directory.resolve(encoder), Part.TEXT_ENCODER, Device.cpu(), Dtype.FLOAT32);
        return new PromptNetwork(tokenizer, network, Device.cpu(), network::close);
    }

    /** The pipeline's encoders with the golden's 20 tokens for T5. */
    private static TextEncoder encoder() {
        return new StableDiffusion3TextEncoder(
                network("text_encoder", ClipTokenizer.open(directory.resolve("tokenizer"))),
                network("text_encoder_2", ClipTokenizer.open(directory.resolve("tokenizer_2"))),
                Optional.of(network("text_encoder_3", T5Tokenizer.open(directory.resolve("tokenizer_3"), 20))),
                20,
                72);
    }

    @ParameterizedTest
    @CsvSource({"tokenizer, clip_l", "tokenizer_2, clip_g", "tokenizer_3, t5"})
    void theTokenizersGiveTheGoldensIds(String component, String name) {
        Path folder = directory.resolve(component);
        try (Tokenizer tokenizer = name.equals("t5") ? T5Tokenizer.open(folder, 20) : ClipTokenizer.open(folder)) {
            assertThat(tokenizer.encode(GoldenCheckpoints.PROMPT)).isEqualTo(PIPELINE.longs("prompt_ids." + name));
            assertThat(tokenizer.encode("")).isEqualTo(PIPELINE.longs("uncond_ids." + name));
        }
    }

    @Test
    void promptsHaveTheEmbeddingsThatDiffusersGivesThem() {
        try (TextEncoder encoder = encoder()) {
            for (String negative : new String[] {"", "negative_"}) {
                TextEncoder.Embeds embeds = encoder.encode(negative.isEmpty() ? GoldenCheckpoints.PROMPT : "");
                assertThat(embeds.tokens()).isEqualTo(97);
                assertThat(embeds.width()).isEqualTo(72);
                String name = negative + "prompt_embeds";
                Golden.assertForward(name, embeds.values(), PIPELINE.floats(name));
                name = negative + "pooled_prompt_embeds";
                Golden.assertForward(name, embeds.pooled(), PIPELINE.floats(name));
            }
        }
    }

    @Test
    void theCheckpointsOwnEncodersPadT5ToThePipelines256Tokens() {
        Models.check(checkpoint);
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            TextEncoder.Embeds embeds = encoder.encode(GoldenCheckpoints.PROMPT);
            int clip = CLIP_TOKENS * 72;
            assertThat(embeds.tokens()).isEqualTo(CLIP_TOKENS + 256);
            assertThat(embeds.values()).hasSize((CLIP_TOKENS + 256) * 72);
            Golden.assertForward(
                    "CLIP's tokens",
                    Arrays.copyOf(embeds.values(), clip),
                    Arrays.copyOf(PIPELINE.floats("prompt_embeds"), clip));
            Golden.assertForward("pooled", embeds.pooled(), PIPELINE.floats("pooled_prompt_embeds"));
        }
    }

    @ParameterizedTest
    @CsvSource({"null", "absent"})
    void withoutT5ItsTokensAreZeros(String how) throws IOException {
        Path folder = GoldenCheckpoints.stableDiffusion3(temporary.resolve("model"));
        Path index = folder.resolve("model_index.json");
        if (how.equals("null")) {
            GoldenCheckpoints.edit(index, "{\"text_encoder_3\": [null, null], \"tokenizer_3\": [null, null]}");
        } else {
            Files.writeString(
                    index, Files.readString(index).replaceAll(",\"(text_encoder|tokenizer)_3\":\\[[^]]*]", ""));
        }
        CheckpointFolder small = CheckpointFolder.open(folder);
        assertThat(small.hasT5()).isFalse();
        assertThat(small.networks()).containsExactly("text_encoder", "text_encoder_2", "transformer", "vae");
        Models.check(small);
        try (TextEncoder encoder = Models.textEncoder(small, Device.cpu(), Dtype.FLOAT32)) {
            TextEncoder.Embeds embeds = encoder.encode(GoldenCheckpoints.PROMPT);
            int clip = CLIP_TOKENS * 72;
            assertThat(embeds.tokens()).isEqualTo(CLIP_TOKENS + 256);
            Golden.assertForward(
                    "CLIP's tokens",
                    Arrays.copyOf(embeds.values(), clip),
                    Arrays.copyOf(PIPELINE.floats("prompt_embeds"), clip));
            assertThat(Arrays.copyOfRange(embeds.values(), clip, embeds.values().length))
                    .containsOnly(0);
        }
    }

    @Test
    void theTransformerIsGivenThePooledEmbeddings() {
        Golden golden = Golden.open("mmdit-sd35-medium");
        assertThat(Models.latentShape(checkpoint)).isEqualTo(new Shape(16, 16, 16));
        assertThat(Models.imageSize(checkpoint)).isEqualTo(128);
        try (NDManager manager = NDManager.newBaseManager();
                Denoiser denoiser = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray output = denoiser.predict(
                    golden.array(manager, "rect.hidden_states"),
                    golden.floats("rect.timestep")[0],
                    PromptEmbeds.of(
                            golden.array(manager, "rect.encoder_hidden_states"),
                            golden.array(manager, "rect.pooled_projections")));
            Golden.assertForward("rect.out", output.toFloatArray(), golden.floats("rect.out"));
        }
    }

    @Test
    void theTransformerInBfloat16GivesTheSameToItsPrecision() {
        Golden golden = Golden.open("mmdit-sd35-medium");
        try (NDManager manager = NDManager.newBaseManager();
                Denoiser denoiser = Models.denoiser(checkpoint, Device.cpu(), Dtype.BFLOAT16)) {
            float[] output = denoiser.predict(
                            golden.array(manager, "rect.hidden_states"),
                            golden.floats("rect.timestep")[0],
                            PromptEmbeds.of(
                                    golden.array(manager, "rect.encoder_hidden_states"),
                                    golden.array(manager, "rect.pooled_projections")))
                    .toFloatArray();
            float[] expected = golden.floats("rect.out");
            double squares = 0;
            for (int i = 0; i < output.length; i++) {
                squares += Math.pow(output[i] - expected[i], 2);
            }
            double rms = Math.sqrt(squares / output.length);
            assertThat(rms).isBetween(1e-4, 0.03); // the outputs' rms is 1.05; 8 bits of precision
        }
    }

    @Test
    void textEncodersAreFreedBeforeAnotherPartLoadsUnlessTheyAreInUse() throws IOException {
        Path folder = GoldenCheckpoints.stableDiffusion3(temporary.resolve("model"));
        GoldenCheckpoints.edit(folder.resolve("model_index.json"), "{\"a fingerprint\": \"of its own\"}");
        CheckpointFolder own = CheckpointFolder.open(folder);
        String[] encoders = {"text_encoder/text_encoder", "text_encoder_2/text_encoder", "text_encoder_3/text_encoder"};
        try (TextEncoder open = Models.textEncoder(own, Device.cpu(), Dtype.FLOAT32)) {
            Models.textEncoder(own, Device.cpu(), Dtype.FLOAT32).close();
            Models.encoder(own, Device.cpu(), Dtype.FLOAT32).close();
            assertThat(Models.loaded(own)).contains(encoders);
            assertThat(open.encode("w5 t5").tokens()).isEqualTo(CLIP_TOKENS + 256);
        }
        assertThat(Models.loaded(own)).contains(encoders).contains("vae/encoder");
        Models.denoiser(own, Device.cpu(), Dtype.FLOAT32).close();
        assertThat(Models.loaded(own)).containsExactlyInAnyOrder("vae/encoder", "transformer/denoiser");
        try (TextEncoder again = Models.textEncoder(own, Device.cpu(), Dtype.FLOAT32)) {
            assertThat(again.encode("w5 t5").tokens()).isEqualTo(CLIP_TOKENS + 256);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            text_encoder_3/config.json | {"architectures": ["CLIPTextModel"]} \
                | should be of the architecture T5EncoderModel, but is ClipTextModel
            scheduler/scheduler_config.json | {"_class_name": "DDIMScheduler", "prediction_type": "epsilon"} \
                | such as FlowMatchEulerDiscreteScheduler, cannot be: DDIMScheduler of prediction_type epsilon
            tokenizer_2/tokenizer_config.json | {"model_max_length": 78} \
                | model_max_length of tokenizer_2 must be at most its text encoder's \
            max_position_embeddings, 77, cannot be: 78
            """)
    void aComponentOfAnotherKindIsRefused(String file, String values, String message) throws IOException {
        Path folder = GoldenCheckpoints.stableDiffusion3(temporary.resolve("model"));
        GoldenCheckpoints.edit(folder.resolve(file), values);
        CheckpointFolder wrong = CheckpointFolder.open(folder);
        assertThatThrownBy(() -> Models.checkParts(wrong))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            transformer/config.json    | "joint_attention_dim": 80 \
                | joint_attention_dim of the transformer must be text_encoder_3's d_model, 72, cannot be: 80
            transformer/config.json    | "joint_attention_dim": 60 \
                | at least the sum of the CLIP encoders' hidden_size, 64, cannot be: 60
            transformer/config.json    | "pooled_projection_dim": 56 \
                | sum of the text encoders' projection_dim, 48, cannot be: 56
            transformer/config.json    | "in_channels": 4 \
                | of the transformer must be the autoencoder's latent_channels, 16, cannot be: 4 and 16
            vae/config.json            | "latent_channels": 4 \
                | must be the autoencoder's latent_channels, 4, cannot be: 16 and 16
            text_encoder_2/config.json | "vocab_size": 299 \
                | the ids of tokenizer_2 must be below its text encoder's vocab_size, 299, but go up to: 299
            text_encoder_3/config.json | "vocab_size": 199 \
                | the ids of tokenizer_3 must be below its text encoder's vocab_size, 199, but go up to: 199
            text_encoder/config.json   | "architectures": ["CLIPTextModel"] \
                | must be of the architecture CLIPTextModelWithProjection
            """)
    void partsOfOtherWidthsAreRefused(String file, String values, String message) throws IOException {
        aComponentOfAnotherKindIsRefused(file, "{" + values + "}", message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            text_encoder_2 | text_encoder_2 | fetch the whole checkpoint
            tokenizer      | tokenizer,     | fetch the whole checkpoint
            tokenizer_3    | tokenizer_3    | set model.text_encoder_3: null to run without T5
            text_encoder_3 | text_encoder_3 | set model.text_encoder_3: null to run without T5
            """)
    void aMissingFolderIsNamedWithWhatToDo(String component, String named, String advice) throws IOException {
        Path folder = GoldenCheckpoints.stableDiffusion3(temporary.resolve("model"));
        try (Stream<Path> files = Files.list(folder.resolve(component))) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder.resolve(component));
        assertThatThrownBy(() -> CheckpointFolder.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("names the component " + named)
                .hasMessageContaining(advice);
    }

    @Test
    void aTextEncoderThatTheIndexDoesNotNameIsAskedFor() throws IOException {
        Path folder = GoldenCheckpoints.stableDiffusion3(temporary.resolve("model"));
        Path index = folder.resolve("model_index.json");
        GoldenCheckpoints.edit(index, "{\"tokenizer_3\": [null, null]}");
        assertThatThrownBy(() -> CheckpointFolder.open(folder))
                .hasMessageContaining("should name the component tokenizer_3");
        GoldenCheckpoints.edit(index, "{\"text_encoder_3\": [null, null], \"text_encoder\": [null, null]}");
        assertThatThrownBy(() -> CheckpointFolder.open(folder))
                .hasMessageContaining("should name the component text_encoder,")
                .hasMessageContaining("fetch the whole checkpoint");
    }

    @Test
    void imagesMustBeWholePatchesAndNoMoreThanThereArePositionsFor() {
        Models.checkImageSize(checkpoint, 384);
        assertThatThrownBy(() -> Models.checkImageSize(checkpoint, 136))
                .hasMessageContaining("must be a multiple of 16, at most 384, cannot be: 136");
        assertThatThrownBy(() -> Models.checkImageSize(checkpoint, 400)).hasMessageContaining("cannot be: 400");
    }

    @Test
    void aPromptThatIsCutIsSaidOnceWithWhatIsKept() {
        String prompt = "w5 ".repeat(90) + "t7 ".repeat(300);
        assertThat(PromptCuts.warnings(checkpoint, List.of("w5 t5", prompt.strip())))
                .singleElement()
                .asString()
                .contains(
                        "of 92 tokens, start and end included, 15 are cut by tokenizer and tokenizer_2, which keeps \""
                                + "w5 ".repeat(75).strip() + "\"")
                .contains("of 301 tokens, start and end included, 45 are cut by tokenizer_3, which keeps \"");
    }
}
