package latentmix.table;

/** An image made from a mixture. */
public record GeneratedRow(
        String mixId,
        String classId,
        int label,
        String className,
        EncodedImage image,
        int width,
        int height,
        String settingsId) {

    /** An image file's bytes and its path in the dataset, {@code <class>/<mix id>.png}: Hugging Face's image struct. */
    public record EncodedImage(byte[] bytes, String path) {}
}
