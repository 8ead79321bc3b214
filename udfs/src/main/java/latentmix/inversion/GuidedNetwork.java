package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.Guidance;

/**
 * A denoiser that has been told its prompts: the guided model output m(x, t) of a batch of latents.
 *
 * @param one the conditional prompts, a row for each latent
 * @param both the unconditional prompts before them, where guidance is on at any timestep
 */
record GuidedNetwork(Denoiser denoiser, Guidance guidance, PromptEmbeds one, PromptEmbeds both) {
    /** Copies the prompts into the given manager. */
    static GuidedNetwork of(
            Denoiser denoiser,
            Guidance guidance,
            PromptEmbeds conditional,
            PromptEmbeds unconditional,
            long rows,
            NDManager owner) {
        PromptEmbeds one = conditional.rows(rows, owner);
        PromptEmbeds both =
                guidance.scale() > 1 ? unconditional.rows(rows, owner).concat(one) : one;
        return new GuidedNetwork(denoiser, guidance, one, both);
    }

    /** m(x, t), (B, C, H, W) as the sample, attached to the sample's manager. */
    NDArray predict(NDArray sample, double timestep) {
        PromptEmbeds prompts = guidance.branches(timestep) == 2 ? both : one;
        NDManager owner = sample.getManager();
        try (NDManager scope = owner.newSubManager()) {
            scope.tempAttachAll(prompts.arrays());
            scope.tempAttachAll(sample);
            NDArray output = guidance.predict(denoiser, sample, timestep, prompts);
            output.attach(owner);
            return output;
        }
    }

    /** The evaluations that one call costs for so many latents. */
    long evaluations(long rows, double timestep) {
        return rows * guidance.branches(timestep);
    }

    /** The network for some of the latents, whose prompts are copied into the given manager. */
    GuidedNetwork rows(int[] kept, NDManager owner) {
        int all = (int) one.rows();
        int[] twice = new int[2 * kept.length];
        for (int i = 0; i < kept.length; i++) {
            twice[i] = kept[i];
            twice[kept.length + i] = all + kept[i];
        }
        PromptEmbeds some = Rows.of(one, kept, owner);
        return new GuidedNetwork(denoiser, guidance, some, guidance.scale() > 1 ? Rows.of(both, twice, owner) : some);
    }
}
