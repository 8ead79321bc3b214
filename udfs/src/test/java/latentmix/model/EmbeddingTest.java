package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against prompts that diffusers read with tokens of textual inversion: golden/embedding, which loras.py made. */
class EmbeddingTest {
    private static final Path GOLDEN = Golden.folder("embedding");
    private static final Configuration CONF = new Configuration();
    private static final CheckpointSpec FASHION =
            CheckpointSpec.of(Golden.folder("fashion-ldm").toString());
    private static final List<Embedding> ADDED = List.of(golden("house"), golden("blob"));

    /** Those of loras.py, in its order. */
    private static final List<String> PROMPTS = List.of(
            "<house>",
            "a photo of a <house>",
            "a sneaker like <blob>",
            "<blob> and <house>, <blob>",
            "A <HOUSE> bag",
            "trouser<house>trouser",
            "the second of <blob>_1",
            "a dress in the style of <blob> beside a bag and a sandal, <house>");

    @TempDir
    Path folder;

    private static Embedding golden(String name) {
        return new Embedding(GOLDEN.resolve(name + ".safetensors").toString(), "<" + name + ">");
    }

    @Test
    void promptsHaveTheIdsAndEmbeddingsThatDiffusersGivesThem() {
        Golden golden = Golden.open("embedding");
        assertThat(golden.names(".*\\.ids")).hasSize(PROMPTS.size());
        CheckpointFolder checkpoint = FASHION.withEmbeddings(ADDED).open(CONF);
        Models.check(checkpoint);
        try (Tokenizer tokenizer = Models.tokenizers(checkpoint).get(0);
                TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32)) {
            for (int i = 0; i < PROMPTS.size(); i++) {
                assertThat(tokenizer.encode(PROMPTS.get(i))).as(PROMPTS.get(i)).isEqualTo(golden.longs(i + ".ids"));
                Golden.assertForward(
                        PROMPTS.get(i), encoder.encode(PROMPTS.get(i)).values(), golden.floats(i + ".embeds"));
            }
        }
        assertThat(checkpoint.tokens())
                .containsExactly("<house>, 1 vectors, in tokenizer", "<blob>, 3 vectors, in tokenizer");
        assertThat(checkpoint.fingerprint())
                .isNotEqualTo(FASHION.open(CONF).fingerprint())
                .isNotEqualTo(FASHION.withEmbeddings(List.of(ADDED.get(1), ADDED.get(0)))
                        .open(CONF)
                        .fingerprint());
    }

    @Test
    void aPromptsLengthCountsEveryVectorAndItIsCutBehindWhatIsKept() {
        CheckpointFolder checkpoint = FASHION.withEmbeddings(ADDED).open(CONF);
        try (Tokenizer tokenizer = Models.tokenizers(checkpoint).get(0)) {
            assertThat(tokenizer.length("<blob>")).isEqualTo(5);
            assertThat(tokenizer.length("<blob> <blob>_2 <house>")).isEqualTo(7);
            String five = "<blob> <blob> <blob> <blob> <blob>";
            assertThat(tokenizer.length(five)).isEqualTo(17);
            assertThat(tokenizer.kept(five)).isEqualTo(five);
            assertThat(tokenizer.kept(five + " <house>")).isEqualTo(five);
            assertThat(tokenizer.kept("<blob> <house>")).isEqualTo("<blob> <house>");
        }
    }

    /** The vectors are the rows of words there are, so the prompts with those words are the reference. */
    @Test
    void theTwoEncodersOfStableDiffusion3EachGetTheirOwnVectorsAndPoolTheEndTokenAsEver() throws IOException {
        Path sd3 = GoldenCheckpoints.stableDiffusion3(Files.createDirectory(folder.resolve("sd3")));
        assertEachItsOwn(CheckpointSpec.of(sd3.toString()).withoutT5(), sd3);
    }

    @Test
    void theTwoEncodersOfStableDiffusionXlEachGetTheirOwnVectors() throws IOException {
        Path xl = GoldenCheckpoints.stableDiffusionXl(Files.createDirectory(folder.resolve("xl")));
        assertEachItsOwn(CheckpointSpec.of(xl.toString()), xl);
    }

    private void assertEachItsOwn(CheckpointSpec spec, Path published) throws IOException {
        Tensors pair = new Tensors();
        for (String[] part : new String[][] {{"text_encoder", "clip_l"}, {"text_encoder_2", "clip_g"}}) {
            Tensors.Values table = Tensors.of(published.resolve(part[0] + "/model.safetensors"))
                    .get("text_model.embeddings.token_embedding.weight");
            int width = Math.toIntExact(table.shape().get(1));
            float[] rows = new float[2 * width];
            System.arraycopy(table.values(), 17 * width, rows, 0, width);
            System.arraycopy(table.values(), 200 * width, rows, width, width);
            pair.put(part[1], List.of(2L, (long) width), rows);
        }
        Path file = pair.write(folder.resolve("pair.safetensors"));
        CheckpointFolder checkpoint = spec.withEmbeddings(List.of(new Embedding(file.toString(), "<two>")))
                .open(CONF);
        Models.check(checkpoint);
        try (TextEncoder encoder = Models.textEncoder(checkpoint, Device.cpu(), Dtype.FLOAT32);
                TextEncoder plain = Models.textEncoder(spec.open(CONF), Device.cpu(), Dtype.FLOAT32)) {
            TextEncoder.Embeds expected = plain.encode("w5 w17 w200 w9");
            TextEncoder.Embeds actual = encoder.encode("w5 <two> w9");
            Golden.assertForward("embeds", actual.values(), expected.values());
            Golden.assertForward("pooled", actual.pooled(), expected.pooled());
        }
        assertThatThrownBy(() -> spec.withEmbeddings(ADDED).open(CONF))
                .hasMessageContaining(
                        "expected clip_l and clip_g for this checkpoint's two CLIP encoders, got <house>" + " alone");
        assertThatThrownBy(() -> FASHION.withEmbeddings(List.of(new Embedding(file.toString(), "<two>")))
                        .open(CONF))
                .hasMessageStartingWith("with embedding = " + file + ": expected vectors for one text encoder, got"
                        + " clip_l and clip_g for two, as Stable Diffusion XL has them; take");
    }

    @ParameterizedTest
    @CsvSource({
        "'<x> 1 32',       'expected vectors of text_encoder''s width, 64, got <x> of the shape [1, 32]'",
        "'<x> 2 3 64',     'got <x> of the shape [2, 3, 64]'",
        "'a 64;b 64',      'expected one tensor of vectors'",
        "'unet.a.lora_A.weight 2 64;unet.a.lora_B.weight 64 2', 'name a LoRA in model.loras'"
    })
    void whatIsNoEmbeddingOfThisCheckpointIsRefusedByName(String given, String refusal) {
        Tensors tensors = new Tensors();
        for (String tensor : given.split(";", -1)) {
            String[] words = tensor.split(" ", -1);
            List<Long> shape = Arrays.stream(words).skip(1).map(Long::valueOf).toList();
            tensors.put(
                    words[0],
                    shape,
                    new float[(int) shape.stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b)]);
        }
        Path file = tensors.write(folder.resolve("bad.safetensors"));
        assertThatThrownBy(() -> FASHION.withEmbeddings(List.of(new Embedding(file.toString(), "<x>")))
                        .open(CONF))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("with embedding = " + file + ": expected ")
                .hasMessageContaining(refusal)
                .hasMessageNotContaining("\n");
    }

    @Test
    void aPickleIsRefusedWithTheWayToConvertIt() {
        assertThatThrownBy(() -> FASHION.withEmbeddings(List.of(new Embedding("/e/style.pt", "<x>")))
                        .open(CONF))
                .hasMessageStartingWith("with embedding = /e/style.pt: expected safetensors, got a pickle")
                .hasMessageContaining("safetensors.torch.save_file(")
                .hasMessageContaining("as emb_params");
    }

    @ParameterizedTest
    @CsvSource({"sneaker", "Sneaker", "a", "<|endoftext|>"})
    void aTokenThatTheVocabularyHasIsRefused(String token) {
        Embedding taken = new Embedding(ADDED.get(0).location(), token);
        CheckpointFolder checkpoint = FASHION.withEmbeddings(List.of(taken)).open(CONF);
        assertThatThrownBy(() -> Models.check(checkpoint))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith("with embedding's token = " + token + ": expected one that the vocabulary of ")
                .hasMessageContaining("got one that it has; choose another, such as <" + token + ">")
                .hasMessageNotContaining("\n");
    }

    @Test
    void twoEmbeddingsOfOneTokenAreRefused() {
        assertThatThrownBy(() -> FASHION.withEmbeddings(
                                List.of(ADDED.get(0), new Embedding(ADDED.get(1).location(), "<house>")))
                        .open(CONF))
                .hasMessageContaining("expected a token of its own, got <house>, which another embedding has");
    }

    @Test
    void theEmbeddingsRowsFollowTheTable() {
        CheckpointFolder checkpoint = FASHION.withEmbeddings(ADDED).open(CONF);
        assertThat(checkpoint.config("text_encoder").path("vocab_size").asInt()).isEqualTo(94);
        long[] ids;
        try (Tokenizer tokenizer = Models.tokenizers(checkpoint).get(0)) {
            ids = tokenizer.encode("<blob>");
            assertThat(tokenizer.vocabSize()).isEqualTo(94);
        }
        assertThat(Arrays.copyOf(ids, 5)).containsExactly(88, 91, 92, 93, 89);
        assertThat(IntStream.range(5, 16).allMatch(i -> ids[i] == 89)).isTrue();
    }
}
