package latentmix.checkpoint;

import java.nio.ByteBuffer;

/**
 * The element types of a safetensors file, named as its header names them.
 *
 * <p><a href="https://github.com/huggingface/safetensors#format">The format</a> stores them little-endian.
 */
public enum ElementType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U64(8),
    U32(4),
    U16(2),
    U8(1),
    F8_E4M3(1),
    F8_E5M2(1),
    F8_E8M0(1),
    BOOL(1);

    private final int bytes;

    ElementType(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether weights may have this type. */
    public boolean isFloating() {
        return this == F64 || this == F32 || this == F16 || this == BF16;
    }

    /** Reads count elements of a floating type from the buffer's position on (F64 is rounded to float). */
    public void decode(ByteBuffer in, float[] out, int count) {
        int p = in.position();
        switch (this) {
            case F32 -> in.asFloatBuffer().get(out, 0, count);
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = (float) in.getDouble(p + 8 * i);
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = halfToFloat(in.getShort(p + 2 * i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.intBitsToFloat(in.getShort(p + 2 * i) << 16);
                }
            }
            default ->
                throw new IllegalArgumentException("Numbers of F64, F32, F16 or BF16 are expected, got: " + this);
        }
        in.position(p + count * bytes);
    }

    /** Writes count values, rounded to nearest even, at the buffer's position: F32, F16 or BF16. */
    public void encode(float[] in, int count, ByteBuffer out) {
        int p = out.position();
        switch (this) {
            case F32 -> out.asFloatBuffer().put(in, 0, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out.putShort(p + 2 * i, floatToHalf(in[i]));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out.putShort(p + 2 * i, floatToBfloat16(in[i]));
                }
            }
            default -> throw new IllegalArgumentException("Weights are stored as F32, F16 or BF16, cannot be: " + this);
        }
        out.position(p + count * bytes);
    }

    /** The value of 16 bits of IEEE 754 binary16. */
    static float halfToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int magnitude = half & 0x7fff;
        if (magnitude >= 0x7c00) { // infinity, NaN
            return Float.intBitsToFloat(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
        }
        // Shifted into place the exponent's bias is 15 instead of 127: 2^112 makes up for it, subnormals included.
        float value = Float.intBitsToFloat(magnitude << 13) * 0x1p112f;
        return Float.intBitsToFloat(sign | Float.floatToRawIntBits(value));
    }

    /** The nearest binary16 (ties to even); beyond 65504 infinity. */
    static short floatToHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int sign = (bits >>> 16) & 0x8000;
        float magnitude = Math.abs(value);
        if (Float.isNaN(value)) {
            return (short) (sign | 0x7e00);
        }
        if (magnitude >= 65520f) {
            return (short) (sign | 0x7c00);
        }
        if (magnitude < 0x1p-14f) { // subnormal: units of 2^-24, rounded by the float adder
            return (short) (sign | (Float.floatToRawIntBits(magnitude + 0.5f) - Float.floatToRawIntBits(0.5f)));
        }
        int rebased = (bits & 0x7fffffff) - (112 << 23);
        return (short) (sign | ((rebased + 0xfff + ((rebased >>> 13) & 1)) >>> 13));
    }

    /** The nearest bfloat16 (ties to even). */
    static short floatToBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }
}
