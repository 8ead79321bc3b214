package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

/**
 * The prompt embeddings of Stable Diffusion XL: [CLIP-L's | CLIP-G's] hidden states before the last; and pooled,
 * CLIP-G's projected text embedding.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py">diffusers'
 * pipeline_stable_diffusion_xl.py</a>, encode_prompt.
 *
 * @param empty what the prompt without a character becomes
 */
record StableDiffusionXLTextEncoder(PromptNetwork clipL, PromptNetwork clipG, EmptyPrompt empty)
        implements TextEncoder {
    /** The embeddings of the empty prompt, which the negative prompt is where none is given. */
    enum EmptyPrompt {
        ENCODED,
        /** The checkpoint's {@code force_zeros_for_empty_prompt}. */
        ZEROS
    }

    @Override
    public Embeds encode(String prompt) {
        try (NDManager manager = NDManager.newBaseManager(clipL.device())) {
            Embeds embeds = Embeds.of(embeds(clipL.forward(prompt, manager), clipG.forward(prompt, manager)));
            return prompt.isEmpty() && empty == EmptyPrompt.ZEROS ? embeds.zeros() : embeds;
        }
    }

    /** What the denoiser gets of CLIP-L's and CLIP-G's outputs; the arrays belong to the managers of those. */
    static PromptEmbeds embeds(NDList l, NDList g) {
        NDArray states = PromptNetwork.beforeLast(l).concat(PromptNetwork.beforeLast(g), 2);
        return PromptEmbeds.of(states, g.get(1));
    }

    @Override
    public void close() {
        clipL.close();
        clipG.close();
    }
}
