package latentmix.latent;

import java.io.Serializable;

/** What of a latent is deterministic: z = d + r, and the residual r alone is treated as noise. */
public sealed interface Split extends Serializable
        permits NoSplit, MeanSplit, ChannelMeanSplit, LowPassSplit, ClassMeanSplit {
    /**
     * r of one latent. d is either linear in z or the same for every z, so that r of Σ w_i z_i is Σ w_i r_i.
     *
     * @param z C·H·W values, left as they are
     * @param classMean μ, C·H·W values, which cmm alone reads
     * @return C·H·W values of the caller's own
     */
    double[] residual(Shape shape, double[] z, double[] classMean);
}
