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
        assertThatThrownBy(() -> StateDict.open(folder))
                .hasMessageContaining("[non_ema, other]; name one in model.variant");
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

    /** As a download of the variant leaves a folder: the plain index is there, and its shards are not. */
    @ParameterizedTest
    @CsvSource({
        "diffusion_pytorch_model.safetensors.index.fp16.json, diffusion_pytorch_model.fp16-0000%d-of-00002.safetensors",
        ", diffusion_pytorch_model.fp16-0000%d-of-00002.safetensors",
        ", diffusion_pytorch_model-0000%d-of-00002.fp16.safetensors",
    })
    void aCompleteSetOfShardsBesideThePlainIndexIsRead(String index, String shard) throws IOException {
        String plain = "diffusion_pytorch_model-0000%d-of-00002.safetensors";
        String weightMap = "{\"weight_map\": {\"a\": \"%s\", \"b\": \"%s\"}}";
        Files.writeString(
                folder.resolve("diffusion_pytorch_model.safetensors.index.json"),
                weightMap.formatted(plain.formatted(1), plain.formatted(2)));
        write(shard.formatted(1), "a", 1);
        assertThatThrownBy(() -> StateDict.open(folder)).hasMessageContaining("names the file " + plain.formatted(1));
        write(shard.formatted(2), "b", 2);
        if (index != null) {
            Files.writeString(folder.resolve(index), weightMap.formatted(shard.formatted(1), shard.formatted(2)));
        }
        assertThat(value("b")).isEqualTo(2);
        write(plain.formatted(1), "a", 3);
        write(plain.formatted(2), "b", 4);
        assertThat(value("b")).isEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource({
        "model.bin, only as pickle (model.bin)",
        "model.ckpt, save_pretrained(folder; safe_serialization=True)",
        "model-Q4_K_M.gguf, only as GGUF (model-Q4_K_M.gguf)"
    })
    void weightsThatAreNotReadAreNamedWithTheRemedy(String file, String message) throws IOException {
        Files.write(folder.resolve(file), new byte[] {1});
        assertThatThrownBy(() -> StateDict.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message.replace(';', ','));
    }

    /** What a clone without LFS, a refused download and a moved cache leave in a file's place. */
    @Test
    void whatStandsInAFilesPlaceIsNamedWithTheRemedy() throws IOException {
        Path file = folder.resolve("model.safetensors");
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 3438167540\n");
        assertThatThrownBy(() -> StateDict.open(folder)).hasMessageContaining(file + " is a pointer of Git LFS");
        Files.writeString(file, "\n<!DOCTYPE html>\n<html><title>404</title></html>");
        assertThatThrownBy(() -> StateDict.open(folder)).hasMessageContaining(file + " is an HTML page");
        Files.delete(file);
        Files.createSymbolicLink(file, Path.of("../../blobs/4d7a"));
        assertThatThrownBy(() -> StateDict.open(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(file + " is a link to ../../blobs/4d7a, which is not there");
        Path index = folder.resolve("model.safetensors.index.json");
        Files.delete(file);
        Files.writeString(index, "version https://git-lfs.github.com/spec/v1\n");
        assertThatThrownBy(() -> StateDict.open(folder)).hasMessageContaining(index + " is a pointer of Git LFS");
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
