package latentmix.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** The memory that this machine could still give a process, within its container's limit, and what this one has. */
public final class AvailableMemory {
    private static final Path MACHINE = Path.of("/proc/meminfo");
    private static final Path CONTAINER = Path.of("/sys/fs/cgroup");

    private AvailableMemory() {}

    /** The bytes that can still be had; empty where the system does not tell. */
    public static OptionalLong bytes() {
        return bytes(MACHINE, CONTAINER);
    }

    /** The lesser of {@code MemAvailable} in a meminfo file and of what the limit of a cgroup (version 2) leaves. */
    static OptionalLong bytes(Path machine, Path container) {
        LongStream available = field(machine, "MemAvailable:").map(kilobytes -> 1024 * kilobytes);
        LongStream left = field(container.resolve("memory.max"), "")
                .map(most -> most
                        - first(container.resolve("memory.current"), "")
                        + first(container.resolve("memory.stat"), "inactive_file ")); // cache that gives way
        return LongStream.concat(available, left).min();
    }

    /** The bytes that this process holds; empty where the system does not tell. */
    public static OptionalLong resident() {
        return field(Path.of("/proc/self/status"), "VmRSS:")
                .map(kilobytes -> 1024 * kilobytes)
                .findFirst();
    }

    private static long first(Path file, String name) {
        return field(file, name).findFirst().orElse(0);
    }

    /** The number after a name in a file, if both are there. */
    private static LongStream field(Path file, String name) {
        if (!Files.isReadable(file)) {
            return LongStream.empty();
        }
        try (Stream<String> lines = Files.lines(file)) {
            return lines
                    .filter(line -> line.startsWith(name))
                    .map(line -> line.replaceAll("\\D", ""))
                    .filter(digits -> !digits.isEmpty()) // memory.max may say "max"
                    .limit(1)
                    .mapToLong(Long::parseLong)
                    .boxed()
                    .toList()
                    .stream()
                    .mapToLong(Long::longValue);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + file, e);
        }
    }
}
