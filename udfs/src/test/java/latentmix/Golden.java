package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** Reference tensors of a folder of src/test/resources/golden, by name. */
public final class Golden {
    private static final Path ROOT = Path.of("src/test/resources/golden");

    private final JsonNode header;
    private final ByteBuffer data;

    private Golden(JsonNode header, ByteBuffer data) {
        this.header = header;
        this.data = data;
    }

    public static Path folder(String name) {
        return ROOT.resolve(name);
    }

    public static Golden open(String folder) {
        try {
            ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(folder(folder).resolve("golden.safetensors")))
                    .order(ByteOrder.LITTLE_ENDIAN);
            byte[] header = new byte[Math.toIntExact(file.getLong())];
            file.get(header);
            return new Golden(
                    new ObjectMapper().readTree(new String(header, StandardCharsets.UTF_8)),
                    file.slice().order(ByteOrder.LITTLE_ENDIAN));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The names that match a regular expression. */
    public List<String> names(String regex) {
        return header.properties().stream()
                .map(entry -> entry.getKey())
                .filter(name -> name.matches(regex))
                .sorted()
                .toList();
    }

    public float[] floats(String name) {
        float[] values = new float[bytes(name).remaining() / 4];
        bytes(name).asFloatBuffer().get(values);
        return values;
    }

    /** A float32 or float64 tensor. */
    public double[] doubles(String name) {
        if (header.get(name).get("dtype").textValue().equals("F32")) {
            float[] floats = floats(name);
            return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
        }
        double[] values = new double[bytes(name).remaining() / 8];
        bytes(name).asDoubleBuffer().get(values);
        return values;
    }

    public long[] longs(String name) {
        long[] values = new long[bytes(name).remaining() / 8];
        bytes(name).asLongBuffer().get(values);
        return values;
    }

    public int[] ints(String name) {
        return IntStream.range(0, longs(name).length)
                .map(i -> Math.toIntExact(longs(name)[i]))
                .toArray();
    }

    public Shape shape(String name) {
        return new Shape(StreamSupport.stream(header.get(name).get("shape").spliterator(), false)
                .mapToLong(JsonNode::longValue)
                .toArray());
    }

    /** A float32 tensor as an array. */
    public NDArray array(NDManager manager, String name) {
        return manager.create(floats(name), shape(name));
    }

    /** Asserts the bound for one forward: 1e-5 · max |expected| + 2e-5. */
    public static void assertForward(String what, float[] actual, float[] expected) {
        assertWithin(what, actual, expected, 1e-5 * largest(expected) + 2e-5);
    }

    /** Asserts the bound for a trace of many steps: 2e-4 · max |expected|. */
    public static void assertTrace(String what, float[] actual, float[] expected) {
        assertWithin(what, actual, expected, 2e-4 * largest(expected));
    }

    private static void assertWithin(String what, float[] actual, float[] expected, double bound) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        double difference = IntStream.range(0, expected.length)
                .mapToDouble(i -> Math.abs((double) actual[i] - expected[i]))
                .reduce(0, (a, b) -> a >= b ? a : b); // a NaN stays
        assertThat(difference).as("largest difference of " + what).isLessThanOrEqualTo(bound);
    }

    private static double largest(float[] values) {
        return IntStream.range(0, values.length)
                .mapToDouble(i -> Math.abs(values[i]))
                .max()
                .orElseThrow();
    }

    private ByteBuffer bytes(String name) {
        JsonNode offsets = header.get(name).get("data_offsets");
        return data.slice(
                        offsets.get(0).intValue(),
                        offsets.get(1).intValue() - offsets.get(0).intValue())
                .order(ByteOrder.LITTLE_ENDIAN);
    }
}
