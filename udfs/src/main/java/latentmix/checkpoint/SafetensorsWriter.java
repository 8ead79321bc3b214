package latentmix.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import latentmix.codec.LittleEndian;

/**
 * Writes tensors as a safetensors file, in the map's order: equal tensors give equal bytes.
 *
 * <p><a href="https://github.com/huggingface/safetensors#format">The format</a>: the header's length in 8 bytes, the
 * header in JSON padded by spaces to a multiple of 8, the tensors one after the other.
 */
public final class SafetensorsWriter {
    private static final int ALIGNMENT = 8;

    /**
     * A tensor in memory.
     *
     * @param values in row-major order, as many as the shape's product
     */
    public record Values(List<Long> shape, float[] values) {
        public Values {
            shape = List.copyOf(shape);
            long size = shape.stream().reduce(1L, Math::multiplyExact);
            if (size != values.length) {
                throw new IllegalArgumentException(
                        "A tensor of shape " + shape + " has " + size + " values, cannot have: " + values.length);
            }
        }
    }

    private SafetensorsWriter() {}

    /** Publishes the file whole, its numbers rounded to F32, F16 or BF16. */
    public static void write(Path file, ElementType type, Map<String, Values> tensors) throws IOException {
        ObjectNode header = new ObjectMapper().createObjectNode();
        header.putObject("__metadata__").put("format", "pt");
        long end = 0;
        for (Map.Entry<String, Values> entry : tensors.entrySet()) {
            ObjectNode node = header.putObject(entry.getKey()).put("dtype", type.name());
            entry.getValue().shape().forEach(node.putArray("shape")::add);
            long begin = end;
            end += (long) entry.getValue().values().length * type.bytes();
            node.putArray("data_offsets").add(begin).add(end);
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        int padded = (text.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        ByteBuffer head =
                LittleEndian.buffer(Long.BYTES + padded).putLong(padded).put(text);
        while (head.hasRemaining()) {
            head.put((byte) ' ');
        }
        Caches.publish(file.toAbsolutePath(), part -> {
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                write(channel, head.flip());
                for (Values tensor : tensors.values()) {
                    ByteBuffer bytes = LittleEndian.buffer(Math.multiplyExact(tensor.values().length, type.bytes()));
                    type.encode(tensor.values(), tensor.values().length, bytes);
                    write(channel, bytes.position(0));
                }
            }
        });
    }

    private static void write(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
