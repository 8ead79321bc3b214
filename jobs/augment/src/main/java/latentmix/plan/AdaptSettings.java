package latentmix.plan;

import java.io.Serializable;

/**
 * Everything that decides what is learnt of a class beside its images and its prompt.
 *
 * @param checkpointFingerprint the content of the checkpoint
 * @param device the kind of device, {@code cpu} or {@code gpu}: their rounding differs
 * @param encoded images that are encoded at a time
 * @param size pixels of a side
 * @param vectors of a token; 0 for as many as the class's name has
 * @param batch images of a step
 * @param minSnr γ of min-SNR weighting; 0 without
 */
public record AdaptSettings(
        String checkpointFingerprint,
        String device,
        String dtype,
        int threads,
        int encoded,
        int size,
        String method,
        int vectors,
        int steps,
        double learningRate,
        int batch,
        double minSnr,
        boolean flip,
        long seed)
        implements Serializable {}
