package latentmix.table;

/**
 * What a real image looks like, as the networks see it: its middle square.
 *
 * @param entropy of its grey levels, 0 to 8 bits
 * @param clipped share of its red, green and blue values at 0 or 255
 * @param saturation mean saturation of its colours, 0 to 1
 * @param sharpness variance of the Laplacian of its grey levels
 * @param differenceHash its dHash, 64 bits
 */
public record LookRow(
        String imageId,
        String classId,
        double entropy,
        double clipped,
        double saturation,
        double sharpness,
        long differenceHash,
        String settingsId) {}
