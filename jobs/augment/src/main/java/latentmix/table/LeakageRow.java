package latentmix.table;

/**
 * The real image that an image is nearest to by dHash, of those of its class that it is compared with.
 *
 * @param id a mixture's, or a real image's
 * @param split {@code made} or {@code real}
 * @param path of a real image, relative to the input root; empty for a made one
 * @param among which images it is compared with: {@link #INPUT}, but for itself, or the name of a folder of tests
 * @param nearestId the id of the nearest one, the least where several are as near
 * @param nearestPath where that one lies, relative to its root
 * @param bits of 64 by which their dHash differs
 * @param same whether their files have the same bytes; that one may be of another class
 */
public record LeakageRow(
        String id,
        String classId,
        String split,
        String path,
        String among,
        String nearestId,
        String nearestPath,
        int bits,
        boolean same) {
    /** What the input's own images are called. */
    public static final String INPUT = "input";
}
