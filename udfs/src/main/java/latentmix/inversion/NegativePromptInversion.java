package latentmix.inversion;

import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;

/**
 * Negative-prompt inversion: null-text inversion's optimum foretold, for the unconditional embedding that makes every
 * guided step an unguided one is the source prompt's own,
 *
 * <pre>u := c    so that    u + g · (c − u) = c.</pre>
 *
 * <p>The latents are inverted by {@link DdimInversion} without guidance. Where an image is sampled with the very prompt
 * it was inverted with, as mixtures of one class are, guidance then has no effect at all and the second branch is not
 * run.
 *
 * @see <a href="https://arxiv.org/abs/2305.16807">Miyake et al., Negative-Prompt Inversion</a>
 */
final class NegativePromptInversion {
    private NegativePromptInversion() {}

    /** The sampler whose two branches are both the conditional one. */
    static Sampler sampling(DenoisingLoop loop) {
        return new Sampler.Plain(new DenoisingLoop(loop.table(), loop.denoiser(), Guidance.NONE));
    }
}
