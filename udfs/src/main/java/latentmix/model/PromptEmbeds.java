package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;

/**
 * What a denoiser is told, by the names of diffusers' pipelines: {@code prompt_embeds} and, where the network takes
 * them, {@code pooled_prompt_embeds} and {@code add_time_ids}. Rows are prompts.
 *
 * @param arrays float32: hidden states (B, L, width), perhaps a pooled embedding (B, pooledWidth), and after that
 *     perhaps what is said of the image's size (B, 6), which {@link Denoiser#sized} adds
 */
public record PromptEmbeds(NDList arrays) {
    public PromptEmbeds {
        if (arrays.isEmpty()
                || arrays.size() > 3
                || arrays.get(0).getShape().dimension() != 3
                || arrays.subList(1, arrays.size()).stream()
                        .anyMatch(more -> more.getShape().dimension() != 2
                                || more.size(0) != arrays.get(0).size(0))) {
            throw new IllegalArgumentException(
                    "Prompt embeddings must be (B, L, width), and perhaps pooled ones (B, width) and sizes (B, 6),"
                            + " cannot be: "
                            + arrays.stream().map(NDArray::getShape).toList());
        }
    }

    /** Hidden states (B, L, width) alone. */
    public static PromptEmbeds of(NDArray hiddenStates) {
        return new PromptEmbeds(new NDList(hiddenStates));
    }

    /** Hidden states (B, L, width) and pooled embeddings (B, pooledWidth). */
    public static PromptEmbeds of(NDArray hiddenStates, NDArray pooled) {
        return new PromptEmbeds(new NDList(hiddenStates, pooled));
    }

    /** {@code prompt_embeds}, (B, L, width). */
    public NDArray hiddenStates() {
        return arrays.get(0);
    }

    /** {@code pooled_prompt_embeds}, (B, pooledWidth). */
    public NDArray pooled() {
        if (arrays.size() < 2) {
            throw new IllegalStateException("These prompt embeddings have no pooled part");
        }
        return arrays.get(1);
    }

    /** Whether they say what size the image has. */
    boolean areSized() {
        return arrays.size() > 2;
    }

    /** The same with {@code add_time_ids}, (B, 6), in place of those that there may be. */
    PromptEmbeds withTimeIds(NDArray timeIds) {
        return new PromptEmbeds(new NDList(hiddenStates(), pooled(), timeIds));
    }

    /** The number of rows, B. */
    public long rows() {
        return hiddenStates().getShape().get(0);
    }

    /**
     * A copy with so many rows, which the given manager owns. This must have as many rows, or one, which is repeated.
     */
    public PromptEmbeds rows(long rows, NDManager owner) {
        if (rows() != rows && rows() != 1) {
            throw new IllegalArgumentException(
                    "Embeddings must have 1 row or the latents' " + rows + ", cannot have: " + rows());
        }
        NDList copies = new NDList();
        for (NDArray array : arrays) {
            NDArray copy = array.duplicate();
            copy.attach(owner);
            copies.add(rows() == rows ? copy : copy.repeat(0, rows));
        }
        return new PromptEmbeds(copies);
    }

    /** These rows followed by the others, attached to the manager of these. */
    public PromptEmbeds concat(PromptEmbeds those) {
        if (arrays.size() != those.arrays.size()) {
            throw new IllegalArgumentException(
                    "Rows must have the same parts, " + arrays.size() + ", cannot have: " + those.arrays.size());
        }
        NDList both = new NDList();
        for (int i = 0; i < arrays.size(); i++) {
            both.add(arrays.get(i).concat(those.arrays.get(i), 0));
        }
        return new PromptEmbeds(both);
    }
}
