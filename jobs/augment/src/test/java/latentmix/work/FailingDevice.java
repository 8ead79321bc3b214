package latentmix.work;

import ai.djl.engine.EngineException;

/** Failures of a device, put before the calls of networks in this JVM. */
public final class FailingDevice {
    private FailingDevice() {}

    /** A GPU with memory for so many rows a call. */
    public static void hasMemoryFor(int most) {
        MicroBatch.beforeCall = rows -> {
            if (rows > most) {
                throw new EngineException("CUDA out of memory. Tried to allocate " + rows + " rows");
            }
        };
    }

    /** A broken GPU. */
    public static void isBroken() {
        MicroBatch.beforeCall = rows -> {
            throw new EngineException("CUDA error: an illegal memory access was encountered");
        };
    }

    /** A device that works. */
    public static void isMended() {
        MicroBatch.beforeCall = rows -> {};
    }
}
