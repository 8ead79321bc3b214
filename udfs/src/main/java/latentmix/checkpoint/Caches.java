package latentmix.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * The folder for what can be made again (compiled programs, fingerprints, unpacked built-ins):
 * {@code LATENTMIX_CACHE_DIR}, else {@code ~/.cache/latentmix} where a home folder can be written, else
 * {@code java.io.tmpdir}.
 */
public final class Caches {
    private Caches() {}

    /** The cache folder, made when it is missing. */
    public static Path dir() {
        String configured = System.getenv("LATENTMIX_CACHE_DIR");
        if (configured != null && !configured.isBlank()) {
            return made(Path.of(configured));
        }
        try {
            return made(Path.of(System.getProperty("user.home"), ".cache", "latentmix"));
        } catch (UncheckedIOException homeCannotBeWritten) {
            return made(Path.of(
                    System.getProperty("java.io.tmpdir"), "latentmix-" + System.getProperty("user.name", "unknown")));
        }
    }

    private static Path made(Path folder) {
        try {
            Path absolute = Files.createDirectories(folder).toAbsolutePath();
            if (!Files.isWritable(absolute)) {
                throw new IOException("expected a cache folder that can be written, got " + absolute
                        + "; set LATENTMIX_CACHE_DIR to one");
            }
            return absolute;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes the whole content of a file or of an empty folder. */
    @FunctionalInterface
    public interface Content {
        void write(Path file) throws IOException;
    }

    /** Publishes a file in one step: readers see none, the old one or the whole new one, also after a crash. */
    public static void publish(Path file, Content content) throws IOException {
        Files.createDirectories(file.getParent());
        Path part = Files.createTempFile(file.getParent(), file.getFileName() + ".", ".part");
        try {
            content.write(part);
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /** Publishes a folder in one step in the place of an old one. Where another process is faster, its folder stays. */
    static void publishFolder(Path folder, Content content) throws IOException {
        Files.createDirectories(folder.getParent());
        Path fresh = Files.createTempDirectory(folder.getParent(), folder.getFileName() + ".part");
        try {
            content.write(fresh);
            deleteTree(folder);
            Files.move(fresh, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException anotherProcessWasFaster) {
            if (!Files.isDirectory(folder)) {
                throw anotherProcessWasFaster;
            }
        } finally {
            deleteTree(fresh);
        }
    }

    /** Deletes a folder with what is in it, if it is there. */
    public static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
