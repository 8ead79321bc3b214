package latentmix.checkpoint;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SHA-256 of files' contents, so that the same checkpoint has the same fingerprint wherever it lies.
 *
 * <p>A large file's hash is kept in the cache folder under its path, length and modification time, and a file hashed
 * before is not read again.
 */
public final class Fingerprint {
    private static final Logger LOG = LoggerFactory.getLogger(Fingerprint.class);
    /** The age from which a file's hash is kept. A younger file could change again within the clock's resolution. */
    private static final Duration SETTLED = Duration.ofSeconds(2);

    /** The bytes from which a file's hash is kept. A smaller file is read as quickly as its hash is looked up. */
    private static final int KEPT_FROM = 1 << 16;

    private Fingerprint() {}

    /** A new SHA-256 digest. */
    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("Every Java platform has SHA-256", e);
        }
    }

    /** SHA-256 of a text's UTF-8 bytes, in hex. */
    public static String ofText(String text) {
        return HexFormat.of().formatHex(sha256().digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** SHA-256 of a file's bytes, in hex, always read anew. */
    public static String ofFile(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = sha256();
            byte[] buffer = new byte[1 << 20];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + file, e);
        }
    }

    /** The sums by path in a text of lines as sha256sum writes them: the sum in hexadecimal, two spaces, the path. */
    static SortedMap<String, String> sums(byte[] text) {
        SortedMap<String, String> sums = new TreeMap<>();
        new String(text, StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.matches("[0-9a-f]{64}  .+"))
                .forEach(line -> sums.put(line.substring(66), line.substring(0, 64)));
        return sums;
    }

    /** The text of sums by path. */
    static String text(SortedMap<String, String> sums) {
        return sums.entrySet().stream()
                .map(sum -> sum.getValue() + "  " + sum.getKey() + "\n")
                .collect(Collectors.joining());
    }

    /** SHA-256, in hex, of several files of one folder: of the lines "hash relative path" in the given order. */
    public static String ofFiles(Path folder, List<Path> files) {
        StringBuilder lines = new StringBuilder();
        for (Path file : files) {
            String name = folder.relativize(file).toString().replace('\\', '/');
            lines.append(remembered(file)).append("  ").append(name).append('\n');
        }
        return ofText(lines.toString());
    }

    /** A hash with a checksum of its own. Without it, a flipped bit would give the hash of another checkpoint. */
    private static String checked(String key, String hash) {
        return hash + " " + ofText(key + hash);
    }

    /** SHA-256 of a file's bytes, in hex, not read again where it is kept. */
    static String remembered(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (attributes.size() < KEPT_FROM) {
                return ofFile(file);
            }
            FileTime modified = attributes.lastModifiedTime();
            String key = ofText(file.toRealPath() + "|" + attributes.size() + "|" + modified.toInstant() + "|"
                    + attributes.fileKey());
            Path memo = Caches.dir().resolve("fingerprints").resolve(key + ".sum");
            try {
                String kept = new String(Files.readAllBytes(memo), StandardCharsets.UTF_8);
                String hash = kept.substring(0, Math.min(kept.length(), 64));
                if (kept.equals(checked(key, hash))) {
                    return hash;
                }
                LOG.warn("{} is damaged and is made anew", memo);
            } catch (NoSuchFileException e) {
                LOG.debug("Reading {} for its fingerprint", file);
            }
            String hash = ofFile(file);
            if (modified.toInstant().plus(SETTLED).isBefore(Instant.now())) {
                Caches.publish(memo, part -> Files.writeString(part, checked(key, hash)));
            }
            return hash;
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot fingerprint " + file, e);
        }
    }
}
