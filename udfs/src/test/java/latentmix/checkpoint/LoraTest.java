package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.codec.LittleEndian;
import latentmix.model.ComponentVerification;
import latentmix.model.Models;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Against networks that diffusers and PEFT adapted: golden/lora, which loras.py made. */
class LoraTest {
    private static final Path GOLDEN = Golden.folder("lora");
    private static final Configuration CONF = new Configuration();
    private static final String Q = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q";
    private static final String KEY = Q + ".weight";
    private static final int WIDTH = 32;

    @TempDir
    static Path shared;

    private static CheckpointSpec sd15;
    private static CheckpointSpec sd3;

    @TempDir
    Path folder;

    @BeforeAll
    static void checkpoints() throws IOException {
        sd15 = CheckpointSpec.of(GoldenCheckpoints.stableDiffusion15(Files.createDirectory(shared.resolve("sd15")))
                .toString());
        sd3 = CheckpointSpec.of(GoldenCheckpoints.stableDiffusion3(Files.createDirectory(shared.resolve("sd3")))
                .toString());
    }

    private static Lora golden(String name, double scale) {
        return new Lora(GOLDEN.resolve(name + ".safetensors").toString(), scale);
    }

    private static boolean agrees(CheckpointFolder checkpoint, String component, String golden) {
        List<ComponentVerification.Case> cases =
                ComponentVerification.run(checkpoint.component(component), GOLDEN.resolve(golden + ".safetensors"));
        assertThat(cases).hasSize(1);
        return cases.get(0).passes();
    }

    @ParameterizedTest
    @CsvSource({"peft, 0.7, , ", "kohya, 0.7, , ", "processor, 0.7, , ", "two, 0.7, peft, kohya"})
    void theNetworksComputeWhatDiffusersComputesWithTheFilesFused(
            String name, double scale, String first, String second) throws IOException {
        CheckpointFolder plain = sd15.open(CONF);
        CheckpointFolder adapted = sd15.withLoras(
                        first == null
                                ? List.of(golden(name, scale))
                                : List.of(golden(first, scale), golden(second, -0.4)))
                .open(CONF);
        Models.check(adapted);
        assertThat(agrees(adapted, "unet", "unet-" + name)).isTrue();
        assertThat(agrees(adapted, "text_encoder", "text-" + name)).isTrue();
        assertThat(agrees(plain, "unet", "unet-" + name)).as("without it").isFalse();
        assertThat(agrees(plain, "text_encoder", "text-" + name))
                .as("without it")
                .isEqualTo(name.equals("processor"));
        assertThat(agrees(plain, "unet", "unet-none")).isTrue();
        assertThat(agrees(plain, "text_encoder", "text-none")).isTrue();
    }

    /** joint.safetensors has Stable Diffusion 3's original names, in which queries, keys and values are one layer. */
    @ParameterizedTest
    @CsvSource({"transformer, transformer-peft", "joint, transformer-joint"})
    void theTransformerComputesWhatDiffusersComputes(String file, String golden) {
        CheckpointFolder adapted = sd3.withLoras(List.of(golden(file, 0.7))).open(CONF);
        Models.check(adapted);
        assertThat(agrees(adapted, "transformer", golden)).isTrue();
        assertThat(agrees(sd3.open(CONF), "transformer", golden)).isFalse();
    }

    /** A LoRA of one layer, called so. */
    private Path file(String down, String up, Tensors more, long... shapes) {
        float[] a = numbers((int) (shapes[0] * shapes[1]), 1);
        float[] b = numbers((int) (shapes[2] * shapes[3]), 2);
        return more.put(down, List.of(shapes[0], shapes[1]), a)
                .put(up, List.of(shapes[2], shapes[3]), b)
                .write(folder.resolve("lora.safetensors"));
    }

    private static float[] numbers(int count, int seed) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) Math.sin(seed + 1.7 * i);
        }
        return numbers;
    }

    private static float[] weights(CheckpointFolder checkpoint, String component, String key) {
        try (StateDict dict = StateDict.open(checkpoint.component(component))) {
            return dict.floats(key);
        }
    }

    private CheckpointFolder with(Path file) {
        return sd15.withLoras(List.of(new Lora(file.toString(), 0.5))).open(CONF);
    }

    @ParameterizedTest
    @CsvSource({
        "unet.NAME.lora_A.weight, unet.NAME.lora_B.weight",
        "unet.NAME.lora_A.default.weight, unet.NAME.lora_B.default.weight",
        "unet.NAME.lora.down.weight, unet.NAME.lora.up.weight",
        "unet.NAME_lora.down.weight, unet.NAME_lora.up.weight",
        "NAME.lora_down.weight, NAME.lora_up.weight",
        "diffusion_model.NAME.lora_A.weight, diffusion_model.NAME.lora_B.weight",
        "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_down.weight,"
                + " lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight",
        "lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_down.weight,"
                + " lora_unet_middle_block_1_transformer_blocks_0_attn1_to_q.lora_up.weight",
        "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.lora_A.weight,"
                + " model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.lora_B.weight"
    })
    void everyNameOfALayerMeansTheSameProduct(String down, String up) {
        float[] before = weights(sd15.open(CONF), "unet", KEY);
        float[] after = weights(
                with(file(down.replace("NAME", Q), up.replace("NAME", Q), new Tensors(), 2, WIDTH, WIDTH, 2)),
                "unet",
                KEY);
        float[] a = numbers(2 * WIDTH, 1);
        float[] b = numbers(2 * WIDTH, 2);
        for (int row = 0; row < WIDTH; row++) {
            for (int column = 0; column < WIDTH; column++) {
                double product = 0;
                for (int k = 0; k < 2; k++) {
                    product += (double) b[2 * row + k] * a[k * WIDTH + column];
                }
                int at = row * WIDTH + column;
                assertThat(after[at]).isEqualTo((float) (before[at] + 0.5 * product));
            }
        }
    }

    /** transformers 5.6 and newer leave the prefix out, in weights and so in what PEFT calls them. */
    @Test
    void anEncodersLayersAreFoundWithAndWithoutTheirPrefix() throws IOException {
        Path bare = GoldenCheckpoints.stableDiffusion15(Files.createDirectory(folder.resolve("bare")));
        Path weights = bare.resolve("text_encoder/model.safetensors");
        Tensors.of(weights)
                .rename(name -> name.replaceFirst("^text_model\\.", ""))
                .write(weights);
        Path peft = Tensors.of(GOLDEN.resolve("kohya.safetensors"))
                .rename(name -> name.replaceFirst("^lora_te_text_model_", "lora_te_"))
                .write(folder.resolve("short.safetensors"));
        for (Path checkpoint : List.of(bare, Path.of(sd15.location()))) {
            for (Path file : List.of(peft, GOLDEN.resolve("kohya.safetensors"))) {
                CheckpointFolder adapted = CheckpointSpec.of(checkpoint.toString())
                        .withLoras(List.of(new Lora(file.toString(), 0.7)))
                        .open(CONF);
                assertThat(agrees(adapted, "text_encoder", "text-kohya")).isTrue();
            }
        }
    }

    /** diffusers' names, and kohya's of the original code: Stable Diffusion XL's blocks are others. */
    @ParameterizedTest
    @CsvSource({
        "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k,"
                + " lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k",
        "unet.up_blocks.1.attentions.2.transformer_blocks.1.ff.net.2,"
                + " lora_unet_output_blocks_5_1_transformer_blocks_1_ff_net_2",
        "unet.mid_block.attentions.0.proj_in, lora_unet_middle_block_1_proj_in",
        "unet.add_embedding.linear_1, lora_unet_label_emb_0_0",
        "text_encoder.text_model.encoder.layers.0.mlp.fc1, lora_te1_text_model_encoder_layers_0_mlp_fc1",
        "text_encoder_2.text_model.encoder.layers.0.mlp.fc1, lora_te2_text_model_encoder_layers_0_mlp_fc1"
    })
    void theLayersOfStableDiffusionXlAreFoundByEitherName(String dotted, String underscored) throws IOException {
        Path published = GoldenCheckpoints.stableDiffusionXl(Files.createDirectory(folder.resolve("xl")));
        assertAdaptedAlike(CheckpointSpec.of(published.toString()), dotted, underscored);
    }

    @ParameterizedTest
    @CsvSource({
        "text_encoder_2.text_model.encoder.layers.0.mlp.fc1, lora_te2_text_model_encoder_layers_0_mlp_fc1",
        "text_encoder_3.encoder.block.0.layer.0.SelfAttention.q, lora_te3_encoder_block_0_layer_0_SelfAttention_q"
    })
    void theFurtherTextEncodersAreAdaptedAlike(String dotted, String underscored) {
        assertAdaptedAlike(sd3, dotted, underscored);
    }

    private void assertAdaptedAlike(CheckpointSpec spec, String dotted, String underscored) {
        String component = dotted.substring(0, dotted.indexOf('.'));
        String key = dotted.substring(dotted.indexOf('.') + 1) + ".weight";
        float[] before = weights(spec.open(CONF), component, key);
        long rows;
        try (StateDict dict = StateDict.open(Path.of(spec.location(), component))) {
            rows = dict.tensor(key).shape().get(0);
        }
        long width = before.length / rows;
        float[] after = before;
        for (String[] names : new String[][] {
            {dotted + ".lora_A.weight", dotted + ".lora_B.weight"},
            {underscored + ".lora_down.weight", underscored + ".lora_up.weight"}
        }) {
            Path file = file(names[0], names[1], new Tensors(), 1, width, rows, 1);
            float[] adapted = weights(
                    spec.withLoras(List.of(new Lora(file.toString(), 2))).open(CONF), component, key);
            assertThat(adapted[1]).isEqualTo((float) (before[1] + 2.0 * numbers(1, 2)[0] * numbers(2, 1)[1]));
            if (after != before) {
                assertThat(adapted).isEqualTo(after);
            }
            after = adapted;
            if (component.endsWith("_3")) {
                assertThatThrownBy(() -> spec.withLoras(List.of(new Lora(file.toString(), 2)))
                                .withoutT5()
                                .open(CONF))
                        .hasMessageContaining("is of a part that this checkpoint does not have or does not read");
            }
        }
    }

    @Test
    void aTensorIsTheSameInWhateverPiecesItIsRead() {
        CheckpointFolder adapted =
                sd15.withLoras(List.of(golden("peft", 0.7), golden("kohya", 1))).open(CONF);
        try (StateDict dict = StateDict.open(adapted.component("unet"))) {
            for (String key : List.of(
                    "conv_in.weight",
                    "mid_block.attentions.0.proj_in.weight",
                    "down_blocks.0.resnets.1.conv2.weight")) {
                float[] whole = dict.floats(key);
                for (int piece : List.of(1, 7, whole.length - 1)) {
                    for (int from = 0; from < whole.length; from += Math.max(piece, whole.length / 9)) {
                        int count = Math.min(piece, whole.length - from);
                        ByteBuffer bytes = LittleEndian.buffer(count * Float.BYTES);
                        dict.read(key, (long) from * Float.BYTES, bytes);
                        for (int i = 0; i < count; i++) {
                            assertThat(bytes.getFloat(i * Float.BYTES)).isEqualTo(whole[from + i]);
                        }
                    }
                }
            }
        }
    }

    @Test
    void whatIsAddedCountsAndNothingElseDoes() throws IOException {
        CheckpointFolder plain = sd15.open(CONF);
        CheckpointFolder adapted =
                sd15.withLoras(List.of(golden("processor", 0.7))).open(CONF);
        Path moved = Files.copy(GOLDEN.resolve("processor.safetensors"), folder.resolve("moved.safetensors"));
        assertThat(sd15.withLoras(List.of()).open(CONF).path()).isEqualTo(plain.path());
        Set<String> fingerprints = new TreeSet<>(List.of(
                plain.fingerprint(),
                adapted.fingerprint(),
                sd15.withLoras(List.of(golden("processor", 0.8))).open(CONF).fingerprint(),
                sd15.withLoras(List.of(golden("peft", 0.7))).open(CONF).fingerprint()));
        assertThat(fingerprints).hasSize(4);
        Configuration counted = new Configuration();
        counted.set("fs.counted.impl", CountedFileSystem.class.getName());
        for (String place : List.of(moved.toString(), moved.toUri().toString(), "counted://" + moved)) {
            assertThat(sd15.withLoras(List.of(new Lora(place, 0.7)))
                            .open(counted)
                            .fingerprint())
                    .as(place)
                    .isEqualTo(adapted.fingerprint());
        }
        for (String untouched : List.of("text_encoder", "vae")) {
            assertThat(CheckpointFolder.fingerprint(adapted.component(untouched)))
                    .isEqualTo(CheckpointFolder.fingerprint(plain.component(untouched)));
        }
        assertThat(adapted.loras())
                .containsExactly(
                        GOLDEN.resolve("processor.safetensors").toAbsolutePath() + ", scale 0.7, 2 layers of unet");
        assertThat(plain.loras()).isEmpty();
    }

    /** What comes, and what the refusal says. */
    static Stream<List<String>> refusals() {
        String layer = "unet." + Q;
        return Stream.of(
                List.of(
                        layer + ".lora_A.weight 2 32;",
                        "expected both factors of each layer, got " + layer + ".lora_A"),
                List.of(layer + ".alpha 1;", "got none of them; take the file of a LoRA alone"),
                List.of(
                        layer + ".lora_A.weight 2 48;" + layer + ".lora_B.weight 32 2;",
                        "for unet's " + KEY + " of the shape [32, 32] came [32, 2] times [2, 48]; take one that was"),
                List.of(
                        layer + ".lora_A.weight 3 32;" + layer + ".lora_B.weight 32 2;",
                        "of the shape [32, 32] came [32, 2] times [3, 32]"),
                List.of(
                        "unet.conv_in.lora_A.weight 2 4;unet.conv_in.lora_B.weight 16 2;",
                        "for unet's conv_in.weight of the shape [16, 4, 3, 3] came [16, 2] times [2, 4]"),
                List.of(
                        "unet.mid.to_q.lora_A.weight 2 32;unet.mid.to_q.lora_B.weight 32 2;",
                        "got unet.mid.to_q.lora_A.weight, which is called like no layer of this checkpoint; take"),
                List.of(
                        "lora_te2_text_model_a.lora_down.weight 2 32;lora_te2_text_model_a.lora_up.weight 32 2;",
                        "which is of a part that this checkpoint does not have or does not read: it has text_encoder,"
                                + " unet; take a LoRA of the same family"),
                List.of(
                        "transformer.a.lora_A.weight 2 32;transformer.a.lora_B.weight 32 2;",
                        "got transformer.a.lora_A.weight, which is of a part"),
                List.of(
                        "base_model.model.a.lora_A.weight 2 32;base_model.model.a.lora_B.weight 32 2;",
                        "has PEFT's own names, which do not say of which component they are; save it by"),
                List.of(
                        layer + ".lora_A.weight 2 32;" + layer + ".lora_B.weight 32 2;" + layer + ".dora_scale 32;",
                        "got " + layer + ".dora_scale; DoRA is not supported; fuse it with diffusers"),
                List.of(
                        "lora_unet_a.hada_w1_a 2 32;",
                        "got lora_unet_a.hada_w1_a; LyCORIS' LoHa, LoKr and OFT are not"),
                List.of("lora_unet_a.lora_mid.weight 2 2;", "a kernel in three factors is not supported"),
                List.of("lora_unet_a.diff_b 32;", "whole differences and biases are not supported"),
                List.of("emb_params 2 32;", "this is a textual inversion; name it in model.embeddings"),
                List.of(
                        "model.diffusion_model.out.2.weight 2 32;",
                        "this is a whole checkpoint; name it in model.checkpoint"),
                List.of("something 2;", "got something; take the file of a LoRA alone"),
                List.of(
                        layer + ".lora_A.weight 2 32;" + layer + ".lora_B.weight 32 2;" + layer + ".alpha 3;",
                        "expected one number for alpha, got " + layer + ".alpha of the shape [3]"),
                List.of(
                        layer + ".lora_A.weight 2 32;" + layer + ".lora_B.weight 32 2;" + Q + ".lora_A.weight 2 32;" + Q
                                + ".lora_B.weight 32 2;",
                        "for " + KEY + ", which another of its names means too; take a file of one LoRA"),
                List.of(
                        layer + ".lora_A.weight 2 32;" + layer + ".lora_B.weight 32 2;" + layer
                                + ".lora.down.weight 2 32;",
                        "expected a layer once, got " + layer + ".lora.down.weight again under another name"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void whatIsNoLoraOfThisCheckpointIsRefusedByName(List<String> refusal) {
        Tensors tensors = new Tensors();
        for (String tensor : refusal.get(0).replaceFirst(";$", "").split(";", -1)) {
            String[] words = tensor.split(" ", -1);
            List<Long> shape = Stream.of(words).skip(1).map(Long::valueOf).toList();
            long size = shape.stream().reduce(1L, (a, b) -> a * b);
            tensors.put(words[0], shape, numbers((int) size, 3));
        }
        Path file = tensors.write(folder.resolve("bad.safetensors"));
        assertThatThrownBy(() -> with(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("with lora = " + file + ": expected ")
                .hasMessageContaining(refusal.get(1))
                .hasMessageNotContaining("\n");
    }

    @Test
    void filesThatAreNoSafetensorsAreRefusedWithTheRemedy() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty.safetensors"), "");
        Path quantised = new Tensors()
                .put("unet." + Q + ".lora_A.weight", ElementType.I8, List.of(2L, 32L))
                .put("unet." + Q + ".lora_B.weight", ElementType.I8, List.of(32L, 2L))
                .write(folder.resolve("quantised.safetensors"));
        for (List<String> refusal : List.of(
                List.of(empty.toString(), "is truncated"),
                List.of(quantised.toString(), "expected numbers of F32, F16 or BF16, got unet." + Q),
                List.of(folder.resolve("none.safetensors").toString(), "There is no file"),
                List.of("/loras/a.pt", "expected safetensors, got a pickle, which can run code and is never opened"),
                List.of("hf://org/name/a.bin", "expected safetensors, got a pickle"),
                List.of("hf://org/name", "expected a file that ends in .safetensors, got another; name one"),
                List.of(folder.toString(), "expected a file that ends in .safetensors, got another; name one"))) {
            assertThatThrownBy(() ->
                            sd15.withLoras(List.of(new Lora(refusal.get(0), 1))).open(CONF))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith("with lora = " + refusal.get(0) + ": ")
                    .hasMessageContaining(refusal.get(1))
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void oneOfAnotherFamilyIsRefused() {
        assertThatThrownBy(() -> sd15.withLoras(List.of(golden("joint", 1))).open(CONF))
                .hasMessageContaining("is called like no layer of this checkpoint");
        assertThatThrownBy(() -> sd3.withLoras(List.of(golden("peft", 1))).open(CONF))
                .hasMessageContaining("is of a part that this checkpoint does not have")
                .hasMessageContaining("it has text_encoder, text_encoder_2, text_encoder_3, transformer");
        assertThatThrownBy(() -> sd3.withLoras(List.of(golden("kohya", 1))).open(CONF))
                .hasMessageContaining("is called like no layer of this checkpoint");
    }
}
