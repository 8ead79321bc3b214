package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Embedding;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A small DiT with random weights as a whole checkpoint: what tells it classes, and what is refused. */
class DitTest {
    @TempDir
    private static Path directory;

    private static CheckpointFolder checkpoint;

    @TempDir
    Path temporary;

    @BeforeAll
    static void assembleCheckpoint() throws IOException {
        checkpoint = CheckpointFolder.open(GoldenCheckpoints.dit(directory));
    }

    private Path edited(String file, String values) throws IOException {
        Path folder = GoldenCheckpoints.dit(temporary.resolve("model"));
        GoldenCheckpoints.edit(folder.resolve(file), values);
        return folder;
    }

    private static TextEncoder encoder() {
        return Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
    }

    @ParameterizedTest
    @CsvSource({"7, 7", "seven, 7", "first 7, 7", "' seven ', 7", "0, 0", "999, 999", "'', 1000", "first 3, 3"})
    void aPromptIsAClassesNumberOrALabelOfItAndTheEmptyOneIsTheNullClass(String prompt, int id) {
        try (TextEncoder encoder = encoder()) {
            TextEncoder.Embeds embeds = encoder.encode(prompt);
            assertThat(List.of(embeds.tokens(), embeds.width())).containsExactly(1, 1001);
            assertThat(embeds.pooled()).isEmpty();
            for (int i = 0; i < 1001; i++) {
                assertThat(embeds.values()[i]).isEqualTo(i == id ? 1 : 0);
            }
        }
        assertThat(Models.promptBytes(checkpoint)).isEqualTo(4 * 1001);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            1000         | expected a class of the checkpoint, a number from 0 to 999
            Seven        | or a label of id2label, such as crane, got "Seven"
            seven, eight | got "seven, eight"
            crane        | expected a label of one class, got "crane", which the classes [3, 4] have
            """)
    void whatIsNoClassOrSeveralIsRefused(String prompt, String message) {
        try (TextEncoder encoder = encoder()) {
            assertThatThrownBy(() -> encoder.encode(prompt))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(message)
                    .hasMessageEndingWith("; give a class's number");
        }
    }

    @Test
    void withoutLabelsClassesHaveTheirNumbers() throws IOException {
        CheckpointFolder unlabelled = CheckpointFolder.open(edited("model_index.json", "{\"id2label\": {}}"));
        Models.check(unlabelled);
        try (TextEncoder encoder = Models.textEncoder(unlabelled, Device.cpu(), Dtype.FLOAT32)) {
            assertThat(encoder.encode("12").values()[12]).isEqualTo(1);
            assertThatThrownBy(() -> encoder.encode("seven")).hasMessageContaining("from 0 to 999, got \"seven\"");
        }
    }

    /** The embeddings of the timestep and of classes are sums, so that equal weights say of classes what one says. */
    @Test
    void aSumOfPromptsIsASumOfClasses() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                TextEncoder encoder = encoder();
                Denoiser transformer = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            NDArray sample = manager.arange(4 * 8 * 8f).sin().reshape(1, 4, 8, 8);
            NDArray seven = encoder.encode("7").onto(manager).hiddenStates();
            NDArray other = encoder.encode("207").onto(manager).hiddenStates();
            float[] one = predicted(transformer, sample, seven);
            assertThat(predicted(transformer, sample, seven.div(2).add(seven.div(2))))
                    .isEqualTo(one);
            assertThat(predicted(transformer, sample, other)).isNotEqualTo(one);
            assertThat(predicted(transformer, sample, seven.add(other).div(2))).isNotEqualTo(one);
        }
    }

    private static float[] predicted(Denoiser transformer, NDArray sample, NDArray classes) {
        return transformer.predict(sample, 481, PromptEmbeds.of(classes)).toFloatArray();
    }

    @Test
    void itsPartsAreThoseThatItsPipelineHas() throws IOException {
        assertThat(checkpoint.networks()).containsExactly("transformer", "vae");
        assertThat(checkpoint.tokenizers()).isEmpty();
        assertThat(checkpoint.hasT5()).isFalse();
        assertThat(Models.imageSize(checkpoint)).isEqualTo(64);
        Models.checkImageSize(checkpoint, 96);
        assertThatThrownBy(() -> Models.checkImageSize(checkpoint, 72)).hasMessageContaining("multiple of 16");
        CheckpointFolder unnamed = CheckpointFolder.open(edited("model_index.json", "{\"_class_name\": null}"));
        assertThat(unnamed.pipeline()).isEqualTo("DiTPipeline");
    }

    @Test
    void bfloat16IsNear() {
        try (NDManager manager = NDManager.newBaseManager(Device.cpu());
                TextEncoder encoder = encoder();
                Denoiser single = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
                Denoiser half = Models.denoiser(checkpoint, Device.cpu(), Dtype.BFLOAT16)) {
            NDArray sample = manager.arange(4 * 8 * 8f).sin().reshape(1, 4, 8, 8);
            PromptEmbeds seven = encoder.encode("7").onto(manager);
            NDArray exact = single.predict(sample, 481, seven);
            NDArray rounded = half.predict(sample, 481, seven);
            float largest = exact.abs().max().getFloat();
            assertThat(rounded.sub(exact).abs().max().getFloat()).isBetween(1e-6f, 0.05f * largest);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            transformer/config.json | {"num_embeds_ada_norm": 998} | below the transformer's num_embeds_ada_norm, 998
            transformer/config.json | {"in_channels": 8, "out_channels": 16} | must be the autoencoder's latent_channels
            model_index.json        | {"id2label": {"one": "a"}} | must have texts by numbers, cannot have: "one": "a"
            scheduler/scheduler_config.json | {"prediction_type": "flow_prediction"} \
                | the scheduler of a DiTTransformer2DModel must be one for what it predicts
            """)
    void partsThatDoNotFitAreRefused(String file, String values, String message) throws IOException {
        CheckpointFolder wrong = CheckpointFolder.open(edited(file, values));
        assertThatThrownBy(() -> Models.checkParts(wrong))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message);
    }

    @Test
    void itTakesNoToken() {
        CheckpointSpec with = CheckpointSpec.of(directory.toString())
                .withEmbeddings(List.of(new Embedding(
                        Golden.folder("embedding").resolve("house.safetensors").toString(), "<house>")));
        assertThatThrownBy(() -> with.open(new Configuration()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("house.safetensors: expected a checkpoint with a text encoder, got the DiT");
    }

    @Test
    void itHasNoT5ToLeaveOut() {
        CheckpointSpec without = CheckpointSpec.of(directory.toString()).withoutT5();
        assertThatThrownBy(() -> without.open(new Configuration()))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(
                        "text_encoder_3 can be left out of a StableDiffusion3Pipeline, not of the" + " DiTPipeline");
    }
}
