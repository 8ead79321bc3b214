package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.Optional;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import org.apache.commons.rng.UniformRandomProvider;

/** A procedure that leads from latents to the noise they came from. */
public sealed interface Inversion
        permits DdimInversion,
                FixedPointInversion,
                ForwardFirstInversion,
                NullTextInversion,
                ReNoiseInversion,
                BdiaInversion {
    /**
     * A micro-batch to invert; the arrays stay the caller's and are left as they are.
     *
     * @param latents scaled latents, float32 (B, C, H, W)
     * @param conditional one prompt for each latent, or one for all
     * @param unconditional the same of the negative prompt
     * @param random one generator for each latent, seeded by what the latent is
     */
    record Batch(
            NDArray latents, PromptEmbeds conditional, PromptEmbeds unconditional, List<UniformRandomProvider> random) {
        public Batch {
            random = List.copyOf(random);
            if (latents.getShape().dimension() != 4
                    || random.size() != latents.getShape().get(0)) {
                throw new IllegalArgumentException("A batch must be latents (B, C, H, W) with B generators, cannot be: "
                        + latents.getShape() + " with " + random.size());
            }
        }

        int rows() {
            return random.size();
        }
    }

    /**
     * The result of an inversion. The arrays are attached to the latents' manager.
     *
     * @param noise float32 (B, C, H, W)
     * @param companion what the way back needs beside the noise, float32 (B, …): it is stored and mixed with the noise,
     *     by the same weights
     * @param evaluations forwards of one latent through the network
     */
    record Inverted(NDArray noise, Optional<NDArray> companion, long evaluations) {}

    /** Forwards of one latent through the network; the most that there can be where an image is done early. */
    long evaluations();

    /** Inverts a batch. */
    Inverted invert(Denoiser denoiser, Batch batch);
}
