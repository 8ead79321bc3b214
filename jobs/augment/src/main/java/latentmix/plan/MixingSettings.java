package latentmix.plan;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.Serializable;
import java.util.List;
import latentmix.latent.DiffMix;
import latentmix.latent.Method;
import latentmix.latent.RecipeSampler;
import latentmix.latent.WeightSampler;
import latentmix.table.ContentId;
import latentmix.table.MixedTable;

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
 * @param neighbours how many of the images nearest to the first input the others are drawn from; not written where they
 *     are drawn from all
 * @param contexts of the class's prompt, of which a mixture draws one; not written where there are none
 * @param contextShare the share of the sampling steps that are told the context, the first ones
 * @param guidance scales, of which a mixture draws one; not written where all have generation's
 */
public record MixingSettings(
        String inversion,
        List<String> methods,
        List<String> inputs,
        String weights,
        String pool,
        String gate,
        long seed,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) String across,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) int neighbours,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> contexts,
        @JsonInclude(JsonInclude.Include.NON_DEFAULT) double contextShare,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Double> guidance)
        implements Serializable {
    public MixingSettings {
        methods = List.copyOf(methods);
        inputs = List.copyOf(inputs);
        across = across == null ? "" : across; // which the run folder's file leaves out
        contexts = contexts == null ? List.of() : List.copyOf(contexts);
        contextShare = contexts.isEmpty() ? 0 : contextShare;
        guidance = guidance == null ? List.of() : List.copyOf(guidance);
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

    /** What generation tells the k-th mixture, one after the other; nothing where that is the class's prompt alone. */
    public List<String> prompts(ClassLabel label, String poolId, int k) {
        if (contexts.isEmpty()) {
            return List.of();
        }
        String told = label.prompt(drawn(contexts, label.classId(), poolId, k, "context"));
        return contextShare < 1 ? List.of(told, label.prompt()) : List.of(told);
    }

    /** The share of the steps that each of the prompts is told for. */
    public List<Double> promptShares() {
        if (contexts.isEmpty()) {
            return List.of();
        }
        return contextShare < 1 ? List.of(contextShare, 1 - contextShare) : List.of(1.0);
    }

    /** The k-th mixture's guidance scale; none where it is generation's. */
    public List<Double> guidance(String classId, String poolId, int k) {
        return guidance.isEmpty() ? List.of() : List.of(drawn(guidance, classId, poolId, k, "guidance"));
    }

    /** What the k-th mixture takes of the network. */
    public MixedTable.Effort effort(String classId, String poolId, int k) {
        return new MixedTable.Effort(Method.parse(method(k)).strength(), guidance(classId, poolId, k));
    }

    /** All that mixtures take of it. */
    public List<MixedTable.Effort> efforts() {
        List<List<Double>> scales = guidance.isEmpty()
                ? List.of(List.of())
                : guidance.stream().map(List::of).toList();
        return methods.stream()
                .map(method -> Method.parse(method).strength())
                .flatMap(strength -> scales.stream().map(scale -> new MixedTable.Effort(strength, scale)))
                .toList();
    }

    /** As inputs are drawn: methods are compared in the same contexts and at the same guidance. */
    private <T> T drawn(List<T> values, String classId, String poolId, int k, String what) {
        String id = drawId(classId, poolId, k, 0) + " " + what;
        return values.get(RecipeSampler.rng(id).nextInt(values.size()));
    }
}
