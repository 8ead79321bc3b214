package latentmix.work;

import java.io.Serializable;
import java.util.Arrays;
import latentmix.table.LeakageRow;

/**
 * By how many bits of dHash images differ from the nearest real image that they are compared with. Classes add up.
 *
 * @param split which images: {@code made} or {@code real}
 * @param among which real images they are compared with, as {@link LeakageRow} has it
 * @param others how many these are
 * @param refused how many of them could not be opened
 * @param same images whose file has the bytes of one of them
 * @param bits images that differ by 0 to 64 bits; none where there is nothing to compare with
 */
public record Nearness(String split, String among, long others, long refused, long same, long[] bits)
        implements Serializable {
    private static final int BITS = 64;

    /** Of no images yet. */
    static Nearness none(String split, String among, long others, long refused) {
        return new Nearness(split, among, others, refused, 0, new long[BITS + 1]);
    }

    /** The same with an image more. */
    Nearness with(LeakageRow image) {
        long[] counts = bits.clone();
        counts[image.bits()]++;
        return new Nearness(split, among, others, refused, image.same() ? same + 1 : same, counts);
    }

    /** Both together: another class's images, too. */
    public Nearness plus(Nearness other) {
        long[] sum = bits.clone();
        for (int i = 0; i <= BITS; i++) {
            sum[i] += other.bits[i];
        }
        return new Nearness(split, among, others + other.others, refused + other.refused, same + other.same, sum);
    }

    /** How many images there are. */
    public long images() {
        return within(BITS);
    }

    /** How many images differ by at most so many bits. */
    public long within(int most) {
        return Arrays.stream(bits, 0, most + 1).sum();
    }

    /** The least bits within which this share of images is; there is one image at least. */
    public int quantile(double share) {
        long rank = Math.max(1, (long) Math.ceil(share * images()));
        for (int most = 0; most <= BITS; most++) {
            if (within(most) >= rank) {
                return most;
            }
        }
        throw new IllegalArgumentException("A quantile must be of at least one image, there is none");
    }
}
