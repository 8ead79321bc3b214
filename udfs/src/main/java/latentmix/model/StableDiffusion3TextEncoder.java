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
            NDList l = clipL.forward(prompt, manager);
            NDList g = clipG.forward(prompt, manager);
            NDArray clip = beforeLast(l).concat(beforeLast(g), 2);
            NDArray padding = manager.zeros(new Shape(1, clip.size(1), width - clip.size(2)), DataType.FLOAT32);
            NDArray last = t5.map(encoder -> encoder.forward(prompt, manager).get(0))
                    .orElseGet(() -> manager.zeros(new Shape(1, t5Length, width), DataType.FLOAT32));
            NDArray embeds = clip.concat(padding, 2).concat(last, 1);
            return new Embeds(
                    Math.toIntExact(embeds.size(1)),
                    width,
                    embeds.toFloatArray(),
                    l.get(1).concat(g.get(1), 1).toFloatArray());
        }
    }

    /** The hidden states before the last, which have no final norm: (1, L, width). */
    private static NDArray beforeLast(NDList outputs) {
        return outputs.get(outputs.size() - 2);
    }

    @Override
    public void close() {
        clipL.close();
        clipG.close();
        t5.ifPresent(PromptNetwork::close);
    }
}
