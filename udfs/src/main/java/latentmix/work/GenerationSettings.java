package latentmix.work;

import java.io.Serializable;

/** Everything that decides the bytes of a generated row beside the mixture itself. */
public record GenerationSettings(
        String checkpointFingerprint,
        String device,
        String dtype,
        int batch,
        int threads,
        String negative,
        int steps,
        double guidance,
        String format)
        implements Serializable {}
