package latentmix.table;

/**
 * A file found.
 *
 * @param imageId the id of (class id, file bytes)
 * @param classId the folder's name
 * @param path relative to the input root, as its source spells it
 * @param length bytes
 * @param modified milliseconds since 1970, as the file system gave them
 * @param chunk the id of the ordered image ids of the chunk it was assigned to, once and for all
 * @param position its place in that chunk
 */
public record ImageRow(
        String imageId,
        String classId,
        int label,
        String className,
        String path,
        long length,
        long modified,
        String chunk,
        int position) {}
