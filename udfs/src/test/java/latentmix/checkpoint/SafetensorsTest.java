package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    private Path file(String header, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        return Files.write(
                folder.resolve("t.safetensors"),
                bytes.putLong(json.length).put(json).array());
    }

    @Test
    void whatIsWrittenIsReadBack() {
        Tensors tensors =
                new Tensors().put("a", List.of(2L, 3L), 1, 2, 3, 4, 5, 6).put("scalar", List.of(), 7);
        try (Safetensors read = Safetensors.open(tensors.write(folder.resolve("t.safetensors")))) {
            assertThat(read.tensors()).containsOnlyKeys("a", "scalar");
            assertThat(read.tensor("a").shape()).containsExactly(2L, 3L);
            assertThat(read.floats("a")).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(read.tensor("scalar").size()).isOne();
            assertThat(read.floats("scalar")).containsExactly(7);
        }
    }

    @Test
    void metadataIsNoTensorAndIntegersAreRead() throws IOException {
        String header =
                """
                {"__metadata__":{"format":"pt"},"i":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},
                 "u":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}}""";
        Path path = file(header, 10);
        byte[] bytes = Files.readAllBytes(path);
        bytes[bytes.length - 10] = (byte) 0xfe;
        bytes[bytes.length - 9] = 1;
        bytes[bytes.length - 1] = (byte) 200;
        Files.write(path, bytes);
        try (Safetensors read = Safetensors.open(path)) {
            assertThat(read.longs("i")).containsExactly(0x1fe);
            assertThat(read.longs("u")).containsExactly(0, 200);
            assertThatThrownBy(() -> read.floats("i")).hasMessageContaining("I64");
        }
    }

    @Test
    void tensorsBeyondTwoGibibytesAreRead() throws IOException {
        long far = 3L << 30;
        Path path = file(
                """
                {"hole":{"dtype":"U8","shape":[%1$d],"data_offsets":[0,%1$d]},
                 "far":{"dtype":"F32","shape":[1],"data_offsets":[%1$d,%2$d]}}"""
                        .formatted(far, far + 4),
                0);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) { // sparse: takes no room
            ByteBuffer value =
                    ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(42.5f);
            channel.write(value.flip(), Files.size(path) + far);
        }
        try (Safetensors read = Safetensors.open(path)) {
            assertThat(read.floats("far")).containsExactly(42.5f);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | 7 \
                | is truncated: its tensors end at byte 70, the file at 69
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} | 9 | has bytes that no tensor owns
            {"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}} | 8 \
                | a of shape [3] and type F32 should have 12 bytes, but has 8
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}} | 8 | a should begin at byte
            {"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}} | 8 | entry of a is malformed
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}} | 8 | entry of a is malformed
            {"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}} | 0 | a has an impossible shape
            {"a":{"dtype":"F4","shape":[8],"data_offsets":[0,8]}} | 8 | a has the unsupported type F4
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}} \
                | 8 \
                | Duplicate field 'a'
            {"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}} \
                | 6 \
                | b should begin at byte
            {"a" | 0 | is not a safetensors file
            [1] | 0 | is no JSON object
            """)
    void aMalformedFileIsRefusedWithTheReason(String header, int dataBytes, String message) throws IOException {
        Path path = file(header, dataBytes);
        assertThatThrownBy(() -> Safetensors.open(path))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(path.toString())
                .hasMessageContaining(message);
    }

    @Test
    void aFileThatEndsInItsHeaderIsTruncated() throws IOException {
        Path path = folder.resolve("t.safetensors");
        for (byte[] bytes : new byte[][] {{}, {1, 2, 3}, {100, 0, 0, 0, 0, 0, 0, 0, '{'}}) {
            Files.write(path, bytes);
            assertThatThrownBy(() -> Safetensors.open(path)).hasMessageContaining("is truncated");
        }
        Files.write(path, "PK\3\4 no safetensors at all".getBytes(StandardCharsets.US_ASCII));
        assertThatThrownBy(() -> Safetensors.open(path)).hasMessageContaining("is not a safetensors file");
    }

    @Test
    void aReadBeyondATensorsEndIsAnError() {
        Tensors tensors = new Tensors().put("a", List.of(2L), 1, 2).put("b", List.of(2L), 3, 4);
        try (Safetensors read = Safetensors.open(tensors.write(folder.resolve("t.safetensors")))) {
            assertThatThrownBy(() -> read.read(read.tensor("a"), 4, ByteBuffer.allocate(8)))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }
}
