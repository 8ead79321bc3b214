package latentmix.codec;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Numbers as little-endian bytes, as tables and checkpoints hold them; a float takes the 4 bytes of <a
 * href="https://doi.org/10.1109/IEEESTD.2019.8766229">IEEE 754</a> binary32.
 */
public final class LittleEndian {
    private LittleEndian() {}

    /** A buffer on the heap for so many bytes. */
    public static ByteBuffer buffer(int capacity) {
        return ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A buffer outside the heap, which channels read and write without a copy. */
    public static ByteBuffer direct(int capacity) {
        return ByteBuffer.allocateDirect(capacity).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A view of these bytes. */
    public static ByteBuffer wrap(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** All values as float32. */
    public static byte[] bytes(float[] values) {
        return bytes(values, 0, values.length);
    }

    /** The values offset … offset + count - 1 as float32. */
    public static byte[] bytes(float[] values, int offset, int count) {
        byte[] bytes = new byte[Math.multiplyExact(count, Float.BYTES)];
        wrap(bytes).asFloatBuffer().put(values, offset, count);
        return bytes;
    }

    /** All values, rounded to float32. */
    public static byte[] bytes(double[] values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, Float.BYTES)];
        var floats = wrap(bytes).asFloatBuffer();
        for (double value : values) {
            floats.put((float) value);
        }
        return bytes;
    }

    /** The float32 values that these bytes hold. */
    public static float[] floats(byte[] bytes) {
        float[] values = new float[bytes.length / Float.BYTES];
        wrap(bytes).asFloatBuffer().get(values);
        return values;
    }

    /**
     * Reads float32 values into a part of an array.
     *
     * @param count values to read, from the first on
     */
    public static void floats(byte[] bytes, float[] into, int offset, int count) {
        wrap(bytes).asFloatBuffer().get(into, offset, count);
    }

    /** The float32 values that these bytes hold, in double precision. */
    public static double[] doubles(byte[] bytes) {
        var floats = wrap(bytes).asFloatBuffer();
        double[] values = new double[floats.remaining()];
        for (int i = 0; i < values.length; i++) {
            values[i] = floats.get(i);
        }
        return values;
    }
}
