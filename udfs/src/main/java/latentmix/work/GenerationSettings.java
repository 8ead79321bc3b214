package latentmix.work;

import java.io.Serializable;

/**
 * Everything that decides the bytes of a generated row beside the mixture itself.
 *
 * @param inversion the settings id of the inverted rows that were mixed
 * @param inversionMethod their method's canonical spelling, whose way back is taken
 */
public record GenerationSettings(
        String checkpointFingerprint,
        String device,
        String dtype,
        int batch,
        int threads,
        String negative,
        int steps,
        double guidance,
        String format,
        String inversion,
        String inversionMethod)
        implements Serializable {}
