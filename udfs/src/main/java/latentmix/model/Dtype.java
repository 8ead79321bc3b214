package latentmix.model;

import ai.djl.Device;
import java.util.Arrays;
import java.util.Locale;
import latentmix.checkpoint.ElementType;

/** The number format that a network's weights and activations have; Inputs and outputs are always float32. */
public enum Dtype {
    FLOAT32(ElementType.F32),
    /**
     * This format takes half the memory. It is fast on GPUs and on CPUs with AVX512-BF16 or AMX, many times slower than
     * FLOAT32 on others.
     */
    BFLOAT16(ElementType.BF16),
    FLOAT16(ElementType.F16);

    private final ElementType elementType;

    Dtype(ElementType elementType) {
        this.elementType = elementType;
    }

    /** Reads float32, bfloat16 or float16. */
    public static Dtype parse(String name) {
        return Arrays.stream(values())
                .filter(dtype -> dtype.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "dtype must be one of " + Arrays.toString(values()) + ", cannot be: " + name));
    }

    /** The type that weights are stored in. */
    public ElementType elementType() {
        return elementType;
    }

    /** Refuses a device that cannot compute in this type to any use. */
    public void requireSupported(Device device) {
        if (this == FLOAT16 && !device.isGpu()) {
            throw new IllegalArgumentException("dtype float16 needs a GPU, cannot be used on: " + device
                    + " (CPUs have no float16 arithmetic: it would be slower than float32 and less"
                    + " exact); choose float32"
                    + " or bfloat16");
        }
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
