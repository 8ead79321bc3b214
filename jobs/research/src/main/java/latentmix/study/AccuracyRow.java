package latentmix.study;

/**
 * The accuracy of a classifier that was trained on few real images, on images that it never saw.
 *
 * @param trainingId the id of all that decides the number: the images, the way of training, the seed
 * @param shots real images a class; the most of any class where there is a long tail
 * @param arm what it was trained on in words; empty for real images alone
 * @param method the method that made the made images; empty where there are none
 * @param share the share of a batch that is made images; 0 where there are none
 * @param multiple made images for each real one; 0 where there are none
 * @param augmentation {@code none} or {@code standard}, for real and made images alike
 * @param seed seeds count from 0; a seed decides which real images are drawn and the first weights
 * @param madeImages images made; there may be fewer than asked for, where mixtures were rejected
 * @param validation the share of the validation images that are taken for what they are: ways are chosen by it
 * @param accuracy the share of the test images that are taken for what they are
 * @param tail the same of the third of the classes that have the fewest real images; NaN where all have as many
 * @param corrupted the same of all test images under each of the corruptions; NaN without
 */
public record AccuracyRow(
        String trainingId,
        int shots,
        String arm,
        String method,
        double share,
        int multiple,
        String augmentation,
        int seed,
        int realImages,
        int madeImages,
        int validationImages,
        int testImages,
        double validation,
        double accuracy,
        double tail,
        double corrupted) {}
