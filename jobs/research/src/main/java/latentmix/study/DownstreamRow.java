package latentmix.study;

/**
 * A way to train at one number of real images, over all seeds.
 *
 * @param shots real images a class
 * @param training in words, such as {@code real + nin/chm}
 * @param multiple made images for each real one; 0 where there are none
 * @param low the lower end of the mean's 95 % interval; NaN with one seed
 * @param gain the mean difference to real images alone, seed by seed
 * @param gainLow the lower end of its 95 % interval
 * @param realImages of all classes
 * @param madeImages of all classes, on average
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
