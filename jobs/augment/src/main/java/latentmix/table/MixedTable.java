package latentmix.table;

import java.io.IOException;
import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.latent.Degeneracy;
import latentmix.table.RunFolder.Table;

/** The mixtures of one class. Rows of a chunk are sorted by k. */
public final class MixedTable extends ChunkTable<MixedRow> {
    /** A row, whole or in part, that tells which mixture it is. */
    public sealed interface Mixture permits Key, Label, Recipe, Sources, Scores, Trail {
        String mixId();

        /** The mixture's number in its entry, class and pool. */
        int k();
    }

    /** Which mixture a row is. */
    public record Key(String mixId, int k, String poolId, String settingsId) implements Mixture {}

    /** Which mixture a row is, and its soft label; that is empty where it is of its class alone. */
    public record Label(
            String mixId,
            int k,
            String poolId,
            String settingsId,
            @OnlyWhereGiven List<String> labelClasses,
            @OnlyWhereGiven List<Double> labelWeights)
            implements Mixture {}

    /** What a mixture was made of, and how. */
    public record Recipe(
            String mixId,
            int k,
            String method,
            List<String> sourceIds,
            List<Double> weights,
            double ess,
            @OnlyWhereGiven List<String> labelClasses,
            @OnlyWhereGiven List<Double> labelWeights)
            implements Mixture {}

    /** Of which images a mixture was made, under which settings. */
    public record Sources(
            String mixId, int k, String poolId, List<String> sourceIds, List<Double> weights, String settingsId)
            implements Mixture {}

    /** How far a mixture is from nominal noise. */
    public record Scores(
            String mixId,
            int k,
            String poolId,
            int attempt,
            double classMeanGain,
            double predictedClassMeanGain,
            Degeneracy degeneracy,
            String settingsId)
            implements Mixture {}

    /** All that says where a mixture comes from. */
    public record Trail(
            String mixId,
            String prompt,
            int k,
            String poolId,
            String method,
            List<String> sourceIds,
            List<Double> weights,
            double ess,
            int attempt,
            double classMeanGain,
            double predictedClassMeanGain,
            Degeneracy degeneracy,
            String settingsId,
            @OnlyWhereGiven List<String> sourceClasses,
            @OnlyWhereGiven List<String> labelClasses,
            @OnlyWhereGiven List<Double> labelWeights,
            @OnlyWhereGiven List<String> prompts,
            @OnlyWhereGiven List<Double> promptShares,
            @OnlyWhereGiven List<Double> guidance)
            implements Mixture {
        /**
         * What it is generated with where contexts are drawn, each prompt with its share of the steps; else nothing.
         */
        public Map<String, Double> contexts() {
            Map<String, Double> contexts = new LinkedHashMap<>();
            for (int i = 0; i < prompts.size(); i++) {
                contexts.merge(prompts.get(i), promptShares.get(i), Double::sum);
            }
            return contexts;
        }
    }

    /** What generation needs of a mixture. */
    public record Start(
            String mixId,
            String prompt,
            List<String> sourceIds,
            List<Double> weights,
            LatentColumn latent,
            double strength,
            LatentColumn original,
            @OnlyWhereGiven List<String> sourcePrompts,
            @OnlyWhereGiven List<String> prompts,
            @OnlyWhereGiven List<Double> promptShares,
            @OnlyWhereGiven List<Double> guidance) {}

    /** A mixture's latent. */
    public record Noise(LatentColumn latent, String poolId, String settingsId) {}

    /**
     * What decides how often a network sees a mixture.
     *
     * @param guidance its own scale; empty where it has that of all
     */
    public record Effort(double strength, @OnlyWhereGiven List<Double> guidance) implements Serializable {}

    public MixedTable(RunFolder run, String classId) {
        super(run, Table.MIXED, StageName.MIX, classId, MixedRow.class);
    }

    /** Which mixtures a chunk holds. */
    public List<Key> keys(String chunk) throws IOException {
        return read(chunk, Key.class);
    }

    /** A chunk's mixtures, only the columns of {@code projection}; reads no latent. */
    public <M extends Record & Mixture> List<M> mixtures(String chunk, Class<M> projection) throws IOException {
        return read(chunk, projection);
    }

    /** What generation needs of a chunk's mixtures, latents included. */
    public List<Start> starts(String chunk) throws IOException {
        return read(chunk, Start.class);
    }

    /** The latents of a chunk's mixtures. */
    public List<Noise> noise(String chunk) throws IOException {
        return read(chunk, Noise.class);
    }

    /** What decides how often a network sees each of a chunk's mixtures. */
    public List<Effort> efforts(String chunk) throws IOException {
        return read(chunk, Effort.class);
    }
}
