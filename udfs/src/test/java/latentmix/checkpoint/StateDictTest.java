package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StateDictTest {
    @TempDir
    Path folder;

    private Path write(String file, String name, float value) {
        return new Tensors().put(name, List.of(1L), value).write(folder.resolve(file));
    }

    private float value(String key) {
        try (StateDict dict = StateDict.open(folder)) {
            ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
            dict.read(key, 0, bytes);
            return bytes.getFloat(0);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "diffusion_pytorch_model.safetensors",
        "model.safetensors",
        "diffusion_pytorch_model.fp16.safetensors",
        "model.bf16.safetensors",
        "model.my_variant.safetensors"
    })
    void oneFileIsFoundByItsName(String file) {
        write(file, "w", 5);
        assertThat(value("w")).isEqualTo(5);
        assertThat(StateDict.files(folder)).containsExactly(folder.resolve(file));
    }

    @Test
    void theFileWithoutVariantComesFirstThenFp16ThenBf16() {
        write("model.bf16.safetensors", "w", 3);
        write("model.non_ema.safetensors", "w", 4);
        assertThat(value("w")).isEqualTo(3);
        write("model.fp16.safetensors", "w", 2);
        assertThat(value("w")).isEqualTo(2);
        write("model.safetensors", "w", 1);
        assertThat(value("w")).isEqualTo(1);
    }

    @Test
    void variantsThatNothingPrefersAreRefused() {
        write("model.non_ema.safetensors", "w", 4);
        write("model.other.safetensors", "w", 3);
        assertThatThrownBy(() -> StateDict.open(folder)).hasMessageContaining("[non_ema, other]; keep one");
    }

    @ParameterizedTest
    @CsvSource({
        "model.safetensors.index.json, model-0000%d-of-00002.safetensors",
        "diffusion_pytorch_model.safetensors.index.fp16.json, diffusion_pytorch_model.fp16-0000%d-of-00002.safetensors",
        "diffusion_pytorch_model.fp16.safetensors.index.json, diffusion_pytorch_model-0000%d-of-00002.fp16.safetensors",
    })
    void shardsAreFoundThroughTheirIndex(String index, String shard) throws IOException {
        write(shard.formatted(1), "a", 1);
        write(shard.formatted(2), "b", 2);
        Files.writeString(
                folder.resolve(index),
                "{\"weight_map\": {\"a\": \"%s\", \"b\": \"%s\"}}".formatted(shard.formatted(1), shard.formatted(2)));
        assertThat(value("a")).isEqualTo(1);
        assertThat(value("b")).isEqualTo(2);
        assertThat(StateDict.files(folder)).hasSize(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}} \
                | names the file two.safetensors, which is not there
            {"weight_map": {"a": "one.safetensors", "b": "one.safetensors"}} \
                | lists tensors that none of its files has: b
            {"weight_map": {"a": "../one.safetensors"}} | names the file ../one.safetensors, which is not there
            {"weights": 1} | should have an object weight_map
            {"weight_map": | is not valid JSON
            """)
    void anIndexThatDoesNotFitItsFilesIsRefused(String json, String message) throws IOException {
        write("one.safetensors", "a", 1);
        Files.writeString(folder.resolve("model.safetensors.index.json"), json);
        assertThatThrownBy(() -> StateDict.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aTensorInTwoShardsIsRefused() throws IOException {
        write("one.safetensors", "a", 1);
        write("two.safetensors", "a", 2);
        Files.writeString(
                folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"one.safetensors\", \"b\": \"two.safetensors\"}}");
        assertThatThrownBy(() -> StateDict.open(folder)).hasMessageContaining("The tensor a is in both");
    }

    @Test
    void aPickleOnlyCheckpointIsRefusedUnopened() throws IOException {
        Files.write(folder.resolve("diffusion_pytorch_model.bin"), new byte[] {1});
        assertThatThrownBy(() -> StateDict.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("only as pickle (diffusion_pytorch_model.bin)")
                .hasMessageContaining("safetensors");
    }

    @Test
    void aFolderWithoutWeightsAndNoFolderAtAllAreRefused() {
        assertThatThrownBy(() -> StateDict.open(folder)).hasMessageContaining("has neither");
        assertThatThrownBy(() -> StateDict.open(folder.resolve("absent")))
                .hasMessageContaining("There is no component folder");
    }
}
