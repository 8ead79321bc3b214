package latentmix.image;

/**
 * A 64-bit fingerprint of what an image looks like: dHash, whether it brightens from left to right.
 *
 * <pre>
 * bit (row, column) of an 8 × 8 grid: grey(row, column + 1) &gt; grey(row, column)
 * grey: the image at 9 × 8 pixels; the first bit is the highest
 * </pre>
 *
 * Images that look alike differ in few bits. As in <a
 * href="https://github.com/JohannesBuchner/imagehash">imagehash</a>, but resized by {@link Resize}.
 */
public final class DifferenceHash {
    private static final int SIDE = 8;

    private DifferenceHash() {}

    /** The fingerprint of an image. */
    public static long of(Pixels image) {
        int[] grey = PixelScores.grey(Resize.to(image, SIDE + 1, SIDE));
        long hash = 0;
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                int p = y * (SIDE + 1) + x;
                hash = hash << 1 | (grey[p + 1] > grey[p] ? 1 : 0);
            }
        }
        return hash;
    }

    /** In how many of 64 bits two images differ. */
    public static int distance(long one, long other) {
        return Long.bitCount(one ^ other);
    }
}
