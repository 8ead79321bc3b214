package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.Optional;

/**
 * The prompt embeddings of Stable Diffusion 3: on the token axis, first [CLIP-L's | CLIP-G's] hidden states before the
 * last, zeros up to T5's width, then T5's last hidden state; and pooled, [CLIP-L's | CLIP-G's] projected text
 * embeddings.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/pipelines/stable_diffusion_3/pipeline_stable_diffusion_3.py">diffusers'
 * pipeline_stable_diffusion_3.py</a>, encode_prompt.
 *
 * @param t5 if there is none, its tokens are zeros
 * @param t5Length its tokens, max_sequence_length
 * @param width joint_attention_dim of the transformer
 */
record StableDiffusion3TextEncoder(
        PromptNetwork clipL, PromptNetwork clipG, Optional<PromptNetwork> t5, int t5Length, int width)
        implements TextEncoder {
    @Override
    public Embeds encode(String prompt) {
        try (NDManager manager = NDManager.newBaseManager(clipL.device())) {
            return Embeds.of(
                    embeds(clipL.forward(prompt, manager), clipG.forward(prompt, manager), last(prompt, manager)));
        }
    }

    /** T5's last hidden state, (1, t5Length, width). */
    NDArray last(String prompt, NDManager manager) {
        return t5.map(encoder -> encoder.forward(prompt, manager).get(0))
                .orElseGet(() -> manager.zeros(new Shape(1, t5Length, width), DataType.FLOAT32));
    }

    /**
     * What the denoiser gets of CLIP-L's and CLIP-G's outputs and of T5's last hidden state; the arrays belong to the
     * managers of those.
     */
    static PromptEmbeds embeds(NDList l, NDList g, NDArray last) {
        NDArray clip = PromptNetwork.beforeLast(l).concat(PromptNetwork.beforeLast(g), 2);
        Shape beside = new Shape(1, clip.size(1), last.size(2) - clip.size(2));
        NDArray padding = last.getManager().zeros(beside, DataType.FLOAT32);
        return PromptEmbeds.of(clip.concat(padding, 2).concat(last, 1), l.get(1).concat(g.get(1), 1));
    }

    @Override
    public void close() {
        clipL.close();
        clipG.close();
        t5.ifPresent(PromptNetwork::close);
    }
}
