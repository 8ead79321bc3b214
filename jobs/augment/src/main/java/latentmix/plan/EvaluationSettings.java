package latentmix.plan;

import java.io.Serializable;
import java.util.List;

/**
 * Everything that decides a metric beside the images.
 *
 * @param features the settings ids of the features
 * @param reference the hash of the reference's images
 * @param inversion the settings id of the inverted rows that are reconstructed; empty for mixtures
 * @param mixing the settings id of the mixtures; empty for the lines of reference
 * @param generation the settings id of the images; empty for the lines of reference
 * @param sample the largest number of images that are compared pair by pair
 * @param neighbours k of precision, recall, density and coverage
 */
public record EvaluationSettings(
        List<String> features,
        String reference,
        String inversion,
        String mixing,
        String generation,
        int sample,
        int neighbours)
        implements Serializable {
    public EvaluationSettings {
        features = List.copyOf(features);
    }
}
