package latentmix.plan;

import java.io.Serializable;

/**
 * Everything that decides the bytes of an inverted row beside the image and its prompt.
 *
 * @param checkpointFingerprint the content of the checkpoint
 * @param device the kind of device, {@code cpu} or {@code gpu}: their rounding differs
 * @param template the prompt template
 * @param negative the prompt of the unconditional branch
 * @param size pixels of a side
 * @param method an inversion's canonical spelling
 */
public record InversionSettings(
        String checkpointFingerprint,
        String device,
        String dtype,
        int batch,
        int threads,
        String template,
        String negative,
        int size,
        String method,
        int steps,
        double guidance)
        implements Serializable {}
