package latentmix.model;

/** A checkpoint's text encoders: prompts to the embeddings its denoiser attends to. */
public interface TextEncoder extends AutoCloseable {
    /**
     * The embeddings of one prompt, float32.
     *
     * @param values (tokens, width), row-major
     * @param pooled {@code pooled_prompt_embeds}, empty where the denoiser takes none
     */
    record Embeds(int tokens, int width, float[] values, float[] pooled) {}

    /** Tokenizes and encodes one prompt. */
    Embeds encode(String prompt);

    @Override
    void close();
}
