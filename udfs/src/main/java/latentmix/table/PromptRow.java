package latentmix.table;

/** A distinct prompt and its embeddings: {@code embeds} is (tokens, width) float32, little-endian. */
public record PromptRow(
        String promptId, String text, int tokens, int width, byte[] embeds, String checkpointFingerprint) {}
