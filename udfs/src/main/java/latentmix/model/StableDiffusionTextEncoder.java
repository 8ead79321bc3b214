package latentmix.model;

import ai.djl.ndarray.NDArray;
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
            NDArray last = clip.forward(prompt, manager).get(0);
            int tokens = Math.toIntExact(last.size(1));
            return new Embeds(tokens, Math.toIntExact(last.size(2)), last.toFloatArray(), new float[0]);
        }
    }

    @Override
    public void close() {
        clip.close();
    }
}
