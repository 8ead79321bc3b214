package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import latentmix.Golden;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against ids of transformers' CLIPTokenizerFast: golden/tokenizer-clip. */
class ClipTokenizerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path GOLDEN = Golden.folder("tokenizer-clip");

    @TestFactory
    List<DynamicTest> everyTextHasTheIdsOfTheReferenceTokenizer() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode golden :
                JSON.readTree(GOLDEN.resolve("golden.json").toFile()).get("cases")) {
            String text = golden.get("text").asText();
            tests.add(DynamicTest.dynamicTest("\"" + text + "\"", () -> {
                try (Tokenizer tokenizer = ClipTokenizer.open(GOLDEN)) {
                    assertThat(tokenizer.encode(text))
                            .isEqualTo(JSON.convertValue(golden.get("input_ids"), long[].class));
                }
            }));
        }
        assertThat(tests).hasSize(20);
        return tests;
    }

    /**
     * The tokenizer.json is what transformers 5.24 saves of the golden vocabulary, by
     * {@code CLIPTokenizerFast.from_pretrained(…).save_pretrained(…)}. Either serves alone, and a length of 1e30 means
     * none.
     */
    @ParameterizedTest
    @CsvSource({
        "tokenizer-clip-json, ",
        "tokenizer-clip-json, 1000000000000000019884624838656",
        "tokenizer-clip, ",
        "tokenizer-clip, 1e30",
        "tokenizer-clip, null",
    })
    void aTokenizerJsonOrAVocabularyServesAloneAndGivesTheSameIds(String golden, String length, @TempDir Path folder)
            throws IOException {
        for (String name : List.of("tokenizer.json", "vocab.json", "merges.txt")) {
            Path file = Golden.folder(golden).resolve(name);
            if (Files.exists(file)) {
                Files.copy(file, folder.resolve(name));
            }
        }
        if (length != null) {
            Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\": " + length + "}");
        }
        try (Tokenizer tokenizer = ClipTokenizer.open(folder)) {
            for (JsonNode expected :
                    JSON.readTree(GOLDEN.resolve("golden.json").toFile()).get("cases")) {
                assertThat(tokenizer.encode(expected.get("text").asText()))
                        .isEqualTo(JSON.convertValue(expected.get("input_ids"), long[].class));
            }
        }
    }

    @Test
    void withoutALengthAPromptIsAsLongAsItsEncoderTakesAndNoLonger(@TempDir Path folder) throws IOException {
        for (String name : List.of("vocab.json", "merges.txt")) {
            Files.copy(Golden.folder("tokenizer-clip").resolve(name), folder.resolve(name));
        }
        for (int positions : List.of(16, 77, 248)) {
            try (Tokenizer tokenizer = ClipTokenizer.open(folder, positions, Map.of())) {
                assertThat(tokenizer.maxLength()).isEqualTo(Math.min(77, positions));
                assertThat(tokenizer.encode("a fox")).hasSize(Math.min(77, positions));
            }
        }
    }

    @Test
    void aPointerOfGitLfsInAVocabularysPlaceIsNamed(@TempDir Path folder) throws IOException {
        copyGolden(folder);
        Files.writeString(folder.resolve("merges.txt"), "version https://git-lfs.github.com/spec/v1\n");
        assertThatThrownBy(() -> ClipTokenizer.open(folder))
                .hasMessageContaining(folder.resolve("merges.txt") + " is a pointer of Git LFS");
    }

    @Test
    void theBuiltInModelsPromptsHaveTheIdsItWasTrainedOn() {
        Golden golden = Golden.open("fashion-ldm");
        List<String> names = List.of(
                "t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot");

        try (Tokenizer tokenizer =
                ClipTokenizer.open(Golden.folder("fashion-ldm").resolve("tokenizer"))) {
            long[] ids = names.stream()
                    .flatMapToLong(name -> Arrays.stream(tokenizer.encode("a photo of a " + name)))
                    .toArray();
            assertThat(ids).isEqualTo(golden.longs("prompt_ids"));
            assertThat(tokenizer.encode("")).isEqualTo(Arrays.copyOf(golden.longs("uncond_ids"), 16));
        }
    }

    @Test
    void aLongPromptIsCutBeforeItsEndTokenAndItsWholeLengthIsKnown() {
        try (Tokenizer tokenizer = ClipTokenizer.open(GOLDEN)) {
            String prompt = "a photo of a tench ".repeat(20);

            assertThat(tokenizer.length(prompt)).isEqualTo(2 + 20 * 5);
            assertThat(tokenizer.maxLength()).isEqualTo(77);
            assertThat(tokenizer.encode(prompt))
                    .hasSize(77)
                    .startsWith(688, 320)
                    .endsWith(689);
            assertThat(tokenizer.length("")).isEqualTo(2);
        }
    }

    @Test
    void whatIsKeptOfALongPromptIsTheTextOfItsTokens() {
        try (Tokenizer tokenizer = ClipTokenizer.open(GOLDEN)) {
            String words = "A  caf\u00e9 \ud83d\ude00 ".repeat(30).strip();
            String kept = tokenizer.kept(words);
            assertThat(words).startsWith(kept);
            assertThat(tokenizer.length(words)).isGreaterThan(77);
            assertThat(tokenizer.encode(kept)).isEqualTo(tokenizer.encode(words));
            assertThat(tokenizer.kept("a caf\u00e9")).isEqualTo("a caf\u00e9");
        }
    }

    @Test
    void anExactlyFullPromptIsNeitherCutNorPadded() {
        try (Tokenizer tokenizer = ClipTokenizer.open(GOLDEN)) {
            long[] ids = tokenizer.encode("a ".repeat(75));

            assertThat(Arrays.stream(ids).filter(id -> id == 320)).hasSize(75);
            assertThat(ids[76]).isEqualTo(689);
        }
    }

    @Test
    void theSpecialTokensMapDecidesThePaddingOfAnOlderConfig(@TempDir Path folder) throws IOException {
        copyGolden(folder);
        Files.writeString(
                folder.resolve("special_tokens_map.json"),
                """
                {"bos_token": {"content": "<|startoftext|>", "normalized": true}, "pad_token": "!"}""");

        try (Tokenizer tokenizer = ClipTokenizer.open(folder)) {
            assertThat(tokenizer.encode("a photo"))
                    .startsWith(688, 320, 521, 689, 0, 0)
                    .endsWith(0);
        }
    }

    @Test
    void aNewerConfigDecidesItsPaddingItself(@TempDir Path folder) throws IOException {
        copyGolden(folder);
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"pad_token\": \"<|endoftext|>\"}");
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                """
                {"added_tokens_decoder": {
                   "0": {"content": "!", "special": true},
                   "688": {"content": "<|startoftext|>", "normalized": true, "special": true},
                   "689": {"content": "<|endoftext|>", "special": true},
                   "690": {"content": "<tench>", "special": false}},
                 "pad_token": "!", "model_max_length": 8}""");

        try (Tokenizer tokenizer = ClipTokenizer.open(folder)) {
            assertThat(tokenizer.encode("a photo of a<tench>")).containsExactly(688, 320, 521, 516, 320, 690, 689, 0);
        }
    }

    @Test
    void anExistingTokenizerJsonIsUsed(@TempDir Path folder) throws IOException {
        Files.copy(GOLDEN.resolve("tokenizer_config.json"), folder.resolve("tokenizer_config.json"));
        Files.writeString(
                folder.resolve("tokenizer.json"),
                """
                {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"},
                 "truncation": {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0},
                 "padding": {"strategy": {"Fixed": 5}, "direction": "Left",
                  "pad_id": 1, "pad_type_id": 0, "pad_token": "a"},
                 "model": {"type": "WordLevel", "vocab": {"a": 1, "photo": 2, "<|endoftext|>": 3},
                  "unk_token": "a"}}""");

        try (Tokenizer tokenizer = ClipTokenizer.open(folder)) {
            assertThat(tokenizer.encode("a photo")).hasSize(77).startsWith(1, 2, 3);
            assertThat(tokenizer.length("a photo")).isEqualTo(2);
        }
    }

    @Test
    void whatIsMissingIsNamed(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> ClipTokenizer.open(folder)).hasMessageContaining("vocab.json");

        copyGolden(folder);
        Files.writeString(folder.resolve("vocab.json"), "{\"a\": 0}");
        assertThatThrownBy(() -> ClipTokenizer.open(folder))
                .hasMessageContaining("must have the special token <|startoftext|>");

        Files.writeString(folder.resolve("vocab.json"), "{\"a\": ");
        assertThatThrownBy(() -> ClipTokenizer.open(folder)).hasMessageContaining("vocab.json is not valid JSON");

        Files.copy(GOLDEN.resolve("vocab.json"), folder.resolve("vocab.json"), StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\nqq zz\n");
        assertThatThrownBy(() -> ClipTokenizer.open(folder))
                .hasMessageContaining("The tokenizer of " + folder + " cannot be loaded");

        Files.delete(folder.resolve("merges.txt"));
        assertThatThrownBy(() -> ClipTokenizer.open(folder)).hasMessageContaining("There is no file");

        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\": 1}");
        assertThatThrownBy(() -> ClipTokenizer.open(folder))
                .hasMessageContaining("model_max_length must be a whole number of at least 2, cannot be: 1");
    }

    private static void copyGolden(Path folder) throws IOException {
        for (File file : GOLDEN.toFile().listFiles()) {
            Files.copy(file.toPath(), folder.resolve(file.getName()));
        }
    }
}
