package latentmix.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import latentmix.architecture.Architecture;
import latentmix.checkpoint.Caches;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Fingerprint;
import latentmix.checkpoint.StateDict;
import latentmix.torchscript.Archive;
import latentmix.torchscript.Program;
import latentmix.torchscript.ScriptModule;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cache of compiled programs: one archive for each program text and weights, in the folder {@code programs} of
 * {@link Caches#dir}.
 *
 * <p>The name is a hash of everything that goes into the archive and of its form, so that a changed checkpoint, type or
 * compiler makes another file. A file is published whole, its sum is checked at every opening, and a file lock keeps
 * two processes from compiling the same program at once.
 */
public final class CompiledPrograms {
    private static final Logger LOG = LoggerFactory.getLogger(CompiledPrograms.class);
    /** A file lock holds between processes; these hold between the threads of this one. */
    private static final ConcurrentMap<Path, Object> MONITORS = new ConcurrentHashMap<>();

    private CompiledPrograms() {}

    /** The archive of one module of a component with its weights in the given type: from the cache, or compiled now. */
    public static Path of(Path component, Architecture architecture, ScriptModule module, ElementType type) {
        Program program = new Program(module, type);
        String key = Fingerprint.ofText(Archive.FORM
                + CheckpointFolder.fingerprint(component)
                + HexFormat.of().formatHex(program.code())
                + HexFormat.of().formatHex(program.objects()));
        Path file = Caches.dir().resolve("programs").resolve(key + ".pt");
        synchronized (MONITORS.computeIfAbsent(file, path -> new Object())) {
            try {
                if (!isUsable(file)) {
                    compile(file, component, architecture, program);
                }
                return file;
            } catch (IOException e) {
                throw new UncheckedIOException("Cannot compile " + component + " to " + file, e);
            }
        }
    }

    private static boolean isUsable(Path file) throws IOException {
        if (!Files.exists(file)) {
            return false;
        }
        if (Archive.isIntact(file)) {
            return true;
        }
        LOG.warn("The compiled program {} is damaged and is compiled anew", file);
        return false;
    }

    @SuppressWarnings("try") // the lock is held, not used
    private static void compile(Path file, Path component, Architecture architecture, Program program)
            throws IOException {
        Files.createDirectories(file.getParent());
        Path lockFile = file.resolveSibling(file.getFileName() + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            if (isUsable(file)) { // another process made it while this one waited
                return;
            }
            long start = System.nanoTime();
            try (StateDict weights = architecture.weights(component)) {
                Caches.publish(file, part -> Archive.write(part, program, weights));
            }
            LOG.info(
                    "Compiled {} in {}: {} MB, {} ms",
                    component,
                    program.type(),
                    Files.size(file) >> 20,
                    (System.nanoTime() - start) / 1_000_000);
        }
    }
}
