package latentmix.torchscript;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Safetensors;
import latentmix.checkpoint.StateDict;
import latentmix.codec.LittleEndian;

/**
 * Copies tensors from a state dict into an archive, rounding to the target type and putting convolution kernels into
 * channels_last order on the way, through buffers of 10 MB in all. A value that is not finite stops it.
 */
final class WeightStream {
    private static final int ELEMENTS = 1 << 19;

    private final StateDict source;
    private final ElementType type;
    private final ByteBuffer in = LittleEndian.direct(8 * ELEMENTS);
    private final ByteBuffer out = LittleEndian.direct(4 * ELEMENTS);
    private final float[] values = new float[ELEMENTS];
    private final float[] permuted = new float[ELEMENTS];

    WeightStream(StateDict source, ElementType type) {
        this.source = source;
        this.type = type;
    }

    /** Writes one tensor's elements in storage order; exactly {@code size · type.bytes()} bytes. */
    void copy(Program.Stored tensor, Archive.Sink sink) throws IOException {
        Safetensors.Tensor from = source.tensor(tensor.key());
        if (from.size() != tensor.size()) {
            throw refused(tensor, "should have the shape " + tensor.shape() + ", but has " + from.shape());
        }
        if (!from.type().isFloating()) {
            throw refused(tensor, "should be of a floating type, but is " + from.type());
        }
        // A kernel is permuted one output channel (I, H, W) at a time, so a block holds whole ones.
        List<Long> shape = tensor.shape();
        int plane = tensor.channelsLast() ? Math.toIntExact(shape.get(2) * shape.get(3)) : 1;
        int unit = tensor.channelsLast() ? Math.toIntExact(shape.get(1) * plane) : 1;
        if (unit > ELEMENTS) {
            throw refused(tensor, "is wider than " + ELEMENTS + " weights an output channel: " + tensor.shape());
        }
        int block = ELEMENTS / unit * unit;
        for (long done = 0; done < tensor.size(); done += block) {
            int count = (int) Math.min(block, tensor.size() - done);
            int width = from.type().bytes();
            source.read(tensor.key(), done * width, in.clear().limit(count * width));
            from.type().decode(in.flip(), values, count);
            check(tensor, done, count);
            if (tensor.channelsLast()) {
                channelsLast(count / unit, unit / plane, plane);
            }
            type.encode(tensor.channelsLast() ? permuted : values, count, out.clear());
            sink.write(out.flip());
        }
    }

    private void check(Program.Stored tensor, long done, int count) {
        float limit = type == ElementType.F16 ? 65520f : Float.POSITIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            if (!(Math.abs(values[i]) < limit)) {
                throw refused(
                        tensor,
                        "has the value " + values[i] + " at position " + (done + i)
                                + (Float.isFinite(values[i])
                                        ? ", too large for float16; choose float32 or bfloat16"
                                        : "; weights must be finite"));
            }
        }
    }

    /** Permutes (O, I, HW) to (O, HW, I). */
    private void channelsLast(int outputs, int inputs, int plane) {
        for (int o = 0; o < outputs; o++) {
            int base = o * inputs * plane;
            for (int i = 0; i < inputs; i++) {
                for (int p = 0; p < plane; p++) {
                    permuted[base + p * inputs + i] = values[base + i * plane + p];
                }
            }
        }
    }

    private CheckpointException refused(Program.Stored tensor, String why) {
        return new CheckpointException("The tensor " + tensor.key() + " in " + source.folder() + " " + why);
    }
}
