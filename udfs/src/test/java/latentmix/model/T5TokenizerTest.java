package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

        Files.copy(GOLDEN.resolve("spiece.model"), folder.resolve("spiece.model"));
        assertThatThrownBy(() -> T5Tokenizer.open(folder, 256))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("should have tokenizer.json, has only spiece.model")
                .hasMessageContaining("save_pretrained");

        Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": {}}");
        assertThatThrownBy(() -> T5Tokenizer.open(folder, 256))
                .hasMessageContaining("must have the special token <pad>, has none");
    }
}
