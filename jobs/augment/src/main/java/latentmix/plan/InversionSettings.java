package latentmix.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
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
 * @param forwardFirst how many of the first steps are the forward process; not written where none is
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
        double guidance,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) int forwardFirst)
        implements Serializable {}
