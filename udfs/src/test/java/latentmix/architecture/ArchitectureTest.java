package latentmix.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import latentmix.Golden;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArchitectureTest {
    @TempDir
    Path folder;

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The number of trained weights: a table of positions is none. */
    private static long parameters(String config) {
        AtomicLong count = new AtomicLong();
        Architecture.of(json(config), "config.json")
                .parts()
                .values()
                .forEach(part -> part.forEachParameter((key, shape) -> count.addAndGet(
                        key.equals("pos_embed.pos_embed") ? 0 : shape.stream().reduce(1L, Math::multiplyExact))));
        return count.get();
    }

    /** Published configs, less their keys that mean the defaults, with the number of weights in their files. */
    static Stream<Arguments> published() throws IOException {
        JsonNode models = new ObjectMapper()
                .readTree(Path.of("src/test/resources/architecture/published.json")
                        .toFile());
        return StreamSupport.stream(models.spliterator(), false)
                .map(model -> Arguments.of(
                        model.get("config").toString(), model.get("parameters").longValue()));
    }

    @ParameterizedTest
    @MethodSource("published")
    void absentKeysMeanTheDefaultsThatThePublishedModelsWereMadeWith(String config, long parameters) {
        assertThat(parameters(config)).isEqualTo(parameters);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            UNet2DConditionModel | "class_embed_type": "timestep" | class_embed_type
            UNet2DConditionModel | "addition_embed_type": "text" | addition_embed_type
            UNet2DConditionModel | "addition_embed_type": "text_time", "addition_time_embed_dim": 256 \
                | projection_class_embeddings_input_dim
            UNet2DConditionModel | "num_attention_heads": 8 | num_attention_heads
            UNet2DConditionModel | "only_cross_attention": true | only_cross_attention
            UNet2DConditionModel | "dual_cross_attention": true | dual_cross_attention
            UNet2DConditionModel | "resnet_time_scale_shift": "scale_shift" | resnet_time_scale_shift
            UNet2DConditionModel | "encoder_hid_dim": 64 | encoder_hid_dim
            UNet2DConditionModel | "time_cond_proj_dim": 0 | time_cond_proj_dim
            UNet2DConditionModel | "only_cross_attention": [false, true, false, false] | only_cross_attention
            UNet2DConditionModel | "sample_size": [64, 32] | sample_size
            UNet2DConditionModel | "sample_size": [64] | sample_size
            UNet2DConditionModel | "quantization_config": {"quant_method": "bitsandbytes"} | quantization_config
            UNet2DConditionModel | "time_embedding_type": "fourier" | time_embedding_type
            UNet2DConditionModel | "attention_type": "gated" | attention_type
            UNet2DConditionModel | "mid_block_type": "UNetMidBlock2DSimpleCrossAttn" | mid_block_type
            UNet2DConditionModel \
                | "down_block_types": ["AttnDownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"] \
                | down_block_types
            UNet2DConditionModel | "down_block_types": ["DownBlock2D"] | down_block_types
            UNet2DConditionModel | "act_fn": "tanh" | act_fn
            UNet2DConditionModel | "norm_num_groups": null | norm_num_groups
            UNet2DConditionModel | "norm_num_groups": 48 | block_out_channels
            UNet2DConditionModel | "block_out_channels": [] | block_out_channels
            UNet2DConditionModel | "attention_head_dim": [8, 8] | attention_head_dim
            UNet2DConditionModel | "transformer_layers_per_block": [[1, 2], 1, 1, 1] | transformer_layers_per_block
            UNet2DConditionModel | "layers_per_block": 0 | layers_per_block
            UNet2DConditionModel | "downsample_padding": 2 | downsample_padding
            UNet2DConditionModel | "conv_in_kernel": 4 | conv_in_kernel
            AutoencoderKL | "latents_mean": [0, 0, 0.1, 0] | latents_mean
            AutoencoderKL | "latents_std": [0, 0, 0, 0] | latents_std
            AutoencoderKL | "down_block_types": ["AttnDownEncoderBlock2D"] | down_block_types
            AutoencoderKL | "scaling_factor": "large" | scaling_factor
            AutoencoderKL | "use_quant_conv": 1 | use_quant_conv
            ConvClassifier | "strides": [2, 2] | strides
            ConvClassifier | "strides": 3 | strides
            ConvClassifier | "in_channels": 2 | in_channels
            ConvClassifier | "normalization": "instance_norm" | normalization
            ConvClassifier | "normalization": "group_norm", "block_out_channels": [12] | block_out_channels
            SD3Transformer2DModel | "qk_norm": "layer_norm" | qk_norm
            SD3Transformer2DModel | "dual_attention_layers": [18] | dual_attention_layers
            SD3Transformer2DModel | "dual_attention_layers": [-1] | dual_attention_layers
            SD3Transformer2DModel | "caption_projection_dim": 1536 | caption_projection_dim
            SD3Transformer2DModel | "sample_size": 256 | sample_size
            SD3Transformer2DModel | "sample_size": 127 | sample_size
            DiTTransformer2DModel | "norm_type": "ada_norm" | norm_type
            DiTTransformer2DModel | "activation_fn": "geglu" | activation_fn
            DiTTransformer2DModel | "out_channels": 6 | out_channels
            DiTTransformer2DModel | "sample_size": 31 | sample_size
            DiTTransformer2DModel | "num_attention_heads": 1, "attention_head_dim": 6 | num_attention_heads
            Transformer2DModel | "patch_size": 2 | norm_type
            T5EncoderModel | "feed_forward_proj": "gated-tanh" | feed_forward_proj
            T5EncoderModel | "feed_forward_proj": "gated-gelu", "dense_act_fn": "gelu" | dense_act_fn
            T5EncoderModel | "feed_forward_proj": "gated-gelu", "is_gated_act": false | is_gated_act
            T5EncoderModel | "relative_attention_num_buckets": 30 | relative_attention_num_buckets
            T5EncoderModel | "relative_attention_max_distance": 8 | relative_attention_num_buckets
            """)
    void aSettingThatIsNotSupportedIsRefusedByName(String type, String setting, String key) {
        JsonNode config = json("{\"_class_name\": \"" + type + "\", " + setting + "}");
        assertThatThrownBy(() -> Architecture.of(config, "unet/config.json"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("unet/config.json: " + key + " ");
    }

    /** Null is what diffusers writes of an argument that was left out, and lists have the same value a level. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            UNet2DConditionModel | "sample_size": null
            UNet2DConditionModel | "sample_size": [64, 64]
            UNet2DConditionModel | "only_cross_attention": [false, false, false, false]
            UNet2DConditionModel | "only_cross_attention": null, "act_fn": null, "layers_per_block": null
            UNet2DConditionModel | "time_cond_proj_dim": null, "use_linear_projection": null, "norm_eps": null
            UNet2DConditionModel | "quantization_config": null, "block_out_channels": null, "dropout": null
            AutoencoderKL | "latents_mean": [0, 0, 0, 0], "latents_std": [1.0, 1, 1, 1]
            AutoencoderKL | "latents_mean": null, "latents_std": null, "scaling_factor": null, "sample_size": [32, 32]
            SD3Transformer2DModel | "sample_size": [128, 128], "qk_norm": null, "dual_attention_layers": null
            DiTTransformer2DModel | "sample_size": [32, 32], "out_channels": null, "cross_attention_dim": null
            T5EncoderModel | "feed_forward_proj": null, "dense_act_fn": null
            """)
    void nullAndNeutralSettingsMeanTheDefaults(String type, String settings) {
        JsonNode config = json("{\"_class_name\": \"" + type + "\", " + settings + "}");
        assertThat(Architecture.of(config, "config.json"))
                .isEqualTo(Architecture.of(json("{\"_class_name\": \"" + type + "\"}"), "config.json"));
    }

    @Test
    void aKeyThatIsNotKnownIsNamedWhereTheLibraryDoesNotKnowItEither() {
        assertThat(Architecture.unknownKeys(
                        json("{\"_class_name\": \"UNet2DConditionModel\", \"_diffusers_version\": \"0.36.0\","
                                + " \"upcast_attention\": true, \"reverse_layers\": 3, \"mid_block_type\": null}"),
                        "config.json"))
                .containsExactly("reverse_layers");
        assertThat(Architecture.unknownKeys(
                        json("{\"architectures\": [\"CLIPTextModel\"], \"chunk_size_feed_forward\": 0}"),
                        "config.json"))
                .isEmpty();
    }

    /** All keys that diffusers writes of these classes are known. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "unet-sd15",
                "unet-sd21",
                "unet-sdxl",
                "unet-no-mid",
                "vae-sd15",
                "vae-sd3",
                "mmdit-sd3-plain",
                "dit"
            })
    void noKeyOfALibrarysConfigIsUnknown(String golden) throws IOException {
        Path config = Golden.folder(golden).resolve("config.json");
        assertThat(Architecture.unknownKeys(new ObjectMapper().readTree(config.toFile()), golden))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            CLIPVisionModel | "hidden_act": "tanh" | hidden_act
            CLIPVisionModel | "num_attention_heads": 7 | hidden_size
            CLIPVisionModel | "image_size": 16 | patch_size
            CLIPModel | "projection_dim": 512 | vision_config
            CLIPTextModel | "num_attention_heads": 7 | hidden_size
            """)
    void aSettingOfTransformersThatIsNotSupportedIsRefusedByName(String type, String setting, String key) {
        JsonNode config = json("{\"architectures\": [\"" + type + "\"], " + setting + "}");
        assertThatThrownBy(() -> Architecture.of(config, "config.json"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("config.json: " + key + " ");
    }

    @Test
    void anUnknownArchitectureIsRefusedWithThoseThatAreKnown() {
        assertThatThrownBy(
                        () -> Architecture.of(json("{\"_class_name\": \"PixArtTransformer2DModel\"}"), "config.json"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(
                        "must be one of UNet2DConditionModel, SD3Transformer2DModel, DiTTransformer2DModel")
                .hasMessageContaining("cannot be: PixArtTransformer2DModel");
        assertThatThrownBy(() -> Architecture.of(json("{}"), "config.json"))
                .hasMessageContaining("should name its class");
    }

    private Tensors copyOf(String golden) throws IOException {
        Files.copy(Golden.folder(golden).resolve("config.json"), folder.resolve("config.json"));
        return Tensors.of(Golden.folder(golden).resolve("diffusion_pytorch_model.safetensors"));
    }

    private void assertRefused(Tensors tensors, String message) {
        tensors.write(folder.resolve("diffusion_pytorch_model.safetensors"));
        assertThatThrownBy(() -> Architecture.of(folder).weights(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aMissingTensorIsRefusedByName() throws IOException {
        assertRefused(copyOf("unet-sd15").remove("conv_in.bias"), "lack tensors for their config.json: conv_in.bias;");
    }

    @Test
    void anExtraTensorIsRefusedByName() throws IOException {
        Tensors tensors = copyOf("unet-sd15").put("add_embedding.linear_1.bias", List.of(1L), 0);
        assertRefused(tensors, "have unexpected tensors for their config.json: add_embedding.linear_1.bias;");
    }

    @ParameterizedTest
    @CsvSource({
        "F8_E4M3, '', quantised to fp8: conv_in.weight is F8_E4M3;",
        "I8, conv_in.SCB, quantised to integers: conv_in.weight is I8;",
        "U8, conv_in.weight.quant_state.bitsandbytes__nf4, quantised by bitsandbytes (nf4 or fp4): conv_in.weight is U8;"
    })
    void aQuantisedTensorThatIsNeededIsNamedWithItsScheme(ElementType type, String beside, String message)
            throws IOException {
        Tensors tensors = copyOf("unet-sd15").put("conv_in.weight", type, List.of(288L, 1L));
        if (!beside.isEmpty()) {
            tensors.put(beside, type, List.of(3L));
        }
        assertRefused(tensors, message + " quantised weights are not supported; take the checkpoint in fp32");
    }

    @Test
    void aTensorOfTheWrongShapeIsRefusedWithBothShapes() throws IOException {
        Tensors tensors = copyOf("unet-sd15");
        tensors.put(
                "conv_in.weight",
                List.of(4L, 16L, 3L, 3L),
                tensors.get("conv_in.weight").values());
        assertRefused(
                tensors,
                "wrongly shaped tensors for their config.json: conv_in.weight is [4, 16, 3, 3],"
                        + " should be [16, 4, 3, 3]");
    }

    @Test
    void onlyTheAutoencodersAttentionMayBeStoredAsConvolution() throws IOException {
        Tensors tensors = copyOf("unet-sd21"); // linear projections
        String key = "mid_block.attentions.0.proj_in.weight";
        tensors.put(key, List.of(32L, 32L, 1L, 1L), tensors.get(key).values());
        assertRefused(tensors, key + " is [32, 32, 1, 1], should be [32, 32]");
    }
}
