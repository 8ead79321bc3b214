package latentmix.table;

/**
 * A place where an image lies inside a larger file, or a place of which none can be had.
 *
 * @param classId empty where the place has no class
 * @param className what the larger file calls the class
 * @param imageId the id of (class id, image bytes); empty where the bytes were not read
 * @param digest the id of the image bytes alone, as that
 * @param path as the images table has it
 * @param length bytes of the image
 * @param caption what the larger file says of the image, or empty
 * @param reason why there is no image, a short word to group by; empty where there is one
 * @param detail what was expected and what came
 */
public record IndexRow(
        String classId,
        String className,
        String imageId,
        String digest,
        String path,
        long length,
        String caption,
        String reason,
        String detail) {
    /** Whether there is no image. */
    public boolean isRefused() {
        return !reason.isEmpty();
    }
}
