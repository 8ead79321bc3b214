package latentmix.table;

/**
 * An image made from a mixture.
 *
 * @param entropy of its grey levels, 0 to 8 bits
 * @param clipped share of its red, green and blue values at 0 or 255
 * @param saturation mean saturation of its colours, 0 to 1
 * @param sharpness variance of the Laplacian of its grey levels
 * @param differenceHash its dHash, 64 bits: near duplicates differ in few
 * @param halvings how often its micro-batch was halved for want of the device's memory, which rounding shows: 0 nearly
 *     always
 */
public record GeneratedRow(
        String mixId,
        String classId,
        int label,
        String className,
        EncodedImage image,
        int width,
        int height,
        double entropy,
        double clipped,
        double saturation,
        double sharpness,
        long differenceHash,
        int halvings,
        String settingsId) {

    /** An image file's bytes and its path in the dataset, {@code <class>/<mix id>.png}: Hugging Face's image struct. */
    public record EncodedImage(byte[] bytes, String path) {}
}
