package latentmix.table;

/**
 * What an inversion keeps of an image beside its noise, such as null-text's unconditional embeddings: mixed as a sum,
 * with the mixture's weights.
 *
 * @param prompt the prompt it was inverted with
 * @param data (depth, height, width) float32, little-endian, row-major
 * @param settingsId the inversion's
 */
public record CompanionRow(
        String imageId,
        String classId,
        String prompt,
        int depth,
        int height,
        int width,
        byte[] data,
        String settingsId) {}
