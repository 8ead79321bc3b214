package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import java.util.Optional;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.Conditioning;
import latentmix.sampling.DenoisingLoop;

/** The way from noise back to a sample that belongs to an inversion. */
public sealed interface Sampler permits Sampler.Plain, NullTextInversion.Sampling, BdiaInversion.Sampling {
    /**
     * Samples a batch; the arguments stay the caller's and are left as they are.
     *
     * @param noise float32 (B, C, H, W)
     * @param conditional what each step is told; where the inversion keeps something beside the noise, one prompt
     * @param unconditional the same of the negative prompt
     * @param companion the inversion's companion, mixed as the noise was
     * @return float32 (B, C, H, W), attached to the noise's manager
     */
    NDArray sample(NDArray noise, Conditioning conditional, PromptEmbeds unconditional, Optional<NDArray> companion);

    /** The same with one prompt on the whole way, for each latent or for all. */
    default NDArray sample(
            NDArray noise, PromptEmbeds conditional, PromptEmbeds unconditional, Optional<NDArray> companion) {
        return sample(noise, Conditioning.of(conditional), unconditional, companion);
    }

    /** Network evaluations of a run on this many latents. */
    long evaluations(long rows);

    /** The denoising loop alone. */
    record Plain(DenoisingLoop loop) implements Sampler {
        @Override
        public NDArray sample(
                NDArray noise, Conditioning conditional, PromptEmbeds unconditional, Optional<NDArray> companion) {
            return loop.run(noise, conditional, unconditional);
        }

        @Override
        public long evaluations(long rows) {
            return loop.evaluations(rows);
        }
    }
}
