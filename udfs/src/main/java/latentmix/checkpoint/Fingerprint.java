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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * SHA-256 of files' contents, so that the same checkpoint has the same fingerprint wherever it lies.
 *
 * <p>A file's hash is kept in the cache folder under its path, length and modification time, and a file hashed before
 * is not read again.
 */
public final class Fingerprint {
    private static final Logger LOG = LoggerFactory.getLogger(Fingerprint.class);
    /** A younger file could change again within the clock's resolution: its hash is not kept. */
    private static final Duration SETTLED = Duration.ofSeconds(2);

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

    /** SHA-256, in hex, of several files of one folder: of the lines "hash  relative path" in the given order. */
    public static String ofFiles(Path folder, List<Path> files) {
        StringBuilder lines = new StringBuilder();
        for (Path file : files) {
            String name = folder.relativize(file).toString().replace('\\', '/');
            lines.append(remembered(file)).append("  ").append(name).append('\n');
        }
        return ofText(lines.toString());
    }

    private static String remembered(Path file) {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            FileTime modified = attributes.lastModifiedTime();
            String key = ofText(file.toRealPath() + "|" + attributes.size() + "|" + modified.toInstant() + "|"
                    + attributes.fileKey());
            Path memo = Caches.dir().resolve("fingerprints").resolve(key);
            try {
                String hash = Files.readString(memo);
                if (hash.matches("[0-9a-f]{64}")) {
                    return hash;
                }
                LOG.warn("{} is damaged and is made anew", memo);
            } catch (NoSuchFileException e) {
                LOG.debug("Reading {} for its fingerprint", file);
            }
            String hash = ofFile(file);
            if (modified.toInstant().plus(SETTLED).isBefore(Instant.now())) {
                Caches.publish(memo, part -> Files.writeString(part, hash));
            }
            return hash;
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot fingerprint " + file, e);
        }
    }
}
