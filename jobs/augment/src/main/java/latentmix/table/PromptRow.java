package latentmix.table;

/**
 * A distinct prompt and its embeddings, float32, little-endian.
 *
 * @param embeds (tokens, width)
 * @param pooled the pooled embedding, empty where the denoiser takes none
 */
public record PromptRow(
        String promptId,
        String text,
        int tokens,
        int width,
        byte[] embeds,
        byte[] pooled,
        String checkpointFingerprint) {}
