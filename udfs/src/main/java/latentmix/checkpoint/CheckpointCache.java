package latentmix.checkpoint;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RemoteIterator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkpoint folders, and programs and checkpoints that are a file alone, of other file systems, such as s3a, copied to
 * this machine's disk once for all its processes, in the folder {@code checkpoints} of {@link Caches#dir}. The folders
 * that are made of checkpoints in one file lie there too.
 *
 * <pre>
 * &lt;key&gt;/         the files of it that are used, or the program, and SHA256SUMS of what was copied
 * &lt;key&gt;.used     locked, shared, by every process that has the copy open; its time is that of the last opening
 * lock           locked by the one process that copies
 * </pre>
 *
 * <p>The key is a hash of the location and of what the store lists there, so that a changed checkpoint is another copy.
 * Whoever opens a copy compares it with its sums, and what is missing or damaged is copied anew. Before something is
 * copied, copies that no process has open go, the least recently used first, until all are within
 * {@code LATENTMIX_CACHE_GB} (10⁹ bytes; 100 without it).
 */
public final class CheckpointCache implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CheckpointCache.class);
    private static final String LIMIT = "LATENTMIX_CACHE_GB";
    private static final long DEFAULT_LIMIT = 100;
    private static final String SUMS = "SHA256SUMS";
    /** Files that are copied alone: programs, and checkpoints in one file. */
    private static final String ALONE = ".*(\\.pt|\\.safetensors)";

    private static CheckpointCache shared;

    private final Path dir;
    private final long limit;
    private final Map<CheckpointSpec, Path> opened = new ConcurrentHashMap<>();
    private final Map<String, FileChannel> inUse = new ConcurrentHashMap<>(); // by key

    /** A cache in this folder of so many bytes. Copies that are open stay, whatever their size. */
    CheckpointCache(Path dir, long limit) {
        this.dir = dir;
        this.limit = limit;
    }

    /** The cache of this process. Copies that it opens stay open. */
    private static synchronized CheckpointCache shared() {
        if (shared == null) {
            shared = new CheckpointCache(Caches.dir().resolve("checkpoints"), bytes(System.getenv(LIMIT)));
        }
        return shared;
    }

    /**
     * The local path of a location: a local path itself, a built-in unpacked, a repository of the Hugging Face hub in
     * its cache, a folder or a program of another file system copied.
     *
     * @throws CheckpointException if neither the hub nor the other file system has it
     */
    public static Path located(String location, Configuration conf) {
        return located(CheckpointSpec.of(location), conf);
    }

    /** The same of a checkpoint of which some components are not read. A checkpoint in one file becomes a folder. */
    public static Path located(CheckpointSpec spec, Configuration conf) {
        Path path = fetched(spec, conf);
        return isSingleFile(path) ? shared().folder(path, spec) : path;
    }

    /** The local path of a checkpoint in one file, if it is one. */
    public static Optional<Path> singleFile(CheckpointSpec spec, Configuration conf) {
        return Optional.of(fetched(spec, conf)).filter(CheckpointCache::isSingleFile);
    }

    private static boolean isSingleFile(Path path) {
        return path.toString().endsWith(SingleFile.ENDING) && Files.isRegularFile(path);
    }

    /** The local path of a location: what lies elsewhere is fetched, and nothing is converted. */
    static Path fetched(CheckpointSpec spec, Configuration conf) {
        String path = BuiltIn.located(spec.location());
        Optional<HubCache.Repository> repository = HubCache.repository(path);
        if (repository.isPresent()) {
            return HubCache.of(System.getenv()).snapshot(repository.get(), spec);
        }
        if (!path.matches("[A-Za-z][A-Za-z0-9+.-]+:/.*")) {
            return Path.of(path);
        }
        return path.startsWith("file:") ? local(path) : shared().copy(spec, conf);
    }

    private static Path local(String location) {
        try {
            return Path.of(URI.create(location));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(
                    "expected file:///path, with what a URI escapes escaped, got " + location
                            + "; write the path alone",
                    e);
        }
    }

    /** The limit in bytes, from a text of whole gigabytes. */
    static long bytes(String gigabytes) {
        if (gigabytes == null || gigabytes.isBlank()) {
            return DEFAULT_LIMIT * 1_000_000_000;
        }
        if (!gigabytes.matches("[1-9]\\d{0,8}")) {
            throw new CheckpointException(LIMIT + ": expected whole gigabytes, at least 1, got " + gigabytes
                    + "; correct it or take it away");
        }
        return Long.parseLong(gigabytes) * 1_000_000_000;
    }

    /** The copy of a folder or program, which no other process evicts before this cache is closed. */
    Path copy(CheckpointSpec spec, Configuration conf) {
        return opened.computeIfAbsent(spec, remote -> {
            try {
                return copying(remote, conf).path();
            } catch (FileNotFoundException e) {
                throw Optional.of(remote.location())
                        .filter(location -> !location.matches(ALONE)) // a program may be a .pt
                        .flatMap(CheckpointFile::refusal)
                        .orElseGet(() -> new CheckpointException(
                                "There is no checkpoint folder and no .pt or .safetensors file " + remote.location()));
            } catch (IOException e) {
                throw new UncheckedIOException("Cannot copy the checkpoint " + remote.location(), e);
            }
        });
    }

    /**
     * The folder in diffusers layout that is made of a checkpoint in one file, which no other process evicts before
     * this cache is closed.
     */
    Path folder(Path file, CheckpointSpec spec) {
        return opened.computeIfAbsent(spec.at(file), same -> {
            try (SingleFile single = SingleFile.open(file, spec)) {
                return new Converting(file, single).open();
            } catch (IOException e) {
                throw new UncheckedIOException("Cannot convert the checkpoint " + file, e);
            }
        });
    }

    /** A folder, or a file alone, on its way into the cache. */
    private abstract class Entry {
        final String key;
        final Path copy;

        Entry(String key) {
            this.key = key;
            this.copy = dir.resolve(key);
        }

        abstract List<String> texts();

        /** The weight files that would be read of the folder, whose texts are there; or the file that is alone. */
        abstract List<String> weights();

        abstract long size(String name);

        /** Publishes a file; returns its sum. */
        abstract String make(String name) throws IOException;

        final Path open() throws IOException {
            Files.createDirectories(dir);
            if (!inUse.containsKey(key)) {
                inUse.put(key, use(key));
            }
            if (!isWhole()) {
                make();
            }
            return copy;
        }

        private boolean isWhole() throws IOException {
            SortedMap<String, String> sums = sums();
            return isIntact(texts(), sums) && isIntact(weights(), sums);
        }

        @SuppressWarnings("try") // the lock is held, not used
        private void make() throws IOException {
            synchronized (CheckpointCache.this) { // a file lock holds between processes alone
                try (FileChannel channel = writable(dir.resolve("lock"));
                        FileLock lock = channel.lock()) {
                    make(texts());
                    List<String> weights = weights();
                    evict(key, weights.stream().mapToLong(this::size).sum());
                    make(weights);
                }
            }
        }

        private SortedMap<String, String> sums() throws IOException {
            Path file = copy.resolve(SUMS);
            return Fingerprint.sums(Files.exists(file) ? Files.readAllBytes(file) : new byte[0]);
        }

        private boolean isIntact(List<String> names, Map<String, String> sums) {
            return names.stream().allMatch(name -> isIntact(name, sums));
        }

        private boolean isIntact(String name, Map<String, String> sums) {
            Path file = copy.resolve(name);
            if (!Files.exists(file)) {
                return false;
            }
            if (Fingerprint.ofFile(file).equals(sums.get(name))) {
                return true;
            }
            LOG.warn("{} is damaged and is copied anew from {}", file, this);
            return false;
        }

        private void make(List<String> names) throws IOException {
            SortedMap<String, String> sums = sums();
            for (String name : names) {
                if (!isIntact(name, sums)) { // else another process made it while this one waited
                    sums.put(name, make(name));
                    Caches.publish(copy.resolve(SUMS), part -> Files.writeString(part, Fingerprint.text(sums)));
                }
            }
        }
    }

    /** A folder or a file of another file system. */
    private final class Copying extends Entry {
        private final CheckpointSpec spec;
        private final FileSystem fs;
        private final Map<String, LocatedFileStatus> listed; // by path below the folder
        private final boolean isAlone;

        /**
         * What is copied of a location.
         *
         * @param listed the files there; a file's own listing is itself, under no name
         */
        Copying(CheckpointSpec spec, FileSystem fs, Map<String, LocatedFileStatus> listed) throws IOException {
            super(Fingerprint.ofText(spec.location() + "\n"
                            + named(spec, listed).entrySet().stream()
                                    .map(file -> file.getKey() + " " + version(file.getValue()) + "\n")
                                    .collect(Collectors.joining()))
                    .substring(0, 32));
            this.spec = spec;
            this.fs = fs;
            this.isAlone = listed.containsKey("");
            this.listed = named(spec, listed);
            if (texts().isEmpty() && !(isAlone && spec.location().matches(ALONE))) {
                throw new FileNotFoundException(spec.location());
            }
        }

        @Override
        List<String> texts() {
            return isAlone
                    ? List.of()
                    : listed.keySet().stream()
                            .filter(name -> name.matches(CheckpointFolder.TEXT))
                            .toList();
        }

        @Override
        List<String> weights() {
            return isAlone ? List.copyOf(listed.keySet()) : CheckpointFolder.weights(copy, listed.keySet(), spec);
        }

        @Override
        long size(String name) {
            return listed.get(name).getLen();
        }

        @Override
        String make(String name) throws IOException {
            LocatedFileStatus from = listed.get(name);
            MessageDigest digest = Fingerprint.sha256();
            Caches.publish(copy.resolve(name), part -> {
                try (var in = new DigestInputStream(fs.open(from.getPath()), digest)) {
                    long length = Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
                    if (length != from.getLen()) {
                        throw new EOFException("expected " + from.getLen() + " bytes of " + from.getPath() + ", got "
                                + length + "; try again");
                    }
                }
            });
            LOG.info("Copied {}, {} bytes", from.getPath(), from.getLen());
            return HexFormat.of().formatHex(digest.digest());
        }

        /** The copied folder, or the file in it that is alone. */
        Path path() throws IOException {
            Path folder = open();
            return isAlone ? folder.resolve(weights().get(0)) : folder;
        }

        @Override
        public String toString() {
            return spec.location();
        }
    }

    private Copying copying(CheckpointSpec spec, Configuration conf) throws IOException {
        var root = new org.apache.hadoop.fs.Path(spec.location());
        FileSystem fs = root.getFileSystem(conf);
        URI uri = fs.makeQualified(root).toUri();
        Map<String, LocatedFileStatus> listed = new TreeMap<>();
        RemoteIterator<LocatedFileStatus> files = fs.listFiles(root, true);
        while (files.hasNext()) {
            LocatedFileStatus file = files.next();
            listed.put(uri.relativize(file.getPath().toUri()).getPath(), file);
        }
        return new Copying(spec, fs, listed);
    }

    /** A file that is alone has its own name. */
    private static Map<String, LocatedFileStatus> named(CheckpointSpec spec, Map<String, LocatedFileStatus> listed) {
        return listed.containsKey("")
                ? Map.of(new org.apache.hadoop.fs.Path(spec.location()).getName(), listed.get(""))
                : listed;
    }

    private static String version(LocatedFileStatus file) {
        return file.getLen() + " "
                + (file instanceof EtagSource store && store.getEtag() != null
                        ? store.getEtag()
                        : file.getModificationTime());
    }

    /** A checkpoint in one file. Its key is a hash of its content and of what is taken of it. */
    private final class Converting extends Entry {
        private final Path file;
        private final SingleFile single;

        Converting(Path file, SingleFile single) {
            super(Fingerprint.ofText(SingleFile.VERSION + " " + Fingerprint.remembered(file) + " "
                            + single.weights().keySet() + " " + single.texts())
                    .substring(0, 32));
            this.file = file;
            this.single = single;
        }

        @Override
        List<String> texts() {
            return List.copyOf(single.texts().keySet());
        }

        @Override
        List<String> weights() {
            return List.copyOf(single.weights().keySet());
        }

        @Override
        long size(String name) {
            return single.weights().get(name);
        }

        @Override
        String make(String name) throws IOException {
            Path made = copy.resolve(name);
            String text = single.texts().get(name);
            Caches.publish(made, part -> {
                if (text != null) {
                    Files.writeString(part, text);
                } else {
                    single.write(name, part);
                    LOG.info("Made {} of {}", made, file);
                }
            });
            return Fingerprint.ofFile(made);
        }

        @Override
        public String toString() {
            return file.toString();
        }
    }

    /** Says that a copy is used now; its lock is held until the channel is closed. */
    @SuppressWarnings("resource") // the cache closes it
    private FileChannel use(String key) throws IOException {
        Path used = used(key);
        FileChannel channel = writable(used);
        Files.setLastModifiedTime(
                used, FileTime.from(Instant.now())); // before: it opens and closes the file, and a lock would go
        channel.lock(0, Long.MAX_VALUE, true);
        return channel;
    }

    /** Makes room for a copy of so many bytes. */
    @SuppressWarnings("try") // the lock is held, not used
    private void evict(String kept, long bytes) throws IOException {
        record Other(String key, long lastUse, long bytes) {}
        List<Other> others = new ArrayList<>();
        try (Stream<Path> folders = Files.list(dir)) {
            for (Path folder : folders.filter(Files::isDirectory).toList()) {
                String key = folder.getFileName().toString();
                if (!key.equals(kept)) {
                    others.add(new Other(key, used(key).toFile().lastModified(), size(folder)));
                }
            }
        }
        others.sort(Comparator.comparingLong(Other::lastUse));
        long total = bytes + others.stream().mapToLong(Other::bytes).sum();
        for (Other other : others) {
            if (total <= limit) {
                return;
            }
            if (inUse.containsKey(other.key())) { // nor may this process open and close that file: its lock would go
                continue;
            }
            try (FileChannel channel = writable(used(other.key()));
                    FileLock lock = channel.tryLock()) {
                if (lock != null) {
                    Caches.deleteTree(dir.resolve(other.key()));
                    total -= other.bytes();
                    LOG.info(
                            "Evicted the checkpoint copy {}, last used {}",
                            other.key(),
                            Instant.ofEpochMilli(other.lastUse()));
                }
            }
        }
        if (total > limit) {
            LOG.warn("The checkpoint copies in use take {} bytes, more than {} allows", total, LIMIT);
        }
    }

    private Path used(String key) {
        return dir.resolve(key + ".used");
    }

    private static long size(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.mapToLong(file -> file.toFile().length()).sum();
        }
    }

    private static FileChannel writable(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Closes the copies that are open, so that others may evict them. */
    @Override
    public void close() throws IOException {
        for (FileChannel channel : inUse.values()) {
            channel.close();
        }
        inUse.clear();
        opened.clear();
    }
}
