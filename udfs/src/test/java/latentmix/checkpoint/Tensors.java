package latentmix.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;

/** Tensors in memory that a test changes and writes as a safetensors file. */
public final class Tensors {
    /** One tensor of floats, to be written as the given type. */
    public record Values(ElementType type, List<Long> shape, float[] values) {}

    private final Map<String, Values> tensors = new LinkedHashMap<>();

    /** All tensors of a file, integers as floats. */
    public static Tensors of(Path file) {
        Tensors tensors = new Tensors();
        try (Safetensors source = Safetensors.open(file)) {
            source.tensors()
                    .forEach((name, tensor) -> tensors.put(
                            name,
                            tensor.shape(),
                            tensor.type().isFloating() ? source.floats(name) : floats(source.longs(name))));
        }
        return tensors;
    }

    public Tensors put(String name, List<Long> shape, float... values) {
        tensors.put(name, new Values(ElementType.F32, shape, values));
        return this;
    }

    /** Puts a tensor of any type, whose bytes are 0. */
    public Tensors put(String name, ElementType type, List<Long> shape) {
        tensors.put(name, new Values(type, shape, new float[0]));
        return this;
    }

    public Values get(String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    public Tensors remove(String name) {
        if (tensors.remove(name) == null) {
            throw new IllegalArgumentException("No tensor " + name);
        }
        return this;
    }

    /** Changes every tensor's name. */
    public Tensors rename(UnaryOperator<String> name) {
        Map<String, Values> renamed = new LinkedHashMap<>();
        tensors.forEach((key, values) -> renamed.put(name.apply(key), values));
        tensors.clear();
        tensors.putAll(renamed);
        return this;
    }

    /** The tensors whose names, in order, are at the even or odd places. */
    public Tensors everySecond(int first) {
        Tensors half = new Tensors();
        int i = 0;
        for (Map.Entry<String, Values> entry : tensors.entrySet()) {
            if (i++ % 2 == first) {
                half.tensors.put(entry.getKey(), entry.getValue());
            }
        }
        return half;
    }

    /** All tensors in another type. */
    public Tensors as(ElementType type) {
        tensors.replaceAll((name, values) -> new Values(type, values.shape(), values.values()));
        return this;
    }

    public List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    public Path write(Path file) {
        Map<String, ElementType> types = new LinkedHashMap<>();
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        tensors.forEach((name, values) -> {
            types.put(name, values.type());
            shapes.put(name, values.shape());
        });
        try {
            Safetensors.write(file, types, shapes, (tensor, out) -> {
                float[] values = get(tensor.name()).values();
                if (values.length == 0) {
                    out.write(ByteBuffer.allocate(
                            (int) tensor.size() * tensor.type().bytes()));
                    return;
                }
                ByteBuffer bytes = ByteBuffer.allocate(
                                values.length * tensor.type().bytes())
                        .order(ByteOrder.LITTLE_ENDIAN);
                if (tensor.type() == ElementType.F64) {
                    bytes.asDoubleBuffer().put(doubles(values));
                    out.write(bytes);
                } else {
                    tensor.type().encode(values, values.length, bytes);
                    out.write(bytes.flip());
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return file;
    }

    private static float[] floats(long[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = values[i];
        }
        return floats;
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }
}
