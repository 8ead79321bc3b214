package latentmix.sampling;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import java.util.List;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.schedule.Step;

/**
 * Classifier-free guidance: m = m_uncond + scale · (m_cond − m_uncond). At scale 1 and below only the conditional
 * branch runs, as in diffusers; so it does outside the interval of timesteps in which guidance is applied.
 *
 * @param scale at least 0
 * @param least the least noisy timestep that is guided, in the checkpoint's own units
 * @param most the noisiest timestep that is guided
 * @see <a href="https://arxiv.org/abs/2207.12598">Ho and Salimans, Classifier-Free Diffusion Guidance</a>
 * @see <a href="https://arxiv.org/abs/2404.07724">Kynkäänniemi et al., Applying Guidance in a Limited Interval</a>
 */
public record Guidance(double scale, double least, double most) {
    /** The conditional branch alone. */
    public static final Guidance NONE = new Guidance(1);

    public Guidance {
        if (!(scale >= 0) || Double.isInfinite(scale)) {
            throw new IllegalArgumentException("The guidance scale must be at least 0, cannot be: " + scale);
        }
        if (!(least >= 0 && most >= least)) {
            throw new IllegalArgumentException(
                    "Guided timesteps must be a rising range from 0 on, cannot be: " + least + " to " + most);
        }
    }

    /** Guidance at every timestep. */
    public Guidance(double scale) {
        this(scale, 0, Double.POSITIVE_INFINITY);
    }

    /** The number of times that the network sees each latent at a timestep, 1 or 2. */
    public int branches(double timestep) {
        return scale > 1 && timestep >= least && timestep <= most ? 2 : 1;
    }

    /** The evaluations of the network that one latent costs on the way through a table. */
    public long evaluations(List<Step> table) {
        return table.stream().mapToLong(step -> branches(step.timestep())).sum();
    }

    /**
     * The guided model output of a batch of latents.
     *
     * @param sample float32 (B, C, H, W)
     * @param prompts a row for each latent; where guidance is on, the unconditional rows before the conditional ones
     *     (2B)
     * @return float32 (B, C, H, W), attached to the sample's manager
     */
    public NDArray predict(Denoiser denoiser, NDArray sample, double timestep, PromptEmbeds prompts) {
        int branches = branches(timestep);
        NDArray batch = branches == 2 ? sample.concat(sample, 0) : sample; // (branches · B, C, H, W)
        NDArray predicted = denoiser.predict(batch, timestep, prompts);
        NDArray output = branches == 2 ? combine(predicted) : predicted;
        if (!output.getShape().equals(sample.getShape())) {
            throw new IllegalArgumentException("The network must predict the shape of its sample, " + sample.getShape()
                    + ", cannot predict: " + output.getShape());
        }
        return output;
    }

    /** The model output (B, C, H, W) of a batch [unconditional, conditional] (2B, C, H, W). */
    private NDArray combine(NDArray output) {
        NDList halves = output.split(2);
        NDArray unconditional = halves.get(0); // (B, C, H, W)
        NDArray conditional = halves.get(1); // (B, C, H, W)
        return conditional.sub(unconditional).muli(scale).addi(unconditional);
    }
}
