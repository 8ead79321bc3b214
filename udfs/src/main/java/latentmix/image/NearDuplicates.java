package latentmix.image;

import java.io.Serializable;
import java.util.Arrays;

/**
 * The share of images that have another one like them, as a mergeable aggregate of their {@link DifferenceHash}es.
 *
 * <pre>|{i : some j ≠ i with distance(i, j) ≤ limit}| / n</pre>
 *
 * Every pair is compared: a million of them take milliseconds. Not for use by several threads at once.
 */
public final class NearDuplicates implements Serializable {
    /** The distance up to which images are called near duplicates here. */
    public static final int LIMIT = 2;

    private long[] hashes = new long[16];
    private int count;

    /** Adds an image. */
    public void add(long hash) {
        if (count == hashes.length) {
            hashes = Arrays.copyOf(hashes, 2 * count);
        }
        hashes[count++] = hash;
    }

    /** Adds the other's images to these. */
    public void merge(NearDuplicates other) {
        for (int i = 0, added = other.count; i < added; i++) {
            add(other.hashes[i]);
        }
    }

    /** How many images there are. */
    public int count() {
        return count;
    }

    /** How many of them have another one at this distance or less. */
    public int duplicates(int limit) {
        int duplicates = 0;
        for (int i = 0; i < count; i++) {
            boolean found = false;
            for (int j = 0; j < count && !found; j++) {
                found = i != j && DifferenceHash.distance(hashes[i], hashes[j]) <= limit;
            }
            duplicates += found ? 1 : 0;
        }
        return duplicates;
    }
}
