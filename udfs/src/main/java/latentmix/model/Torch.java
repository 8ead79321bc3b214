package latentmix.model;

import ai.djl.engine.Engine;
import ai.djl.pytorch.engine.PtEngine;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import latentmix.checkpoint.Caches;

/**
 * Starts libtorch the way this project needs it: nothing downloaded, nothing reported, one thread unless more are asked
 * for (two single-threaded tasks waste less than one two-threaded one).
 */
public final class Torch {
    private static final String THREADS = "ai.djl.pytorch.num_threads";

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

    /** Settings for DJL's other libraries too, without libtorch: nothing downloaded, nothing reported. */
    static void configure() {
        // Done when this class is loaded.
    }

    /** Loads the native library unless it is loaded; the first time its files are unpacked. */
    public static void start() {
        Engine.getEngine(PtEngine.ENGINE_NAME);
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
