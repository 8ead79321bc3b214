package latentmix.study;

/**
 * A way to train at one number of real images, over all seeds.
 *
 * @param shots real images a class
 * @param training the way of training in words, such as {@code real + nin/chm}
 * @param multiple made images for each real one; 0 where there are none
 * @param low the lower end of the mean's 95 % interval; NaN with one seed
 * @param gain the mean difference to real images alone, taken seed by seed
 * @param gainLow the lower end of the gain's 95 % interval
 * @param realImages number of real images of all classes
 * @param madeImages number of made images of all classes, on average over the seeds
 */
public record DownstreamRow(
        int shots,
        String training,
        int multiple,
        int seeds,
        double accuracy,
        double low,
        double high,
        double gain,
        double gainLow,
        double gainHigh,
        int realImages,
        double madeImages) {}
