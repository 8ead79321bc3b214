package latentmix.plan;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;

/**
 * Everything that decides what is learnt of classes beside their images and their prompts.
 *
 * @param checkpointFingerprint the content of the checkpoint
 * @param device the kind of device, {@code cpu} or {@code gpu}: their rounding differs
 * @param encoded images that are encoded at a time
 * @param size pixels of a side
 * @param vectors of a token; 0 for as many as the class's name has, and without a token
 * @param learningRate of a token; 0 without one
 * @param batch images of a step
 * @param minSnr γ of min-SNR weighting; 0 without
 * @param scope {@code dataset}; null, and not written, where each class has an adapter of its own
 * @param lora how a LoRA is learnt; null, and not written, where none is
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
        long seed,
        @JsonInclude(JsonInclude.Include.NON_NULL) String scope,
        @JsonInclude(JsonInclude.Include.NON_NULL) Lora lora)
        implements Serializable {
    /** Whether all classes share one LoRA. */
    public boolean isShared() {
        return scope != null;
    }

    /**
     * What decides a LoRA.
     *
     * @param learningRate of its weights
     * @param promptDropout the share of images that are shown without words
     */
    public record Lora(int rank, double alpha, double learningRate, double promptDropout) implements Serializable {}
}
