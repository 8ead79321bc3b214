package latentmix.torchscript;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.ElementType;

/**
 * A module tree as TorchScript: the source text of its classes, the pickle of its objects, and the list of tensors that
 * the pickle refers to.
 *
 * <p>The text is what <a href="https://github.com/pytorch/pytorch/blob/v2.7.1/torch/csrc/jit/docs/serialization.md">the
 * serialization format</a> calls {@code code/}: a class per distinct structure, its members declared, its methods in
 * the subset of Python that the importer parses.
 */
public final class Program {
    /**
     * A tensor of the archive.
     *
     * @param key its name in the state dict
     * @param strides row-major, or channels_last for convolution kernels wider than 1
     */
    public record Stored(String key, List<Long> shape, List<Long> strides) {
        /** The number of elements, the product of the shape. */
        public long size() {
            return shape.stream().reduce(1L, Math::multiplyExact);
        }

        /** Whether the elements lie in the order O, H, W, I instead of O, I, H, W. */
        public boolean channelsLast() {
            return !strides.equals(rowMajor(shape));
        }
    }

    /** The order of a kernel's elements in memory. */
    public enum Layout {
        /** The order O, H, W, I where a kernel is wider than 1. It is the faster one for running. */
        CHANNELS_LAST,
        /**
         * The order O, I, H, W. It is the faster one for training, where the gradient of group norms is slow in
         * channels_last.
         */
        ROW_MAJOR
    }

    private final ElementType type;
    private final Layout layout;
    private final Map<String, String> classOfText = new HashMap<>();
    private final IdentityHashMap<ScriptModule, String> classOf = new IdentityHashMap<>();
    private final Map<String, String> classes = new LinkedHashMap<>();
    private final List<Stored> tensors = new ArrayList<>();
    private final byte[] objects;

    /** The program of a module whose weights are stored as the given floating type, for running. */
    public Program(ScriptModule root, ElementType type) {
        this(root, type, Layout.CHANNELS_LAST);
    }

    /** The program of a module whose weights are stored as the given floating type. */
    public Program(ScriptModule root, ElementType type, Layout layout) {
        this.type = type;
        this.layout = layout;
        declare(root);
        Pickle pickle = new Pickle();
        pickle(root, "", pickle);
        objects = pickle.stop();
    }

    /** The type that the weights are stored in. */
    public ElementType type() {
        return type;
    }

    /** The tensors in the order of their storage keys 0, 1, … */
    public List<Stored> tensors() {
        return List.copyOf(tensors);
    }

    /** The text of {@code code/__torch__.py}. */
    public byte[] code() {
        return String.join("", classes.values()).getBytes(StandardCharsets.UTF_8);
    }

    /** The bytes of {@code data.pkl}. */
    public byte[] objects() {
        return objects.clone();
    }

    /** The class of a module; modules of equal text share one, others of the same type get a number appended. */
    private String declare(ScriptModule module) {
        StringBuilder body = new StringBuilder();
        body.append("  __parameters__ = [");
        module.parameters()
                .keySet()
                .forEach(name -> body.append('"').append(name).append("\", "));
        body.append("]\n  __buffers__ = []\n  training : bool\n");
        module.parameters()
                .keySet()
                .forEach(name -> body.append("  ").append(name).append(" : Tensor\n"));
        module.children().forEach((name, child) -> {
            String type = "__torch__." + declare(child);
            boolean numeric = Character.isDigit(name.charAt(0));
            body.append(numeric ? "  __annotations__[\"" + name + "\"] = " : "  " + name + " : ")
                    .append(type)
                    .append('\n');
        });
        module.methods().lines().forEach(line -> body.append("  ").append(line).append('\n'));
        String name = classOfText.computeIfAbsent(module.type() + "\n" + body, text -> {
            String unique = module.type();
            for (int i = 1; classes.containsKey(unique); i++) {
                unique = module.type() + "_" + i;
            }
            classes.put(unique, "class " + unique + "(Module):\n" + body);
            return unique;
        });
        classOf.put(module, name);
        return name;
    }

    private void pickle(ScriptModule module, String prefix, Pickle pickle) {
        pickle.global("__torch__", classOf.get(module)).emptyTuple().newObject();
        pickle.emptyDict().mark();
        pickle.string("training").bool(false);
        module.parameters().forEach((name, shape) -> {
            Stored stored = new Stored(prefix + name, shape, strides(shape));
            pickle.string(name);
            pickle(stored, tensors.size(), pickle);
            tensors.add(stored);
        });
        module.children().forEach((name, child) -> {
            pickle.string(name);
            pickle(child, prefix + name + ".", pickle);
        });
        pickle.setItems().build();
    }

    private void pickle(Stored tensor, int storage, Pickle pickle) {
        pickle.global("torch._utils", "_rebuild_tensor_v2").mark();
        pickle.mark().string("storage").global("torch", storageClass());
        pickle.string(Integer.toString(storage)).string("cpu").integer(tensor.size());
        pickle.tuple().persistentId();
        pickle.integer(0);
        for (List<Long> integers : List.of(tensor.shape(), tensor.strides())) {
            pickle.mark();
            integers.forEach(pickle::integer);
            pickle.tuple();
        }
        pickle.bool(false); // frozen: no gradient
        pickle.global("collections", "OrderedDict").emptyTuple().reduce();
        pickle.tuple().reduce();
    }

    private String storageClass() {
        return switch (type) {
            case F32 -> "FloatStorage";
            case F16 -> "HalfStorage";
            case BF16 -> "BFloat16Storage";
            default -> throw new IllegalArgumentException("Weights are stored as F32, F16 or BF16, cannot be: " + type);
        };
    }

    private List<Long> strides(List<Long> shape) {
        boolean kernel = layout == Layout.CHANNELS_LAST && shape.size() == 4 && shape.get(2) * shape.get(3) > 1;
        if (!kernel) {
            return rowMajor(shape);
        }
        long in = shape.get(1);
        long width = shape.get(3);
        return List.of(shape.get(2) * width * in, 1L, width * in, in);
    }

    private static List<Long> rowMajor(List<Long> shape) {
        Long[] strides = new Long[shape.size()];
        long stride = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape.get(i);
        }
        return List.of(strides);
    }
}
