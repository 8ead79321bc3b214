package latentmix.model;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

/**
 * The prompt embeddings of Stable Diffusion 1 and 2: CLIP's last hidden state.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py">diffusers'
 * pipeline_stable_diffusion.py</a>.
 */
record StableDiffusionTextEncoder(PromptNetwork clip) implements TextEncoder {
    @Override
    public Embeds encode(String prompt) {
        try (NDManager manager = NDManager.newBaseManager(clip.device())) {
            return Embeds.of(embeds(clip.forward(prompt, manager)));
        }
    }

    /** What the denoiser gets of CLIP's outputs. */
    static PromptEmbeds embeds(NDList outputs) {
        return PromptEmbeds.of(outputs.get(0));
    }

    @Override
    public void close() {
        clip.close();
    }
}
