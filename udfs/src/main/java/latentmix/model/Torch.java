package latentmix.model;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDManager;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.LibUtils;
import ai.djl.util.Utils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import latentmix.checkpoint.Caches;

/**
 * Starts libtorch the way this project needs it. Nothing is downloaded or reported, and one thread runs unless more are
 * asked for (two single-threaded tasks waste less than one two-threaded one).
 */
public final class Torch {
    private static final String THREADS = "ai.djl.pytorch.num_threads";

    /** The messages for too little memory, of libtorch, cuBLAS, cuDNN and libtorch's allocator on a CPU. */
    private static final Pattern OUT_OF_MEMORY = Pattern.compile("CUDA out of memory|CUDA error: out of memory|"
            + "CU(BLAS|DNN)_STATUS_ALLOC_FAILED|DefaultCPUAllocator: (can't|not enough)");

    private Torch() {}

    static {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
        System.setProperty("ai.djl.pytorch.graph_optimizer", "false");
        setIfAbsent(THREADS, "1");
        setIfAbsent("ai.djl.pytorch.num_interop_threads", "1");
        if (System.getenv("DJL_CACHE_DIR") == null && !Files.isWritable(Path.of(System.getProperty("user.home")))) {
            setIfAbsent("DJL_CACHE_DIR", Caches.dir().resolve("djl").toString());
        }
    }

    private static void setIfAbsent(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /** Makes the settings for all of DJL's libraries without starting libtorch: nothing is downloaded or reported. */
    static void configure() {
        // Done when this class is loaded.
    }

    /**
     * Loads the native library unless it is loaded; the first time its files are unpacked.
     *
     * @throws IllegalStateException if the build of PyTorch that the environment names does not fit
     */
    public static void start() {
        if (!TorchLibraries.PROBLEMS.isEmpty()) {
            throw new IllegalStateException(String.join("\n", TorchLibraries.PROBLEMS));
        }
        Engine.getEngine(PtEngine.ENGINE_NAME);
    }

    /** The version of libtorch and what it was built for, such as {@code 2.7.1 cpu} or {@code 2.7.1 cu128}. */
    public static String build() {
        start();
        String flavor = Utils.getEnvOrSystemProperty("PYTORCH_FLAVOR");
        return LibUtils.getVersion() + (flavor == null || flavor.isBlank() ? "" : " " + flavor);
    }

    /** The reason why no network can run on this device in this JVM, if there is one. Loads the native library. */
    public static Optional<String> problem(Device device) {
        try {
            start();
        } catch (IllegalStateException e) {
            return Optional.of(e.getMessage());
        }
        try (NDManager manager = NDManager.newBaseManager(device, PtEngine.ENGINE_NAME)) {
            manager.create(1f).toFloatArray();
            return Optional.empty();
        } catch (RuntimeException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            return Optional.of("PyTorch: expected a build that computes on " + device + ", but this one says: " + reason
                    + "; set PYTORCH_LIBRARY_PATH, PYTORCH_VERSION and PYTORCH_FLAVOR to one"
                    + " that fits the machine's driver");
        }
    }

    /** Whether a call of a network failed because its device has too little memory for it. */
    public static boolean isOutOfMemory(Throwable failure) {
        return Stream.iterate(failure, Objects::nonNull, Throwable::getCause).anyMatch(cause -> OUT_OF_MEMORY
                .matcher(String.valueOf(cause.getMessage()))
                .find());
    }

    /** Frees the memory of a GPU that libtorch keeps for later arrays. */
    public static void freeCachedMemory(Device device) {
        if (device.isGpu()) {
            JniUtils.emptyCudaCache();
        }
    }

    /** The number of threads that one operation of one task may use, at least 1: cores over task slots. */
    public static void setThreadsPerTask(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("Threads per task must be at least 1, cannot be: " + threads);
        }
        System.setProperty(THREADS, Integer.toString(threads));
        start();
        if (JniUtils.getNumThreads() != threads) {
            JniUtils.setNumThreads(threads);
        }
    }
}
