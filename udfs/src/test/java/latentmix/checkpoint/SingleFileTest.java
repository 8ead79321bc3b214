package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import latentmix.architecture.Architecture;
import latentmix.model.ClipTokenizer;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.Tokenizer;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints in one file become what diffusers makes of them: golden/single_file.py wrote what is expected. */
class SingleFileTest {
    private static final Map<String, String> WEIGHTS = Map.of(
            "unet", "unet/diffusion_pytorch_model.safetensors",
            "vae", "vae/diffusion_pytorch_model.safetensors",
            "text_encoder", "text_encoder/model.safetensors");
    /** The paths of the weights that a family has. */
    private static Map<String, String> weights(String family) {
        Map<String, String> weights = new TreeMap<>(WEIGHTS);
        if (family.equals("sdxl")) {
            weights.put("text_encoder_2", "text_encoder_2/model.safetensors");
        }
        return weights;
    }

    private static final int[] NARROW = {1, 1, 2, 2};
    private static final Configuration CONF = new Configuration();
    private static JsonNode golden;

    @TempDir
    Path folder;

    @BeforeAll
    static void readGolden() throws IOException {
        golden = new ObjectMapper()
                .readTree(Path.of("src/test/resources/golden/single-file.json").toFile());
    }

    private static LdmLayout tiny(String family) {
        if (family.equals("sdxl")) {
            return LdmLayout.xl(
                    new LdmLayout.Widths(64, new int[] {1, 1, 2}, 192, 64, 3, 80, 32),
                    new LdmLayout.Second(128, 3, 80, 48, NARROW, new int[] {1, 2, 3}),
                    ElementType.F16);
        }
        return family.equals("sd1")
                ? LdmLayout.first(new LdmLayout.Widths(32, NARROW, 64, 64, 3, 80, 32), ElementType.F32)
                        .withEma()
                : LdmLayout.second(new LdmLayout.Widths(64, NARROW, 64, 64, 24, 80, 32), ElementType.F16);
    }

    private static LdmLayout full(String family) {
        int[] mult = {1, 2, 4, 4};
        if (family.equals("sdxl")) {
            return LdmLayout.xl(
                    new LdmLayout.Widths(320, new int[] {1, 2, 4}, 2048, 768, 12, 49408, 128),
                    new LdmLayout.Second(1280, 32, 49408, 1280, mult, new int[] {1, 2, 10}),
                    ElementType.F16);
        }
        return family.equals("sd1")
                ? LdmLayout.first(new LdmLayout.Widths(320, mult, 768, 768, 12, 49408, 128), ElementType.F16)
                : LdmLayout.second(new LdmLayout.Widths(320, mult, 1024, 1024, 24, 49408, 128), ElementType.F16);
    }

    private Path write(LdmLayout layout) throws IOException {
        return write(layout, "model");
    }

    /** A process looks at a path once: another file has another name. */
    private Path write(LdmLayout layout, String name) throws IOException {
        return layout.write(folder.resolve(name + SingleFile.ENDING));
    }

    private static CheckpointSpec spec(Path file) {
        return CheckpointSpec.of(file.toString());
    }

    /** Every tensor that the networks need is there, of the right shape. */
    private static void assertUsable(CheckpointFolder checkpoint) {
        checkpoint.networks().forEach(network -> check(checkpoint, network));
    }

    private static void check(CheckpointFolder checkpoint, String network) {
        Path component = checkpoint.component(network);
        Architecture.of(component).weights(component).close();
    }

    /** Names, shapes and bytes, as the golden file has them. */
    private static String values(Path weights) {
        List<String> lines = new ArrayList<>();
        try (Safetensors file = Safetensors.open(weights)) {
            for (Safetensors.Tensor tensor : file.tensors().values()) {
                ByteBuffer bytes = ByteBuffer.allocate((int) (tensor.end() - tensor.begin()));
                file.read(tensor, 0, bytes);
                lines.add("%s %s %08x".formatted(tensor.name(), tensor.shape(), LdmLayout.crc(bytes.array())));
            }
        }
        return LdmLayout.digest(lines.stream());
    }

    private static void assertConfigs(CheckpointFolder checkpoint, String family, JsonNode expected) {
        for (String component : weights(family).keySet()) {
            assertThat(ofLibrary(checkpoint.config(component))).as(component).isEqualTo(expected.get(component));
        }
        assertThat(checkpoint.schedulerConfig())
                .isEqualTo(golden.get("scheduler").get(family));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd1", "sd2", "sdxl"})
    void aFileBecomesWhatDiffusersMakesOfIt(String family) throws IOException {
        JsonNode expected = golden.get("tiny").get(family);
        assertThat(tiny(family).digest())
                .as("the same file")
                .isEqualTo(expected.get("file").asText());
        CheckpointFolder checkpoint = spec(write(tiny(family))).open(CONF);
        assertConfigs(checkpoint, family, expected.get("configs"));
        weights(family).forEach((component, path) -> assertThat(
                        values(checkpoint.path().resolve(path)))
                .as(component)
                .isEqualTo(expected.get(component).asText()));
        assertUsable(checkpoint);
    }

    @Test
    void theMovingAverageIsAVariant() throws IOException {
        Path file = write(tiny("sd1"));
        CheckpointFolder checkpoint = spec(file).withVariant("ema").open(CONF);
        JsonNode expected = golden.get("tiny").get("sd1");
        assertThat(values(checkpoint.component("unet").resolve("diffusion_pytorch_model.ema.safetensors")))
                .isEqualTo(expected.get("unet_ema").asText());
        assertThat(values(checkpoint.path().resolve(WEIGHTS.get("vae"))))
                .isEqualTo(expected.get("vae").asText());
        assertThat(checkpoint.origin())
                .hasValueSatisfying(text -> assertThat(text).contains("moving average"));
        assertThatThrownBy(() -> spec(file).withVariant("fp16").open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("has the variant ema alone");
    }

    /** By names and shapes alone: the file is a hole. */
    @ParameterizedTest
    @ValueSource(strings = {"sd1", "sd2", "sdxl"})
    void aFileOfFullSizeHasThePublishedConfigurations(String family) throws IOException {
        JsonNode expected = golden.get("full").get(family);
        assertThat(full(family).digest()).isEqualTo(expected.get("file").asText());
        Path file = full(family).writeSparse(folder.resolve("model.safetensors"));
        try (SingleFile single = SingleFile.open(file, spec(file))) {
            for (Map.Entry<String, String> component : weights(family).entrySet()) {
                Map<String, List<Long>> shapes = single.shapes(component.getValue());
                assertThat(LdmLayout.digest(shapes.entrySet().stream().map(e -> e.getKey() + " " + e.getValue())))
                        .as(component.getKey())
                        .isEqualTo(expected.get(component.getKey()).asText());
                assertThat(ofLibrary(json(single.texts().get(component.getKey() + "/config.json"))))
                        .isEqualTo(expected.get("configs").get(component.getKey()));
            }
            assertThat(json(single.texts().get("scheduler/scheduler_config.json")))
                    .isEqualTo(golden.get("scheduler").get(family));
        }
    }

    /** A config without our own key. */
    private static JsonNode ofLibrary(JsonNode config) {
        return ((ObjectNode) config.deepCopy()).without(CheckpointFolder.ORIGIN);
    }

    private static JsonNode json(String text) throws IOException {
        return new ObjectMapper().readTree(text);
    }

    @Test
    void theFileOfAnSd2IsTakenForVPredictionUnlessItsStepOrTheUserSaysOtherwise() throws IOException {
        CheckpointFolder checkpoint = spec(write(tiny("sd2"))).open(CONF);
        assertThat(checkpoint.schedulerConfig().get("prediction_type").asText()).isEqualTo("v_prediction");
        assertThat(Models.imageSize(checkpoint)).isEqualTo(768);
        assertThat(checkpoint.corrections())
                .singleElement()
                .asString()
                .contains("model.scheduler: {prediction_type: epsilon}", "model.size: 512");
        CheckpointFolder said = spec(folder.resolve("model.safetensors"))
                .withScheduler(new ObjectMapper().createObjectNode().put("prediction_type", "epsilon"))
                .open(CONF);
        assertThat(said.schedulerConfig().get("prediction_type").asText()).isEqualTo("epsilon");
        assertThat(said.corrections()).as("nothing is assumed").isEmpty();
    }

    /** Ids of openai/clip-vit-large-patch14, as its model card and papers print them; sums of its published file. */
    @Test
    void theVocabularyIsClips() throws IOException {
        CheckpointFolder checkpoint = spec(write(
                        LdmLayout.first(new LdmLayout.Widths(32, NARROW, 64, 64, 3, 49408, 32), ElementType.F16)))
                .open(CONF);
        Models.check(checkpoint);
        Path tokenizer = checkpoint.component("tokenizer");
        assertThat(Fingerprint.ofFile(tokenizer.resolve("merges.txt")))
                .isEqualTo("9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a");
        JsonNode vocabulary = json(Files.readString(tokenizer.resolve("vocab.json")));
        assertThat(vocabulary).hasSize(49408);
        assertThat(vocabulary.get("<|endoftext|>").asInt()).isEqualTo(49407);
        try (Tokenizer clip = ClipTokenizer.open(tokenizer)) {
            assertThat(clip.encode("a photo of a cat")).startsWith(49406, 320, 1125, 539, 320, 2368, 49407, 49407);
        }
    }

    /** Every tensor that a component needs has its name in the file, whichever way it is asked for. */
    @ParameterizedTest
    @ValueSource(strings = {"sd1", "sd2", "sdxl"})
    void namesAreTranslatedBothWays(String family) throws IOException {
        Path file = write(tiny(family));
        CheckpointFolder checkpoint = spec(file).open(CONF);
        try (Safetensors original = Safetensors.open(file)) {
            for (String network : checkpoint.networks()) {
                Path component = checkpoint.component(network);
                UnaryOperator<String> name =
                        CheckpointFolder.published(component).orElseThrow();
                try (StateDict weights = StateDict.open(component)) {
                    assertThat(weights.keys()).isNotEmpty().allMatch(key -> original.tensors()
                            .containsKey(name.apply(key)));
                }
            }
        }
        assertThat(CheckpointFolder.published(BuiltIn.FASHION.folder().resolve("unet")))
                .isEmpty();
    }

    private static final Map<String, List<String>> NEEDED = Map.of(
            "sd1",
            List.of(
                    "model.diffusion_model.output_blocks.5.2.conv.weight",
                    "model.diffusion_model.input_blocks.4.1.transformer_blocks.0.attn2.to_v.weight",
                    "model.diffusion_model.middle_block.2.emb_layers.1.bias",
                    "first_stage_model.decoder.up.3.block.1.conv1.weight",
                    "first_stage_model.encoder.mid.attn_1.proj_out.bias",
                    "cond_stage_model.transformer.text_model.encoder.layers.1.mlp.fc2.bias"),
            "sd2",
            List.of(
                    "cond_stage_model.model.transformer.resblocks.3.attn.in_proj_weight",
                    "cond_stage_model.model.positional_embedding"),
            "sdxl",
            List.of(
                    "model.diffusion_model.label_emb.0.2.weight",
                    "model.diffusion_model.output_blocks.2.2.conv.bias",
                    "model.diffusion_model.output_blocks.4.1.transformer_blocks.1.attn2.to_v.weight",
                    "conditioner.embedders.0.transformer.text_model.final_layer_norm.weight",
                    "conditioner.embedders.1.model.transformer.resblocks.2.attn.in_proj_weight"));

    @ParameterizedTest
    @ValueSource(strings = {"sd1", "sd2", "sdxl"})
    void aTensorThatIsMissingOrMisshapenIsNamedAsInTheFile(String family) throws IOException {
        LdmLayout missing = tiny(family);
        LdmLayout misshapen = tiny(family);
        for (String tensor : NEEDED.get(family)) {
            missing.without(tensor);
            misshapen.with(tensor, 6, 5);
        }
        CheckpointFolder without = spec(write(missing, "missing")).open(CONF);
        CheckpointFolder wrong = spec(write(misshapen, "misshapen")).open(CONF);
        for (String tensor : NEEDED.get(family)) {
            String component = tensor.startsWith(LdmLayout.UNET)
                    ? "unet"
                    : tensor.startsWith(LdmLayout.VAE)
                            ? "vae"
                            : tensor.startsWith(LdmLayout.OPEN_CLIP_XL) ? "text_encoder_2" : "text_encoder";
            assertThatThrownBy(() -> check(without, component))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("made of a single file, lack tensors for their config.json: ")
                    .hasMessageContaining(tensor);
            assertThatThrownBy(() -> check(wrong, component))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("have wrongly shaped tensors for their config.json: ")
                    .hasMessageContaining(tensor + " is [");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            sd1 | model.diffusion_model.input_blocks.0.0.weight
            sd1 | model.diffusion_model.input_blocks.5.0.out_layers.3.weight
            sd2 | cond_stage_model.model.token_embedding.weight
            sd1 | cond_stage_model.transformer.text_model.embeddings.token_embedding.weight
            sd1 | first_stage_model.encoder.down.2.block.1.conv2.weight
            sdxl | model.diffusion_model.label_emb.0.0.weight
            sdxl | conditioner.embedders.1.model.token_embedding.weight
            """)
    void aTensorThatTellsTheConfigurationIsNamedToo(String family, String tensor) throws IOException {
        Path file = tiny(family).without(tensor).writeSparse(folder.resolve("model.safetensors"));
        assertThatThrownBy(() -> spec(file).open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("got no tensor " + tensor)
                .hasMessageContaining("; take a whole file");
        Path flat = tiny(family).with(tensor).writeSparse(folder.resolve("flat.safetensors"));
        assertThatThrownBy(() -> spec(flat).open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(tensor);
    }

    /** Tensors by which others' programs know a model of v-prediction, and one of zero terminal SNR. */
    @Test
    void theFileOfAnXlSaysWhatItPredicts() throws IOException {
        CheckpointFolder plain = spec(write(tiny("sdxl"))).open(CONF);
        assertThat(plain.schedulerConfig().get("prediction_type").asText()).isEqualTo("epsilon");
        assertThat(Models.imageSize(plain)).isEqualTo(1024);
        assertThat(plain.origin()).contains("Stable Diffusion XL in one file");
        CheckpointFolder v = spec(write(tiny("sdxl").with("v_pred", 1).with("ztsnr", 1), "v"))
                .open(CONF);
        assertThat(v.schedulerConfig().get("prediction_type").asText()).isEqualTo("v_prediction");
        assertThat(v.schedulerConfig().get("rescale_betas_zero_snr").asBoolean())
                .isTrue();
        Path half = tiny("sdxl").without(LdmLayout.OPEN_CLIP_XL).write(folder.resolve("half.safetensors"));
        assertThatThrownBy(() -> spec(half).open(CONF)).hasMessageContaining("none of its text encoder's tensors");
        Path flat = write(tiny("sdxl").with("conditioner.embedders.1.model.text_projection", 6), "flat");
        assertThatThrownBy(() -> spec(flat).open(CONF)).hasMessageContaining("which is no matrix");
    }

    /** An autoencoder's file does not say whose it is; its checkpoint does. */
    @Test
    void theAutoencoderInAFileOfItsOwnHasTheScaleOfItsCheckpoint() throws IOException {
        Path vae = tiny("sd1").without("model").without("cond_stage_model").write(folder.resolve("vae.safetensors"));
        CheckpointFolder xl = spec(write(tiny("sdxl"))).withVae(vae.toString()).open(CONF);
        assertThat(xl.config("vae").get("scaling_factor").asDouble()).isEqualTo(0.13025);
        assertThat(Models.dtype(xl, "vae", Dtype.BFLOAT16)).isEqualTo(Dtype.FLOAT32);
        assertUsable(xl);
        CheckpointFolder first =
                spec(write(tiny("sd1"), "first")).withVae(vae.toString()).open(CONF);
        assertThat(first.config("vae").has("scaling_factor")).isFalse();
    }

    @Test
    void aJointProjectionThatCannotBeCutIsRefused() throws IOException {
        String tensor = "cond_stage_model.model.transformer.resblocks.3.attn.in_proj_bias";
        for (Path file :
                List.of(write(tiny("sd2").with(tensor, 190)), write(tiny("sd2").with(tensor)))) {
            assertThatThrownBy(() -> spec(file).open(CONF))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("the tensor " + tensor + " of the shape [");
        }
    }

    @Test
    void tensorsThatNothingIsMadeOfAreListed() throws IOException {
        LdmLayout layout = tiny("sd1").with("model_ema.num_updates").with("a.stray", 0);
        assertThat(spec(write(layout)).open(CONF).ignored())
                .containsExactly(
                        "a.stray",
                        "betas",
                        "cond_stage_model.transformer.text_model.embeddings.position_ids",
                        "model_ema.decay",
                        "model_ema.num_updates");
        assertThat(spec(write(tiny("sd2"), "second")).open(CONF).ignored())
                .as("OpenCLIP's last layer, and what its image side needs")
                .hasSize(14)
                .contains(
                        "cond_stage_model.model.logit_scale",
                        "cond_stage_model.model.transformer.resblocks.23.attn.in_proj_weight");
        Path vae = tiny("sd1")
                .without("model")
                .without("cond_stage_model")
                .with("loss.logvar")
                .write(folder.resolve("vae.safetensors"));
        Path component = CheckpointCache.located(spec(vae), CONF);
        assertThat(Architecture.of(component).ignored(component)).containsExactly("betas", "loss.logvar");
    }

    @Test
    void itIsConvertedOnceAndADamagedFileIsMadeAnew() throws IOException {
        Path file = write(tiny("sd1"));
        Path dir = folder.resolve("cache");
        Path made;
        try (CheckpointCache cache = new CheckpointCache(dir, Long.MAX_VALUE)) {
            made = cache.folder(file, spec(file));
        }
        Path weights = made.resolve(WEIGHTS.get("vae"));
        String sum = Fingerprint.ofFile(weights);
        var unet = Files.getLastModifiedTime(made.resolve(WEIGHTS.get("unet")));
        Files.write(weights, new byte[] {1, 2, 3});
        Path moved = Files.move(file, folder.resolve("another name.safetensors"));
        try (CheckpointCache cache = new CheckpointCache(dir, Long.MAX_VALUE)) {
            assertThat(cache.folder(moved, spec(moved)))
                    .as("its content decides")
                    .isEqualTo(made);
        }
        assertThat(Fingerprint.ofFile(weights)).isEqualTo(sum);
        assertThat(Files.getLastModifiedTime(made.resolve(WEIGHTS.get("unet")))).isEqualTo(unet);
    }

    @Test
    void itLiesInAnotherFileSystemToo() throws IOException {
        Path file = write(tiny("sd1"));
        CheckpointFolder remote = CheckpointSpec.of("counted://" + file).open(counted());
        assertThat(remote.fingerprint()).isEqualTo(spec(file).open(CONF).fingerprint());
    }

    private static Configuration counted() {
        Configuration conf = new Configuration();
        conf.set("fs.counted.impl", CountedFileSystem.class.getName());
        return conf;
    }

    @Test
    void anAutoencoderMayBeAFileAloneAndTheCheckpointsOwnNeedNotBeThere() throws IOException {
        Path whole = write(tiny("sd1"));
        Path vae = tiny("sd1")
                .without("model")
                .without("cond_stage_model")
                .without("betas")
                .write(folder.resolve("vae.safetensors"));
        Path rest = tiny("sd1").without(LdmLayout.VAE).write(folder.resolve("rest.safetensors"));
        assertThatThrownBy(() -> spec(rest).open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageEndingWith("name one in model.vae");
        for (Path other : List.of(vae, whole)) { // of which nothing but its autoencoder is converted
            Path alone =
                    CheckpointCache.located(new CheckpointSpec(other.toString(), "{}", "", "", Set.of("unet")), CONF);
            assertThat(alone.resolve("config.json")).exists();
            assertThat(alone.resolve("unet")).doesNotExist();
            CheckpointFolder checkpoint = spec(rest).withVae(other.toString()).open(CONF);
            assertUsable(checkpoint);
            assertThat(values(checkpoint.component("vae").resolve("diffusion_pytorch_model.safetensors")))
                    .isEqualTo(golden.get("tiny").get("sd1").get("vae").asText());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            conditioner.embedders.0.model.text_projection | Stable Diffusion XL's refiner
            edm_mean | Playground 2.5
            model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias | Stable Diffusion 3
            model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale | FLUX
            control_model.time_embed.0.weight | a ControlNet
            lora_unet_down_blocks_0.lora_up.weight | a LoRA
            model.diffusion_model.label_emb.0.0.weight | an unCLIP model is not supported
            """)
    void anotherModelsFileIsRefusedByName(String tensor, String name) throws IOException {
        Path file = write(tiny("sd1").with(tensor, 4, 4));
        assertThatThrownBy(() -> spec(file).open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(
                        "expected a checkpoint of Stable Diffusion 1, 2 or XL in the file " + file + ", got ")
                .hasMessageContaining(name)
                .hasMessageNotContaining("\n");
    }

    @Test
    void whatIsNoWholeCheckpointIsRefused() throws IOException {
        Path inpainting = write(tiny("sd1").with("model.diffusion_model.input_blocks.0.0.weight", 32, 9, 3, 3));
        assertThatThrownBy(() -> spec(inpainting).open(CONF))
                .hasMessageContaining("of 9 input channels, as inpainting");
        Path unet = tiny("sd1").without("cond_stage_model").write(folder.resolve("unet.safetensors"));
        assertThatThrownBy(() -> spec(unet).open(CONF)).hasMessageContaining("none of its text encoder's tensors");
        Path component = Path.of("src/test/resources/golden/unet-sd15/diffusion_pytorch_model.safetensors");
        assertThatThrownBy(() -> spec(component).open(CONF)).hasMessageContaining("a component in diffusers");
        Path wide = write(tiny("sd1").with("first_stage_model.decoder.conv_in.weight", 64, 16, 3, 3), "wide");
        assertThatThrownBy(() -> spec(wide).open(CONF)).hasMessageContaining("an autoencoder of 16 latent channels");
        Path unknown = tiny("sd1")
                .without("model")
                .without("cond_stage_model")
                .without("first_stage_model")
                .write(folder.resolve("unknown.safetensors"));
        assertThatThrownBy(() -> spec(unknown).open(CONF)).hasMessageContaining("got the tensors betas;");
        Path pickle = Files.writeString(folder.resolve("model.ckpt"), "a pickle");
        for (CheckpointSpec spec : List.of(
                spec(pickle),
                CheckpointSpec.of("counted://" + pickle),
                CheckpointSpec.of("hf://someone/models/model.ckpt"),
                CheckpointSpec.of("hf://someone/models@v1/a/model.bin"),
                spec(write(tiny("sd1"), "whole")).withVae(pickle.toString()))) {
            assertThatThrownBy(() -> spec.open(counted()))
                    .as(spec.toString())
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("from_single_file")
                    .hasMessageNotContaining("\n");
        }
        assertThatThrownBy(() -> spec(folder).open(CONF)).hasMessageContaining("name a checkpoint in one file by its");
    }
}
