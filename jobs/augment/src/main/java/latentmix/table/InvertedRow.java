package latentmix.table;

import java.util.List;

/**
 * An image, inverted.
 *
 * @param latent at the noisy end
 * @param encoded at the other: the autoencoder's scaled latent, which inversion began with
 * @param halvings how often its micro-batch was halved for want of the device's memory, which rounding shows: 0 nearly
 *     always
 */
public record InvertedRow(
        String imageId,
        String classId,
        int label,
        String className,
        String path,
        String prompt,
        LatentColumn latent,
        double norm,
        List<Double> channelMean,
        LatentColumn encoded,
        int halvings,
        String settingsId,
        String checkpointFingerprint) {}
