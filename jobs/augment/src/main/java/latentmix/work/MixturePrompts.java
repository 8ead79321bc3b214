package latentmix.work;

import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.latent.MixturePrompt;
import latentmix.model.PromptEmbeds;
import latentmix.plan.GenerationChunk;
import latentmix.sampling.Conditioning;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;

/**
 * What the network is told when mixtures are generated: their class's prompt, the prompt that the heaviest input was
 * inverted with, or the sum of what all inputs were inverted with,
 *
 * <pre>c' = Σ w_i · c_i.</pre>
 *
 * A mixture without inputs has its class's prompt. One with a context is told that on the whole way, or for a share of
 * the steps and its class's prompt for the rest.
 *
 * @param inverted what the pool's images were inverted with, by image id; not looked at for the class's prompt
 */
record MixturePrompts(Prompts prompts, MixturePrompt how, Map<String, String> inverted) {
    /** The prompts of a chunk's mixtures. */
    static MixturePrompts of(Prompts prompts, MixturePrompt how, RunFolder run, GenerationChunk chunk)
            throws IOException {
        return new MixturePrompts(prompts, how, chunk.pool().prompts(run));
    }

    /** What a mixture's inputs were inverted with, in their order. */
    List<String> ofInputs(MixedTable.Start mixture) {
        return mixture.sourcePrompts().isEmpty()
                ? mixture.sourceIds().stream().map(inverted::get).toList()
                : mixture.sourcePrompts();
    }

    /**
     * What mixtures of the same shares are told on their way.
     *
     * @param steps that they take
     */
    Conditioning conditioning(List<MixedTable.Start> mixtures, int steps, NDManager manager) {
        List<Double> shares = mixtures.get(0).promptShares();
        if (shares.isEmpty()) {
            return Conditioning.of(embeds(mixtures, manager));
        }
        PromptEmbeds first = ofContexts(mixtures, 0, manager);
        return shares.size() == 1
                ? Conditioning.of(first)
                : new Conditioning(
                        first, Math.max(1, (int) Math.round(shares.get(0) * steps)), ofContexts(mixtures, 1, manager));
    }

    private PromptEmbeds ofContexts(List<MixedTable.Start> mixtures, int part, NDManager manager) {
        return prompts.embeds(
                mixtures.stream().map(mixture -> mixture.prompts().get(part)).toList(), manager);
    }

    /** One row for each mixture, or one for all. */
    private PromptEmbeds embeds(List<MixedTable.Start> mixtures, NDManager manager) {
        return switch (how) {
            case CLASS ->
                prompts.embeds(mixtures.stream().map(MixedTable.Start::prompt).toList(), manager);
            case HEAVIEST ->
                prompts.embeds(mixtures.stream().map(this::heaviest).toList(), manager);
            case MIX ->
                mixtures.stream()
                        .map(mixture -> prompts.sum(shares(mixture), manager))
                        .reduce(PromptEmbeds::concat)
                        .orElseThrow();
        };
    }

    /** The prompt of the input of the largest weight, of the first of several. */
    private String heaviest(MixedTable.Start mixture) {
        List<Double> weights = mixture.weights();
        int heaviest = 0;
        for (int i = 1; i < weights.size(); i++) {
            heaviest = weights.get(i) > weights.get(heaviest) ? i : heaviest;
        }
        return weights.isEmpty() ? mixture.prompt() : ofInputs(mixture).get(heaviest);
    }

    /** The weight of each distinct prompt. */
    private Map<String, Double> shares(MixedTable.Start mixture) {
        Map<String, Double> shares = new LinkedHashMap<>();
        List<String> texts = ofInputs(mixture);
        for (int i = 0; i < texts.size(); i++) {
            shares.merge(texts.get(i), mixture.weights().get(i), Double::sum);
        }
        return shares.isEmpty() ? Map.of(mixture.prompt(), 1.0) : shares;
    }
}
