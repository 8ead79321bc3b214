package latentmix;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Safetensors;
import latentmix.codec.LittleEndian;

/** Reference tensors of a folder of src/test/resources/golden, by name. */
public final class Golden {
    /** Seen from each module's folder, where its tests run. */
    private static final Path ROOT = Repository.file("udfs/src/test/resources/golden");

    private final Safetensors file;

    private Golden(Safetensors file) {
        this.file = file;
    }

    public static Path folder(String name) {
        return ROOT.resolve(name);
    }

    /** A folder's golden.safetensors, open as long as the tests run. */
    public static Golden open(String folder) {
        return new Golden(Safetensors.open(folder(folder).resolve("golden.safetensors")));
    }

    /** The names that match a regular expression. */
    public List<String> names(String regex) {
        return file.tensors().keySet().stream()
                .filter(name -> name.matches(regex))
                .sorted()
                .toList();
    }

    public float[] floats(String name) {
        return file.floats(name);
    }

    /** A float32 or float64 tensor. */
    public double[] doubles(String name) {
        Safetensors.Tensor tensor = file.tensor(name);
        if (tensor.type() != ElementType.F64) {
            float[] floats = floats(name);
            return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
        }
        double[] values = new double[Math.toIntExact(tensor.size())];
        ByteBuffer bytes = LittleEndian.buffer(8 * values.length);
        file.read(tensor, 0, bytes);
        bytes.flip().asDoubleBuffer().get(values);
        return values;
    }

    /** The bytes of a uint8 tensor. */
    public byte[] uint8(String name) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(file.tensor(name).size()));
        file.read(file.tensor(name), 0, bytes);
        return bytes.array();
    }

    public long[] longs(String name) {
        return file.longs(name);
    }

    public int[] ints(String name) {
        return LongStream.of(longs(name)).mapToInt(Math::toIntExact).toArray();
    }

    public Shape shape(String name) {
        return new Shape(
                file.tensor(name).shape().stream().mapToLong(Long::longValue).toArray());
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
}
