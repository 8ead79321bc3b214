package latentmix.work;

import ai.djl.Device;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import latentmix.model.Torch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A micro-batch's way through a network: whole, or in halves where the device's memory does not suffice. Its rows then
 * differ from those of the whole micro-batch by rounding alone, and say so.
 */
final class MicroBatch {
    private static final Logger LOG = LoggerFactory.getLogger(MicroBatch.class);

    /** Called with the rows of every call, before it: tests put a device's failures here. */
    static volatile IntConsumer beforeCall = rows -> {};

    private MicroBatch() {}

    /**
     * What a network makes of the rows {@code from} to {@code to} of a micro-batch that was halved so often to get
     * there.
     */
    @FunctionalInterface
    interface Call<B> {
        B on(int from, int to, int halvings);
    }

    /**
     * The results in the rows' order: one, or those of the parts.
     *
     * @throws IllegalStateException if the device's memory does not suffice for one row
     */
    static <B> List<B> run(int rows, Device device, Call<B> call) {
        return run(0, rows, 0, device, call);
    }

    private static <B> List<B> run(int from, int to, int halvings, Device device, Call<B> call) {
        int rows = to - from;
        try {
            beforeCall.accept(rows);
            return List.of(call.on(from, to, halvings));
        } catch (RuntimeException e) {
            if (!Torch.isOutOfMemory(e)) {
                throw e;
            }
            if (rows == 1) {
                throw new IllegalStateException(
                        "Expected memory on " + device
                                + " for one row at a time, got none; run fewer tasks on it (--gpus), or"
                                + " use a smaller model.size or a dtype of 16 bits",
                        e);
            }
            LOG.warn("{} has no memory for {} rows, halving: {}", device, rows, e.getMessage());
        }
        Torch.freeCachedMemory(device);
        int middle = from + (rows + 1) / 2;
        return Stream.concat(
                        run(from, middle, halvings + 1, device, call).stream(),
                        run(middle, to, halvings + 1, device, call).stream())
                .toList();
    }
}
