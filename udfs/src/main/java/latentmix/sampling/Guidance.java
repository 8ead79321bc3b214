package latentmix.sampling;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;

/**
 * Classifier-free guidance: m = m_uncond + scale · (m_cond − m_uncond). At scale 1 and below only the conditional
 * branch runs, as in diffusers.
 *
 * @see <a href="https://arxiv.org/abs/2207.12598">Ho and Salimans, Classifier-Free Diffusion Guidance</a>
 */
public record Guidance(double scale) {
    /** The conditional branch alone. */
    public static final Guidance NONE = new Guidance(1);

    public Guidance {
        if (!(scale >= 0) || Double.isInfinite(scale)) {
            throw new IllegalArgumentException("The guidance scale must be at least 0, cannot be: " + scale);
        }
    }

    /** How often the network sees each latent in a step: 1 or 2. */
    public int branches() {
        return scale > 1 ? 2 : 1;
    }

    /** The model output (B, C, H, W) of a batch [unconditional, conditional] (2B, C, H, W), or of one branch. */
    NDArray combine(NDArray output) {
        if (branches() == 1) {
            return output;
        }
        NDList halves = output.split(2);
        NDArray unconditional = halves.get(0); // (B, C, H, W)
        NDArray conditional = halves.get(1); // (B, C, H, W)
        return conditional.sub(unconditional).muli(scale).addi(unconditional);
    }
}
