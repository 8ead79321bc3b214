package latentmix.table;

import java.util.List;

/** An image, inverted: its latent at the noisy end. */
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
        String settingsId,
        String checkpointFingerprint) {}
