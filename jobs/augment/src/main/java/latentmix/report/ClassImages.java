package latentmix.report;

/**
 * The images of a class, once its dataset is written.
 *
 * @param real images that count
 * @param made images in the dataset
 * @param total of both
 */
public record ClassImages(long real, long made, long total) {
    public ClassImages(long real, long made) {
        this(real, made, real + made);
    }

    /** The numbers in words. */
    @Override
    public String toString() {
        return real + " real, " + made + " made, " + total + " in all";
    }
}
