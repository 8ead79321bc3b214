package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.architecture.Architecture;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Tensors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComponentVerificationTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WEIGHTS = "diffusion_pytorch_model.safetensors";
    private static final String TEXT_WEIGHTS = "model.safetensors";
    private static final String REFERENCE = "golden.safetensors";

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "unet-sd15, odd.out t1.out t901.out tvec.out",
        "unet-sd21, odd.out t1.out t901.out tvec.out",
        "vae-sd15, rect sq rect.dec.image sq.dec.image",
        "vae-sd3, rect sq rect.dec.image sq.dec.image",
        "mmdit-sd35-medium, rect.out sq.out",
        "mmdit-sd3-plain, rect.out sq.out",
        "clip-text-sd15, masked padeos padeos_bigid short",
        "clip-text-proj-l, masked padeos padeos_bigid short",
        "clip-text-proj-g, masked pad0 pad0_bigid short",
        "clip-text-proj-neweos, masked padeos padeos_bigid short",
        "t5, long short",
        "clip-vision, . pre_down pre_up",
        "unet-sdxl, odd.out t1.out t901.out tvec.out",
        "unet-no-mid, odd.out t1.out",
        "unet-guidance, odd.out t1.out",
        "dit, larger.out own.out"
    })
    void everyCaseOfTheReferenceModelsIsWithinItsBound(String model, String cases) {
        Path component = Golden.folder(model);
        List<ComponentVerification.Case> results = ComponentVerification.run(component, component.resolve(REFERENCE));
        assertThat(results).hasSize(cases.split(" ", -1).length).allMatch(ComponentVerification.Case::passes);
        for (String name : cases.split(" ", -1)) {
            assertThat(results).anyMatch(result -> (result.name() + "." + result.output()).startsWith(name));
        }
    }

    private Tensors copyOf(String golden) throws IOException {
        String weights = Files.exists(Golden.folder(golden).resolve(WEIGHTS)) ? WEIGHTS : TEXT_WEIGHTS;
        Files.copy(Golden.folder(golden).resolve("config.json"), folder.resolve("config.json"));
        Files.copy(Golden.folder(golden).resolve(REFERENCE), folder.resolve(REFERENCE));
        return Tensors.of(Golden.folder(golden).resolve(weights));
    }

    private List<ComponentVerification.Case> verify() {
        return ComponentVerification.run(folder, folder.resolve(REFERENCE));
    }

    @Test
    void aWeightThatIsALittleOffIsFound() throws IOException {
        Tensors tensors = copyOf("unet-sd15");
        tensors.get("conv_out.bias").values()[3] += 1e-3f;
        tensors.write(folder.resolve(WEIGHTS));
        assertThat(verify()).hasSize(4).allMatch(result -> !result.passes() && result.difference() > 9e-4);
    }

    @Test
    void aReferenceThatIsNotANumberNeverPasses() throws IOException {
        copyOf("unet-sd15").write(folder.resolve(WEIGHTS));
        Tensors reference = Tensors.of(Golden.folder("unet-sd15").resolve(REFERENCE));
        reference.get("t1.out").values()[7] = Float.NaN;
        reference.write(folder.resolve(REFERENCE));
        assertThat(verify()).filteredOn(result -> result.name().equals("t1")).allMatch(result -> !result.passes());
    }

    /** Old files call the attention's projections otherwise, and some have them as 1×1 convolutions. */
    @ParameterizedTest
    @CsvSource({"linear", "convolution"})
    void anAutoencoderWithOldAttentionNamesGivesTheSame(String kind) throws IOException {
        Tensors tensors = copyOf("vae-sd15").rename(name -> name.replace("attentions.0.to_q", "attentions.0.query")
                .replace("attentions.0.to_k", "attentions.0.key")
                .replace("attentions.0.to_v", "attentions.0.value")
                .replace("attentions.0.to_out.0", "attentions.0.proj_attn"));
        assertThat(tensors.names()).contains("encoder.mid_block.attentions.0.proj_attn.weight");
        if (kind.equals("convolution")) {
            for (String name : tensors.names()) {
                Tensors.Values values = tensors.get(name);
                if (name.contains("attentions.0") && values.shape().size() == 2) {
                    List<Long> shape = new ArrayList<>(values.shape());
                    shape.addAll(List.of(1L, 1L));
                    tensors.put(name, shape, values.values());
                }
            }
        }
        tensors.write(folder.resolve(WEIGHTS));
        assertThat(verify()).hasSize(4).allMatch(ComponentVerification.Case::passes);
    }

    /**
     * What transformers 5.6 and newer write of a model without projection, what old ones wrote, and what is in files of
     * both of CLIP's models, of a training or of another network.
     */
    @ParameterizedTest
    @CsvSource({
        "clip-text-sd15, text_model., vision_model., text_projection.weight",
        "clip-vision, vision_model., text_model., text_projection.weight"
    })
    void aClipEncoderIsReadWithAndWithoutPrefixAndWithWhatTheLibrariesIgnore(
            String golden, String prefix, String other, String projection) throws IOException {
        Tensors tensors = copyOf(golden);
        if (golden.equals("clip-vision")) {
            GoldenCheckpoints.edit(folder.resolve("config.json"), "{\"architectures\": [\"CLIPVisionModel\"]}");
        }
        tensors.rename(name -> name.startsWith(prefix) ? name.substring(prefix.length()) : name);
        assertThat(tensors.names()).contains("encoder.layers.0.mlp.fc1.bias");
        tensors.write(folder.resolve(TEXT_WEIGHTS));
        List<ComponentVerification.Case> bare = verify();
        assertThat(bare).isNotEmpty().allMatch(ComponentVerification.Case::passes);

        Map<String, ElementType> more = new LinkedHashMap<>();
        more.put("embeddings.position_ids", ElementType.I64);
        more.put(other + "encoder.layers.0.mlp.fc1.bias", ElementType.F32);
        more.put(projection, ElementType.F16);
        more.put("logit_scale", ElementType.F32);
        more.put("model_ema.decay", ElementType.F32);
        more.put("some.count", ElementType.U8);
        more.put("some.scaled", ElementType.F8_E4M3);
        more.put("some.empty", ElementType.F32);
        for (Map.Entry<String, ElementType> one : more.entrySet()) {
            tensors.put(one.getKey(), one.getValue(), List.of(one.getKey().equals("some.empty") ? 0L : 2L));
        }
        tensors.write(folder.resolve(TEXT_WEIGHTS));
        assertThat(verify())
                .extracting(ComponentVerification.Case::difference)
                .isEqualTo(bare.stream()
                        .map(ComponentVerification.Case::difference)
                        .toList());
        assertThat(Architecture.of(folder).ignored(folder))
                .containsAll(more.keySet().stream()
                        .map(name -> name.startsWith("embeddings.") ? prefix + name : name)
                        .toList());
        assertThat(Architecture.of(folder).weights(folder).keys()).noneMatch(more::containsKey);
    }

    /**
     * The file has the masked case's ids under another name; a whole T5's weights hold the embeddings twice, and a
     * decoder.
     */
    @ParameterizedTest
    @CsvSource({"shared", "embed_tokens", "both"})
    void aT5EncodesWithPaddingMaskedHoweverItsEmbeddingsAreNamed(String embeddings) throws IOException {
        Tensors tensors = copyOf("t5");
        Tensors.Values shared = tensors.get("shared.weight");
        if (!embeddings.equals("shared")) {
            tensors.put("encoder.embed_tokens.weight", shared.shape(), shared.values());
        }
        if (embeddings.equals("embed_tokens")) {
            tensors.remove("shared.weight");
        }
        tensors.put("decoder.final_layer_norm.weight", List.of(1L), 1).put("lm_head.weight", List.of(1L), 1);
        tensors.write(folder.resolve(TEXT_WEIGHTS));
        Tensors reference = Tensors.of(Golden.folder("t5").resolve(REFERENCE));
        Tensors.Values ids = reference.get("short.input_ids");
        reference.put("masked.input_ids", ids.shape(), ids.values()).write(folder.resolve(REFERENCE));
        assertThat(verify())
                .allMatch(ComponentVerification.Case::passes)
                .extracting(ComponentVerification.Case::name)
                .containsExactly("long", "masked", "short");
    }

    /**
     * The second attention of a block whose output is nothing changes nothing: dual layers anywhere, with and without
     * norm.
     */
    @ParameterizedTest
    @CsvSource({"mmdit-sd3-plain, 1", "mmdit-sd35-medium, 3", "mmdit-sd35-medium, 2"})
    void aTransformerWithDualAttentionInOtherBlocksGivesTheSameWhereThatAddsNothing(String golden, int block)
            throws IOException {
        Tensors tensors = copyOf(golden);
        Path config = folder.resolve("config.json");
        ObjectNode json = (ObjectNode) JSON.readTree(config.toFile());
        ((ArrayNode) json.get("dual_attention_layers")).add(block);
        JSON.writeValue(config.toFile(), json);
        String prefix = "transformer_blocks." + block + ".";
        Tensors.Values attention = tensors.get(prefix + "attn.to_q.weight");
        int width = attention.shape().get(0).intValue();
        for (String layer : List.of("to_q", "to_k", "to_v", "to_out.0")) {
            tensors.put(
                    prefix + "attn2." + layer + ".weight",
                    attention.shape(),
                    layer.equals("to_out.0") ? new float[width * width] : attention.values());
            tensors.put(prefix + "attn2." + layer + ".bias", List.of((long) width), new float[width]);
        }
        for (String norm : List.of("norm_q", "norm_k")) {
            if (tensors.names().contains(prefix + "attn." + norm + ".weight")) {
                Tensors.Values weight = tensors.get(prefix + "attn." + norm + ".weight");
                tensors.put(prefix + "attn2." + norm + ".weight", weight.shape(), weight.values());
            }
        }
        for (String name : List.of(".weight", ".bias")) {
            Tensors.Values modulation = tensors.get(prefix + "norm1.linear" + name);
            List<Long> shape = new ArrayList<>(modulation.shape());
            shape.set(0, 9L * width);
            float[] longer = Arrays.copyOf(modulation.values(), modulation.values().length / 6 * 9);
            Arrays.fill(longer, modulation.values().length, longer.length, 0.3f);
            tensors.put(prefix + "norm1.linear" + name, shape, longer);
        }
        tensors.write(folder.resolve(WEIGHTS));
        assertThat(verify()).hasSize(2).allMatch(ComponentVerification.Case::passes);
    }

    @Test
    void shardedWeightsGiveTheSame() throws IOException {
        Tensors tensors = copyOf("unet-sd15");
        String shard = "diffusion_pytorch_model-0000%d-of-00002.safetensors";
        StringBuilder index = new StringBuilder();
        for (int i = 0; i < 2; i++) {
            Tensors half = tensors.everySecond(i);
            half.write(folder.resolve(shard.formatted(i + 1)));
            for (String name : half.names()) {
                index.append(index.isEmpty() ? "" : ",").append("\"" + name + "\":\"" + shard.formatted(i + 1) + "\"");
            }
        }
        Files.writeString(folder.resolve(WEIGHTS + ".index.json"), "{\"weight_map\": {" + index + "}}");
        assertThat(verify()).hasSize(4).allMatch(ComponentVerification.Case::passes);
    }

    @Test
    void aFileWithSomeOutputsIsCheckedForThose() throws IOException {
        copyOf("vae-sd15").write(folder.resolve(WEIGHTS));
        Tensors all = Tensors.of(Golden.folder("vae-sd15").resolve(REFERENCE));
        Tensors some = new Tensors();
        for (String name : List.of("sq.image", "sq.scaled_mean", "rect.dec.scaled_latent", "rect.dec.image")) {
            some.put(name, all.get(name).shape(), all.get(name).values());
        }
        some.write(folder.resolve(REFERENCE));
        assertThat(verify())
                .allMatch(ComponentVerification.Case::passes)
                .extracting(result -> result.name() + "." + result.output())
                .containsExactly("sq.scaled_mean", "rect.dec.image");
    }

    @Test
    void aFileWithoutACaseIsAnError() throws IOException {
        copyOf("vae-sd15").write(folder.resolve(WEIGHTS));
        new Tensors().put("sq.noise", List.of(1L), 1).write(folder.resolve(REFERENCE));
        assertThatThrownBy(this::verify)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("has no case for AutoencoderKL")
                .hasMessageContaining("sq.noise");
    }

    @Test
    void aCaseWithoutItsInputIsAnErrorThatNamesIt() throws IOException {
        copyOf("unet-sd15").write(folder.resolve(WEIGHTS));
        new Tensors().put("a.out", List.of(1L), 1).write(folder.resolve(REFERENCE));
        assertThatThrownBy(this::verify).hasMessageContaining("has no tensor a.sample");
    }

    private Tensors copyOfVision() throws IOException {
        Files.copy(Golden.folder("clip-vision").resolve("config.json"), folder.resolve("config.json"));
        Files.copy(Golden.folder("clip-vision").resolve(REFERENCE), folder.resolve(REFERENCE));
        return Tensors.of(Golden.folder("clip-vision").resolve("model.safetensors"));
    }

    /** All but the bias of a key's projection, which a softmax takes no notice of. */
    @Test
    void everyWeightOfAnImageEncoderMatters() throws IOException {
        Tensors tensors = copyOfVision();
        for (String name : tensors.names()) {
            float[] values = tensors.get(name).values();
            values[values.length / 2] += 0.5f;
            tensors.write(folder.resolve("model.safetensors"));
            assertThat(verify().stream().allMatch(ComponentVerification.Case::passes))
                    .as(name)
                    .isEqualTo(name.endsWith("k_proj.bias"));
            values[values.length / 2] -= 0.5f;
        }
    }

    @Test
    void everyOutputOfAnImageEncoderIsCompared() throws IOException {
        copyOfVision().write(folder.resolve("model.safetensors"));
        Tensors all = Tensors.of(Golden.folder("clip-vision").resolve(REFERENCE));
        List<String> outputs = List.of(
                "image_embeds",
                "last_hidden_state",
                "pooler_output",
                "hidden_states_0",
                "hidden_states_1",
                "hidden_states_2",
                "hidden_states_3");
        for (String output : outputs) {
            Tensors.Values values = all.get(output);
            values.values()[5] += 1e-3f;
            new Tensors()
                    .put(
                            "a.pixel_values",
                            all.get("pixel_values").shape(),
                            all.get("pixel_values").values())
                    .put("a." + output, values.shape(), values.values())
                    .write(folder.resolve(REFERENCE));
            assertThat(verify()).hasSize(1).allMatch(result -> result.output().equals(output) && !result.passes());
        }
    }
}
