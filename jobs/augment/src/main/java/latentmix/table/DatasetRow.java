package latentmix.table;

import java.util.List;
import latentmix.table.GeneratedRow.EncodedImage;

/**
 * An image of the exported dataset with its label and where it comes from.
 *
 * @param image its path is {@code <class>/<file name>}
 * @param label the index in the dataset's list of class names, int64 as a ClassLabel is stored
 * @param split {@code made}
 * @param sourceIds the images that were mixed, and {@code weights} their weights
 */
public record DatasetRow(
        EncodedImage image,
        long label,
        String className,
        String split,
        String mixId,
        String method,
        List<String> sourceIds,
        List<Double> weights) {
    /** The files' name in the folder of their class. */
    public String fileName() {
        return image.path().substring(image.path().lastIndexOf('/') + 1);
    }
}
