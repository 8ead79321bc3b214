package latentmix.study;

/**
 * How a classifier that was trained on few real images does on images that it never saw.
 *
 * @param trainingId what decides the number: the images, how it was trained, the seed
 * @param shots real images a class
 * @param method what made images were made by; empty where there are none
 * @param multiple made images for each real one; 0 where there are none
 * @param augmentation {@code none} or {@code standard}, of real and made images alike
 * @param seed from 0 on: which real images, which first weights
 * @param madeImages may be fewer than asked for, where mixtures were rejected
 * @param accuracy the share of the test images that are taken for what they are
 */
public record AccuracyRow(
        String trainingId,
        int shots,
        String method,
        int multiple,
        String augmentation,
        int seed,
        int realImages,
        int madeImages,
        int testImages,
        double accuracy) {}
