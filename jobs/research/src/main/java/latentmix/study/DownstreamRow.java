package latentmix.study;

/**
 * An arm at one number of real images, over all seeds. In each seed the way of the arm that does best on the validation
 * images is taken.
 *
 * @param shots real images a class
 * @param arm what is trained on, such as {@code real + mixtures}
 * @param chosen the ways that were taken, and how often, such as {@code tint(0.6) p 0.3: 4}
 * @param low the lower end of the mean's 95 % interval; NaN with one seed
 * @param gain the mean difference to real images with standard augmentation, taken seed by seed
 * @param gainLow the lower end of the gain's 95 % interval
 * @param realImages number of real images of all classes
 * @param madeImages number of made images of all classes, on average over the seeds
 */
public record DownstreamRow(
        int shots,
        String arm,
        String chosen,
        int seeds,
        double accuracy,
        double low,
        double high,
        double gain,
        double gainLow,
        double gainHigh,
        int realImages,
        double madeImages) {}
