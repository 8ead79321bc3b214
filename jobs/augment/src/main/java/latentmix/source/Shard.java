package latentmix.source;

import java.io.Serializable;

/**
 * A file that holds or names many images.
 *
 * @param path relative to the source's base
 * @param length bytes
 * @param modified milliseconds since 1970, as the file system gave them
 */
public record Shard(String path, long length, long modified) implements Serializable {
    static final long MEGABYTE = 1_000_000;

    /** Its length, at least 1: what progress counts. */
    public int megabytes() {
        return Math.toIntExact(Math.max(1, (length + MEGABYTE - 1) / MEGABYTE));
    }
}
