package latentmix.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import latentmix.model.ClipTokenizer;
import latentmix.model.Tokenizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BytePairTrainingTest {
    private static final List<String> PROMPTS =
            List.of("a photo of a T-shirt", "a photo of a trouser", "a photo of an ankle boot");

    @Test
    void everyWordOfThePromptsIsOneTokenOfClipsTokenizer(@TempDir Path folder) throws IOException {
        BytePairTraining trained = BytePairTraining.of(PROMPTS);
        Files.writeString(folder.resolve("vocab.json"), new ObjectMapper().writeValueAsString(trained.vocabulary()));
        Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", trained.merges()) + "\n");
        Files.writeString(folder.resolve("tokenizer_config.json"), "{\"model_max_length\": 12}");
        try (Tokenizer tokenizer = ClipTokenizer.open(folder)) {
            assertThat(tokenizer.vocabSize()).isEqualTo(trained.vocabulary().size());
            assertThat(Arrays.stream(tokenizer.encode("A photo of a t-shirt")).boxed())
                    .startsWith(
                            id(trained, "<|startoftext|>"),
                            id(trained, "a</w>"),
                            id(trained, "photo</w>"),
                            id(trained, "of</w>"),
                            id(trained, "a</w>"),
                            id(trained, "t</w>"),
                            id(trained, "-</w>"),
                            id(trained, "shirt</w>"),
                            id(trained, "<|endoftext|>"));
            assertThat(tokenizer.length("a photo of an ankle boot")).isEqualTo(8);
            assertThat(tokenizer.length("zebra")).as("spelled").isGreaterThan(3);
        }
    }

    private static long id(BytePairTraining trained, String token) {
        return trained.vocabulary().get(token);
    }

    @Test
    void theOrderOfThePromptsMakesNoDifferenceToTheMerges() {
        List<String> turned = new ArrayList<>(PROMPTS);
        Collections.reverse(turned);
        assertThat(BytePairTraining.of(turned).merges())
                .isEqualTo(BytePairTraining.of(PROMPTS).merges());
    }

    @Test
    void lettersOutsideAsciiAreRefused() {
        assertThatThrownBy(() -> BytePairTraining.of(List.of("ein Stück")))
                .hasMessage("expected prompts in ASCII, got: stück; name the class otherwise");
    }
}
