package latentmix.checkpoint;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.stream.Stream;

/**
 * A folder that is inside the jar and is unpacked into the cache when asked for: the built-in models and their sample
 * images. The cached folder's name carries the hash of its list of checksums, so another version of the jar unpacks
 * beside it.
 */
public enum BuiltIn {
    /** A latent diffusion model in diffusers layout, trained on Fashion-MNIST. */
    FASHION("builtin:fashion", "fashion-ldm"),
    /** An earlier state of that model, trained with one prompt for all images. It shares the autoencoder. */
    FASHION_UNLABELLED("builtin:fashion-unlabelled", "fashion-ldm-unlabelled", FASHION),
    /** A sample of 64 images a class. The model's training never saw them. */
    FASHION_MNIST_SAMPLE("builtin:fashion-mnist-sample", "fashion-mnist-sample"),
    /** A latent diffusion model in colour, trained on emoji, with a classifier of them. */
    EMOJI("builtin:emoji", "emoji-ldm"),
    /** A sample of 32 emoji a class, of six styles. The model's training saw them. */
    EMOJI_SAMPLE("builtin:emoji-sample", "emoji-sample");

    private static final String SCHEME = "builtin:";
    private static final String SUMS = "SHA256SUMS";

    /** What a folder looked like when its sums were last right. */
    private static final ConcurrentMap<Path, String> WHOLE = new ConcurrentHashMap<>();

    private final String location;
    private final String resources;
    private final BuiltIn other;

    BuiltIn(String location, String name) {
        this(location, name, null);
    }

    /** A built-in that takes files which are not its own from another one. */
    BuiltIn(String location, String name, BuiltIn other) {
        this.location = location;
        this.resources = "/latentmix/builtin/" + name + "/";
        this.other = other == null ? this : other;
    }

    /**
     * The location itself, or the local folder where it names a built-in, or the file below it:
     * {@code builtin:name/file}.
     *
     * @throws IllegalArgumentException for a {@code builtin:} that does not exist
     */
    public static String located(String location) {
        if (!isBuiltIn(location)) {
            return location;
        }
        String name = name(location);
        Path folder = named(name)
                .orElseThrow(() -> new IllegalArgumentException("expected one of " + locations() + ", got " + location))
                .folder();
        return (name.equals(location) ? folder : folder.resolve(location.substring(name.length() + 1))).toString();
    }

    /** Whether a location is inside the jar. */
    public static boolean isBuiltIn(String location) {
        return location.startsWith(SCHEME);
    }

    /** Whether {@link #located} accepts this location. It refuses only a built-in that does not exist. */
    public static boolean resolvable(String location) {
        return !isBuiltIn(location) || locations().contains(name(location));
    }

    /** The location of the classifier that comes with a built-in model; none where the location names another one. */
    public static Optional<String> classifier(String location) {
        return named(location).map(builtIn -> builtIn.other.location + "/classifier");
    }

    private static Optional<BuiltIn> named(String location) {
        return Stream.of(values())
                .filter(each -> each.location.equals(location))
                .findFirst();
    }

    private static String name(String location) {
        int slash = location.indexOf('/');
        return slash < 0 ? location : location.substring(0, slash);
    }

    /** The names that {@link #located} knows. */
    public static List<String> locations() {
        return Stream.of(values()).map(builtIn -> builtIn.location).toList();
    }

    /**
     * The local folder with this content, unpacked into {@link Caches#dir()} when it is missing or damaged; safe
     * against other processes doing the same.
     */
    public Path folder() {
        try {
            byte[] sums = resource(SUMS);
            SortedMap<String, String> expected = Fingerprint.sums(sums);
            Path target = Caches.dir()
                    .resolve("builtin")
                    .resolve(Path.of(resources).getFileName() + "-"
                            + sha256(sums).substring(0, 12));
            if (!Files.isDirectory(target) || !look(target).equals(WHOLE.get(target))) {
                if (!intact(target, expected)) {
                    unpack(expected.keySet(), target);
                    if (!intact(target, expected)) {
                        throw new IOException("expected the content of the jar in " + target
                                + ", got other bytes; delete that folder and start again");
                    }
                }
                WHOLE.put(target, look(target));
            }
            return target;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Copies a model's folder to where a built-in one lies in the sources, and {@linkplain #seal seals} it. What else
     * lies there, such as a README, stays.
     */
    public static void pack(Path model, Path folder) throws IOException {
        for (Path file : files(model)) {
            Path copy = folder.resolve(model.relativize(file).toString());
            Files.createDirectories(copy.getParent());
            Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        }
        seal(folder);
    }

    /**
     * Writes the checksums of all files of a folder, as {@code sha256sum} would, by which a built-in one is unpacked.
     */
    public static void seal(Path folder) throws IOException {
        SortedMap<String, String> sums = new TreeMap<>();
        for (Path file : files(folder)) {
            sums.put(folder.relativize(file).toString().replace('\\', '/'), Fingerprint.ofFile(file));
        }
        sums.remove(SUMS);
        Files.writeString(folder.resolve(SUMS), Fingerprint.text(sums));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private void unpack(Iterable<String> names, Path target) throws IOException {
        Caches.publishFolder(target, fresh -> {
            for (String name : names) {
                Path file = fresh.resolve(name);
                Files.createDirectories(file.getParent());
                Files.write(file, resource(name));
            }
        });
    }

    /** The names, sizes and times of a folder's files. */
    private static String look(Path folder) throws IOException {
        StringBuilder look = new StringBuilder();
        for (Path file : files(folder)) {
            look.append(file).append(' ').append(Files.size(file)).append(' ');
            look.append(Files.getLastModifiedTime(file).toInstant()).append('\n');
        }
        return look.toString();
    }

    /** Whether the folder holds exactly these files with these SHA-256 sums. */
    private static boolean intact(Path folder, SortedMap<String, String> expected) throws IOException {
        for (var entry : expected.entrySet()) {
            Path file = folder.resolve(entry.getKey());
            if (!Files.isRegularFile(file) || !Fingerprint.remembered(file).equals(entry.getValue())) {
                return false;
            }
        }
        return files(folder).size() == expected.size();
    }

    private byte[] resource(String name) throws IOException {
        String own = resources + name;
        String found = BuiltIn.class.getResource(own) == null ? other.resources + name : own;
        try (InputStream in = BuiltIn.class.getResourceAsStream(found)) {
            if (in == null) {
                throw new FileNotFoundException("expected " + resources + name + " in the jar; build it again");
            }
            return in.readAllBytes();
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
