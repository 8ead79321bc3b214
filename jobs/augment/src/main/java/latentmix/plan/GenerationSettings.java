package latentmix.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;

/**
 * Everything that decides the bytes of a generated row beside the mixture itself.
 *
 * @param noisiest the timestep that sampling starts from
 * @param guidanceLeast the least noisy timestep that is guided
 * @param guidanceMost the noisiest one
 * @param inversion the settings id of the inverted rows that were mixed
 * @param inversionMethod their method's canonical spelling, whose way back is taken
 * @param mixturePrompt {@code heaviest} or {@code mix}; empty, and not written, for the class's prompt
 */
public record GenerationSettings(
        String checkpointFingerprint,
        String device,
        String dtype,
        int batch,
        int threads,
        String negative,
        String solver,
        double noisiest,
        int steps,
        double guidance,
        double guidanceLeast,
        double guidanceMost,
        String format,
        String inversion,
        String inversionMethod,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) String mixturePrompt)
        implements Serializable {
    public GenerationSettings {
        mixturePrompt = mixturePrompt == null ? "" : mixturePrompt; // which the run folder's file leaves out
    }

    /**
     * How many of the sampling steps a mixture of this strength takes, the last ones: as diffusers' image to image
     * counts them.
     */
    public int steps(double strength) {
        return steps(steps, strength);
    }

    /** How many of so many sampling steps a mixture of this strength takes. */
    public static int steps(int steps, double strength) {
        return (int) (steps * strength);
    }
}
