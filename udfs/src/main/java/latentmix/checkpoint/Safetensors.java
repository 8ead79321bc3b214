package latentmix.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import latentmix.codec.LittleEndian;

/**
 * One safetensors file: the header in memory, the tensors read from the file by offset, so that a file of any size
 * costs no memory.
 *
 * <p>8 bytes of header length N, N bytes of JSON (name to dtype, shape, data_offsets), then the data without gaps: <a
 * href="https://github.com/huggingface/safetensors#format">the format</a>.
 */
public final class Safetensors implements AutoCloseable {
    /** A tensor's place in the file: its bytes are [begin, end). */
    public record Tensor(String name, ElementType type, List<Long> shape, long begin, long end) {
        public Tensor {
            shape = List.copyOf(shape);
        }

        /** The number of elements, the product of the shape. */
        public long size() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }
    }

    private static final String METADATA = "__metadata__";
    private static final long MAX_HEADER = 100L << 20;
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    private final Path path;
    private final FileChannel channel;
    private final Map<String, Tensor> tensors;
    private final Map<String, String> metadata;

    private Safetensors(Path path, FileChannel channel, Header header) {
        this.path = path;
        this.channel = channel;
        this.tensors = Collections.unmodifiableMap(header.tensors());
        this.metadata = header.metadata();
    }

    /** What a file's header says. */
    private record Header(Map<String, Tensor> tensors, Map<String, String> metadata) {}

    /** Writes a tensor's bytes, little-endian and row-major, to the channel. */
    @FunctionalInterface
    public interface Body {
        void write(Tensor tensor, WritableByteChannel out) throws IOException;
    }

    /**
     * Writes a file of tensors in the order given.
     *
     * @param types name to element type, in order
     * @param shapes name to shape
     */
    public static void write(Path path, Map<String, ElementType> types, Map<String, List<Long>> shapes, Body body)
            throws IOException {
        ObjectNode header = JSON.createObjectNode();
        List<Tensor> tensors = new ArrayList<>();
        long end = 0;
        for (Map.Entry<String, ElementType> entry : types.entrySet()) {
            List<Long> shape = shapes.get(entry.getKey());
            long size = shape.stream().reduce((long) entry.getValue().bytes(), Math::multiplyExact);
            Tensor tensor = new Tensor(entry.getKey(), entry.getValue(), shape, end, end + size);
            end = tensor.end();
            tensors.add(tensor);
            ObjectNode node =
                    header.putObject(tensor.name()).put("dtype", tensor.type().name());
            shape.forEach(node.withArray("shape")::add);
            node.putArray("data_offsets").add(tensor.begin()).add(tensor.end());
        }
        byte[] json = JSON.writeValueAsBytes(header);
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            int padded = (json.length + 7) / 8 * 8; // the data begins at a multiple of 8
            ByteBuffer head = LittleEndian.buffer(8 + padded).putLong(padded).put(json);
            while (head.hasRemaining()) {
                head.put((byte) ' ');
            }
            channel.write(head.flip());
            for (Tensor tensor : tensors) {
                body.write(tensor, channel);
                if (channel.position() != 8 + padded + tensor.end()) {
                    throw new IllegalStateException(tensor.name() + " should have " + (tensor.end() - tensor.begin())
                            + " bytes, got " + (channel.position() - 8 - padded - tensor.begin()));
                }
            }
        }
    }

    /** Opens a file and checks its header against its length. */
    public static Safetensors open(Path path) {
        if (!Files.isRegularFile(path)) {
            throw CheckpointFile.missing(path, "There is no file " + path);
        }
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            try {
                return new Safetensors(path, channel, header(path, channel));
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + path, e);
        }
    }

    private static Header header(Path path, FileChannel channel) throws IOException {
        long length = channel.size();
        int head = (int) Math.min(length, CheckpointFile.HEAD);
        CheckpointFile.refusePlaceholder(
                path, fill(channel, 0, LittleEndian.buffer(head), path).array());
        if (length < 8) {
            throw new CheckpointException(
                    path + " is truncated: a safetensors file has at least 8 bytes, this one " + length);
        }
        long headerLength = fill(channel, 0, LittleEndian.buffer(8), path).getLong(0);
        if (headerLength < 2 || headerLength > MAX_HEADER) {
            throw new CheckpointException(path
                    + " is not a safetensors file: its first 8 bytes should be a header length of 2 to "
                    + MAX_HEADER
                    + ", but are "
                    + headerLength);
        }
        if (8 + headerLength > length) {
            throw new CheckpointException(path + " is truncated: its header ends at byte " + (8 + headerLength)
                    + ", the file at " + length + "; fetch it again");
        }
        byte[] bytes =
                fill(channel, 8, LittleEndian.buffer((int) headerLength), path).array();
        JsonNode json;
        try {
            json = JSON.readTree(bytes);
        } catch (JsonProcessingException e) {
            throw new CheckpointException(path + " is not a safetensors file: " + e.getOriginalMessage(), e);
        }
        if (!json.isObject()) {
            throw new CheckpointException(path + " is not a safetensors file: its header is no JSON object");
        }
        long data = 8 + headerLength;
        List<Tensor> tensors = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            if (!entry.getKey().equals(METADATA)) {
                tensors.add(tensor(path, entry.getKey(), entry.getValue(), data));
            }
        }
        Map<String, String> metadata = new TreeMap<>();
        json.path(METADATA)
                .properties()
                .forEach(entry -> metadata.put(entry.getKey(), entry.getValue().asText()));
        tensors.sort(Comparator.comparingLong(Tensor::begin).thenComparingLong(Tensor::end));
        long end = data;
        Map<String, Tensor> byName = new LinkedHashMap<>();
        for (Tensor tensor : tensors) {
            if (tensor.begin() != end) {
                throw new CheckpointException(path + ": the tensor " + tensor.name() + " should begin at byte " + end
                        + ", where the one before it ends, but begins at " + tensor.begin());
            }
            end = tensor.end();
            byName.put(tensor.name(), tensor);
        }
        if (end != length) {
            throw new CheckpointException(path + (end > length ? " is truncated" : " has bytes that no tensor owns")
                    + ": its tensors end at byte " + end + ", the file at " + length + "; fetch it again");
        }
        return new Header(byName, Collections.unmodifiableMap(metadata));
    }

    private static Tensor tensor(Path path, String name, JsonNode node, long data) {
        String dtype = node.path("dtype").asText();
        ElementType type;
        try {
            type = ElementType.valueOf(dtype.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(
                    path + ": the tensor " + name + " has the unsupported type " + dtype
                            + "; take weights of F32, F16 or BF16",
                    e);
        }
        List<Long> shape = new ArrayList<>();
        for (JsonNode extent : node.path("shape")) {
            shape.add(extent.asLong(-1));
        }
        JsonNode offsets = node.path("data_offsets");
        long begin = offsets.path(0).asLong(-1);
        long end = offsets.path(1).asLong(-1);
        if (!node.path("shape").isArray() || shape.stream().anyMatch(n -> n < 0) || begin < 0 || end < begin) {
            throw new CheckpointException(path + ": the header's entry of " + name + " is malformed: " + node);
        }
        Tensor tensor = new Tensor(name, type, shape, data + begin, data + end);
        long expected;
        try {
            expected = Math.multiplyExact(tensor.size(), (long) type.bytes());
        } catch (ArithmeticException e) {
            throw new CheckpointException(path + ": the tensor " + name + " has an impossible shape " + shape, e);
        }
        if (end - begin != expected) {
            throw new CheckpointException(path + ": the tensor " + name + " of shape " + shape + " and type " + type
                    + " should have " + expected + " bytes, but has " + (end - begin));
        }
        return tensor;
    }

    public Path path() {
        return path;
    }

    /** All tensors by name, in file order. */
    public Map<String, Tensor> tensors() {
        return tensors;
    }

    /** The texts that whoever wrote the file put beside its tensors, by name. */
    Map<String, String> metadata() {
        return metadata;
    }

    /** The tensor of this name. */
    public Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException(path + " has no tensor " + name);
        }
        return tensor;
    }

    /** Fills the buffer from its position to its limit with a tensor's bytes from offset on, and flips nothing. */
    public void read(Tensor tensor, long offset, ByteBuffer into) {
        if (offset < 0 || offset + into.remaining() > tensor.end() - tensor.begin()) {
            throw new IndexOutOfBoundsException("Bytes " + offset + " to " + (offset + into.remaining()) + " of "
                    + tensor.name() + ", which has " + (tensor.end() - tensor.begin()));
        }
        try {
            fill(channel, tensor.begin() + offset, into, path);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + tensor.name() + " of " + path, e);
        }
    }

    /** All values of a tensor of a floating type. */
    public float[] floats(String name) {
        Tensor tensor = tensor(name);
        float[] values = new float[Math.toIntExact(tensor.size())];
        tensor.type().decode(bytes(tensor), values, values.length);
        return values;
    }

    /** All values of an I64, I32, U8 or BOOL tensor. */
    public long[] longs(String name) {
        Tensor tensor = tensor(name);
        ByteBuffer bytes = bytes(tensor);
        long[] values = new long[Math.toIntExact(tensor.size())];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (tensor.type()) {
                case I64 -> bytes.getLong(8 * i);
                case I32 -> bytes.getInt(4 * i);
                case I16 -> bytes.getShort(2 * i);
                case I8 -> bytes.get(i);
                case U8, BOOL -> bytes.get(i) & 0xff;
                default ->
                    throw new CheckpointException(
                            path + ": " + name + " should hold integers, but is of type " + tensor.type());
            };
        }
        return values;
    }

    private ByteBuffer bytes(Tensor tensor) {
        ByteBuffer bytes = LittleEndian.buffer(Math.toIntExact(tensor.end() - tensor.begin()));
        read(tensor, 0, bytes);
        return bytes.flip();
    }

    private static ByteBuffer fill(FileChannel channel, long position, ByteBuffer into, Path path) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            int n = channel.read(into, at);
            if (n < 0) {
                throw new CheckpointException(path + " is truncated: it ended at byte " + at + " while it was read");
            }
            at += n;
        }
        return into;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot close " + path, e);
        }
    }
}
