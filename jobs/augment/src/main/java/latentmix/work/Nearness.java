package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import latentmix.image.DifferenceHash;
import latentmix.plan.FeatureChunk;
import latentmix.plan.JudgedChunk;
import latentmix.table.GeneratedTable;
import latentmix.table.JudgedTable;
import latentmix.table.JudgedTable.Verdict;
import latentmix.table.LookRow;
import latentmix.table.LooksTable;
import latentmix.table.RunFolder;

/**
 * By how many bits of dHash images differ from the nearest real image of their class: those of the dataset that a model
 * made, and beside them each real image from the next one. Classes add up.
 *
 * @param made images that differ by 0 to 64 bits
 * @param real real images, alike
 */
public record Nearness(long[] made, long[] real) implements Serializable {
    private static final int BITS = 64;

    /** Of no images. */
    public static final Nearness NONE = new Nearness(new long[BITS + 1], new long[BITS + 1]);

    /**
     * The images of a class.
     *
     * @param looks chunks of the looks table that stand
     * @param chunks those of the judged table that stand
     */
    public static Nearness of(RunFolder run, String classId, List<FeatureChunk> looks, List<JudgedChunk> chunks)
            throws IOException {
        List<Long> real = new ArrayList<>();
        for (FeatureChunk chunk : looks) {
            Set<String> leftOut = Set.copyOf(chunk.leftOut());
            for (LookRow row : new LooksTable(run, classId).rows(chunk.id())) {
                if (!leftOut.contains(row.imageId())) {
                    real.add(row.differenceHash());
                }
            }
        }
        List<Long> made = new ArrayList<>();
        for (JudgedChunk chunk : chunks) {
            Map<String, Long> hashes = new HashMap<>();
            new GeneratedTable(run, classId)
                    .rows(chunk.generated(), GeneratedTable.Scores.class)
                    .forEach(row -> hashes.put(row.mixId(), row.differenceHash()));
            new JudgedTable(run, classId)
                    .verdicts(chunk.id()).stream()
                            .filter(Verdict::kept)
                            .sorted(Comparator.comparingInt(Verdict::k))
                            .limit(chunk.kept())
                            .forEach(row -> made.add(hashes.get(row.mixId())));
        }
        return of(made, real);
    }

    /** Images of a class by their dHash. */
    static Nearness of(List<Long> made, List<Long> real) {
        Nearness nearness = new Nearness(new long[BITS + 1], new long[BITS + 1]);
        for (long hash : made) {
            count(nearness.made, hash, real, -1);
        }
        for (int i = 0; i < real.size(); i++) {
            count(nearness.real, real.get(i), real, i);
        }
        return nearness;
    }

    private static void count(long[] counts, long hash, List<Long> others, int own) {
        int nearest = Integer.MAX_VALUE;
        for (int i = 0; i < others.size(); i++) {
            if (i != own) {
                nearest = Math.min(nearest, DifferenceHash.distance(hash, others.get(i)));
            }
        }
        if (nearest <= BITS) {
            counts[nearest]++;
        }
    }

    /** Both together: other classes' images, too. */
    public Nearness plus(Nearness other) {
        Nearness sum = new Nearness(made.clone(), real.clone());
        for (int bits = 0; bits <= BITS; bits++) {
            sum.made[bits] += other.made[bits];
            sum.real[bits] += other.real[bits];
        }
        return sum;
    }

    /** The least bits within which this share of images is; there is one image at least. */
    public static int quantile(long[] counts, double share) {
        long rank = Math.max(1, (long) Math.ceil(share * images(counts)));
        long seen = 0;
        for (int bits = 0; bits < counts.length; bits++) {
            seen += counts[bits];
            if (seen >= rank) {
                return bits;
            }
        }
        throw new IllegalArgumentException("A quantile must be of at least one image, there is none");
    }

    /** How many images there are. */
    public static long images(long[] counts) {
        return Arrays.stream(counts).sum();
    }
}
