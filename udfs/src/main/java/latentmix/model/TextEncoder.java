package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;

/** A checkpoint's text encoders, which turn prompts into the embeddings that its denoiser attends to. */
public interface TextEncoder extends AutoCloseable {
    /**
     * The embeddings of one prompt, float32.
     *
     * @param values (tokens, width), row-major
     * @param pooled {@code pooled_prompt_embeds}, empty where the denoiser takes none
     */
    record Embeds(int tokens, int width, float[] values, float[] pooled) {
        /** Those of one row, off the device. */
        static Embeds of(PromptEmbeds prompt) {
            NDArray states = prompt.hiddenStates();
            return new Embeds(
                    Math.toIntExact(states.size(1)),
                    Math.toIntExact(states.size(2)),
                    states.toFloatArray(),
                    prompt.arrays().size() == 1 ? new float[0] : prompt.pooled().toFloatArray());
        }

        /** Zeros in their place. */
        Embeds zeros() {
            return new Embeds(tokens, width, new float[values.length], new float[pooled.length]);
        }

        /** Moves one row onto a device. The arrays belong to the given manager. */
        public PromptEmbeds onto(NDManager manager) {
            NDArray hiddenStates = manager.create(values, new Shape(1, tokens, width));
            return pooled.length == 0
                    ? PromptEmbeds.of(hiddenStates)
                    : PromptEmbeds.of(hiddenStates, manager.create(pooled, new Shape(1, pooled.length)));
        }
    }

    /** Tokenizes and encodes one prompt. */
    Embeds encode(String prompt);

    @Override
    void close();
}
