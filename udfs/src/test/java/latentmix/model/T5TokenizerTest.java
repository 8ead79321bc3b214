package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import latentmix.Golden;
import latentmix.checkpoint.CheckpointException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Against ids of transformers' T5TokenizerFast: golden/tokenizer-t5. */
class T5TokenizerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path GOLDEN = Golden.folder("tokenizer-t5");

    @TestFactory
    List<DynamicTest> everyTextHasTheIdsOfTheReferenceTokenizer() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode golden :
                JSON.readTree(GOLDEN.resolve("golden.json").toFile()).get("cases")) {
            String text = golden.get("text").asText();
            tests.add(DynamicTest.dynamicTest("\"" + text + "\"", () -> {
                try (Tokenizer tokenizer = T5Tokenizer.open(GOLDEN, 32)) {
                    assertThat(tokenizer.encode(text))
                            .isEqualTo(JSON.convertValue(golden.get("input_ids"), long[].class));
                }
            }));
        }
        assertThat(tests).hasSize(15);
        return tests;
    }

    /** Golden's tokenizer.json is what transformers' T5Converter made of its spiece.model. */
    @Test
    void aModelOfSentencePieceAloneIsTheTokenizerJsonThatTheLibraryMakesOfIt(@TempDir Path folder) throws IOException {
        Files.copy(GOLDEN.resolve("spiece.model"), folder.resolve("spiece.model"));
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"extra_ids\": 0}");
        assertThat(JSON.readTree(T5Tokenizer.description(folder).toString()))
                .isEqualTo(JSON.readTree(GOLDEN.resolve("tokenizer.json").toFile()));

        Files.delete(folder.resolve("tokenizer_config.json"));
        try (Tokenizer tokenizer = T5Tokenizer.open(folder, 32)) {
            for (JsonNode golden :
                    JSON.readTree(GOLDEN.resolve("golden.json").toFile()).get("cases")) {
                assertThat(tokenizer.encode(golden.get("text").asText()))
                        .isEqualTo(JSON.convertValue(golden.get("input_ids"), long[].class));
            }
            assertThat(tokenizer.encode("a photo <extra_id_0> of <extra_id_99>")) // the library's 241 and 142
                    .startsWith(4, 24, 241, 11, 142, 1, 0);
            assertThat(tokenizer.vocabSize()).isEqualTo(242);
        }
    }

    @Test
    void aFileThatIsNoModelOfSentencePieceIsRefused(@TempDir Path folder) throws IOException {
        byte[] whole = Files.readAllBytes(GOLDEN.resolve("spiece.model"));
        Path model = folder.resolve("spiece.model");
        for (int length : List.of(0, 1, 5, whole.length / 2)) {
            Files.write(model, Arrays.copyOf(whole, length));
            assertThatThrownBy(() -> T5Tokenizer.open(folder, 256))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith(model.toString())
                    .hasMessageEndingWith("fetch it again");
        }
        Files.writeString(model, "version https://git-lfs.github.com/spec/v1\n");
        assertThatThrownBy(() -> T5Tokenizer.open(folder, 256)).hasMessageContaining("is a pointer of Git LFS");
    }

    @Test
    void aPromptIsPaddedToThePipelinesLengthAndALongOneIsCutBeforeItsEndToken() {
        try (Tokenizer tokenizer = T5Tokenizer.open(GOLDEN, 256)) {
            assertThat(tokenizer.encode("a photo"))
                    .hasSize(256)
                    .startsWith(4, 24, 1, 0)
                    .endsWith(0);
            String prompt = "a photo of a tench ".repeat(60).strip();
            assertThat(tokenizer.length(prompt)).isEqualTo(60 * 6 + 1);
            assertThat(tokenizer.encode(prompt)).hasSize(256).endsWith(4, 24, 11, 1);
            assertThat(tokenizer.kept(prompt)).isEqualTo("a photo of a tench ".repeat(42) + "a photo of");
        }
    }

    @Test
    void whatIsMissingIsNamedWithWhatToDo(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> T5Tokenizer.open(folder, 256)).hasMessageContaining("There is no file");

        Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": {}}");
        assertThatThrownBy(() -> T5Tokenizer.open(folder, 256))
                .hasMessageContaining("must have the special token <pad>, has none");
    }
}
