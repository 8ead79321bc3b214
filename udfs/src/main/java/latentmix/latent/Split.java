package latentmix.latent;

import java.io.Serializable;

/**
 * The split of a latent into a deterministic part and noise: z = d + r, where the residual r alone is treated as noise.
 */
public sealed interface Split extends Serializable
        permits NoSplit, MeanSplit, ChannelMeanSplit, LowPassSplit, ClassMeanSplit {
    /**
     * Writes r of one latent. d is either linear in z or the same for every z, so that r of Σ w_i z_i is Σ w_i r_i.
     *
     * @param z C·H·W values, left as they are
     * @param classMean μ, C·H·W values, which cmm alone reads
     * @param r C·H·W values, which are overwritten: thousands of fresh ones cost as much as the product of all mixtures
     */
    void residual(Shape shape, double[] z, double[] classMean, double[] r);
}
