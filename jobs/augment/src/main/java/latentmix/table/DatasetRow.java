package latentmix.table;

import java.util.List;
import latentmix.table.GeneratedRow.EncodedImage;

/**
 * An image of the exported dataset with its label and where it comes from.
 *
 * @param image its path is {@code <class>/<file name>}
 * @param label the index in the dataset's list of class names, int64 as a ClassLabel is stored
 * @param split {@code made} or {@code real}
 * @param mixId empty where the image is real, as {@code method} is
 * @param sourceIds the images that were mixed, and {@code weights} their weights; of a real image its own id
 * @param labels the labels that the image's soft label is of, its own class's first; a column only in datasets that
 *     have soft labels
 * @param labelWeights the share of each, with a sum of 1
 */
public record DatasetRow(
        EncodedImage image,
        long label,
        String className,
        String split,
        String mixId,
        String method,
        List<String> sourceIds,
        List<Double> weights,
        @OnlyWhereGiven List<Long> labels,
        @OnlyWhereGiven List<Double> labelWeights) {}
