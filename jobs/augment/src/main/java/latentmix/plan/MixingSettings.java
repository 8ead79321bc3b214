package latentmix.plan;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;
import java.util.List;
import latentmix.latent.DiffMix;
import latentmix.latent.Method;
import latentmix.latent.WeightSampler;
import latentmix.table.ContentId;

/**
 * A grid of mixtures over the inverted latents of a class: every method with every input count.
 *
 * <p>The k-th mixture belongs to cell k mod cells and is that cell's repeat k div cells, so a larger count only adds
 * rows. The draw of inputs and weights depends on the input count and the repeat, not on the method: methods are
 * compared on the same inputs.
 *
 * @param inversion the settings id of the inverted rows that are mixed
 * @param methods such as {@code nin/chm}
 * @param inputs counts such as {@code 8}, or ranges such as {@code 2..8}
 * @param weights such as {@code dirichlet(1)}
 * @param pool {@code all} or {@code leave-inputs-out}: whose mean a cmm split takes
 * @param gate such as {@code refuse(4)}: what happens to mixtures that are predicted to degenerate
 * @param across {@code classes} where inputs are of several; empty, and not written, where they are of one
 */
public record MixingSettings(
        String inversion,
        List<String> methods,
        List<String> inputs,
        String weights,
        String pool,
        String gate,
        long seed,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) String across)
        implements Serializable {
    public MixingSettings {
        methods = List.copyOf(methods);
        inputs = List.copyOf(inputs);
        across = across == null ? "" : across; // which the run folder's file leaves out
    }

    /** Whether mixtures have inputs of other classes, so that their label is soft and other pools count, too. */
    @JsonIgnore
    public boolean isSoft() {
        return !across.isEmpty() || methods.stream().anyMatch(method -> Method.parse(method) instanceof DiffMix);
    }

    /** Methods times input counts. */
    public int cells() {
        return methods.size() * inputs.size();
    }

    /** The k-th mixture's method. */
    public String method(int k) {
        return methods.get(k % cells() % methods.size());
    }

    /** The k-th mixture's number of inputs, a count or a range. */
    public String inputs(int k) {
        return inputs.get(k % cells() / methods.size());
    }

    /** The k-th mixture's id. */
    public String mixId(String settingsId, String classId, String poolId, int k) {
        return ContentId.of(Long.toString(seed), classId, settingsId, poolId, Integer.toString(k));
    }

    /**
     * What seeds the k-th mixture's inputs and weights, as 32 hex digits: the same at every point of a path.
     *
     * @param attempt 0 for the first draw, which methods have in common; above it draws after a gate refused
     */
    public String drawId(String classId, String poolId, int k, int attempt) {
        String drawn = WeightSampler.parse(weights) instanceof WeightSampler.Path ? "path" : weights;
        String first =
                ContentId.of(Long.toString(seed), classId, poolId, inputs(k), drawn, Integer.toString(k / cells()));
        return attempt == 0 ? first : ContentId.of(first, Integer.toString(attempt));
    }
}
