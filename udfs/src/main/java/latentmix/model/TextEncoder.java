package latentmix.model;

/** A checkpoint's text encoders: prompts to the embeddings its denoiser attends to. */
public interface TextEncoder extends AutoCloseable {
    /** The embeddings of one prompt, float32 (L, width), row-major. */
    record Embeds(int tokens, int width, float[] values) {}

    /** Tokenizes and encodes one prompt. */
    Embeds encode(String prompt);

    @Override
    void close();
}
