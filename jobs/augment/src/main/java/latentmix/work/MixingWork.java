package latentmix.work;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import latentmix.latent.Baseline;
import latentmix.latent.Degeneracy;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Mixture;
import latentmix.latent.PoolBias;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.latent.WeightSampler;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingSettings;
import latentmix.table.LatentColumn;
import latentmix.table.MixedRow;
import latentmix.table.MixedTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/**
 * Mixes a chunk: draws its recipes, streams the class's latents through one matrix product, judges the mixtures where a
 * gate is set, publishes them.
 */
public final class MixingWork {
    /** What the reason in {@code rejected} begins with where a gate refused; the score's name follows. */
    static final String DEGENERATE = "degenerate ";

    /** A mixture that becomes a row. */
    private record Accepted(int k, MixtureInputs.Drawn drawn, Mixture.Mixed mixed, int attempt, Usual usual) {
        Recipe recipe() {
            return drawn.recipe();
        }
    }

    /**
     * What a pool's latents are like, by which its mixtures are judged. It takes passes over the pool, so it is kept
     * for the chunks of the class that this process mixes next.
     *
     * @param classMean C·H·W values
     * @param baseline only where a gate asks for it
     */
    private record Usual(double[] classMean, Optional<Baseline> baseline, PoolBias bias) {
        private static final int KEPT = 4; // classes are mixed one after the other

        private record Key(ClassPool inverted, Set<Method> methods, boolean gated) {}

        private static final Map<Key, Usual> LAST = Collections.synchronizedMap(new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, Usual> eldest) {
                return size() > KEPT;
            }
        });

        static Usual of(ClassPool inverted, InvertedPool pool, Set<Method> methods, boolean gated) {
            Key key = new Key(inverted, methods, gated);
            Usual usual = LAST.get(key);
            if (usual == null) {
                double[] classMean = Baseline.mean(pool);
                usual = new Usual(
                        classMean,
                        gated ? Optional.of(Baseline.of(pool, classMean)) : Optional.empty(),
                        PoolBias.of(pool, classMean, methods));
                LAST.put(key, usual);
            }
            return usual;
        }
    }

    private final RunFolder run;
    private final LongConsumer progress;

    public MixingWork(RunFolder run, LongConsumer progress) {
        this.run = run;
        this.progress = progress;
    }

    /** Mixes the chunk and publishes its rejected rows, then its rows. */
    public ChunkResult mix(MixingChunk chunk) throws IOException {
        long start = System.nanoTime();
        MixtureInputs inputs = new MixtureInputs(run, chunk);
        List<RejectedRow> rejected = new ArrayList<>();
        List<Accepted> accepted = accepted(chunk, inputs, rejected);
        Map<String, LatentColumn> originals =
                inputs.originals(accepted.stream().map(Accepted::drawn).toList());
        List<MixedRow> rows =
                accepted.stream().map(mixture -> row(chunk, mixture, originals)).toList();
        new MixedTable(run, chunk.classId()).commit(chunk.id(), rows, rejected);
        progress.accept(chunk.ks().size());
        return new ChunkResult(rows.size(), rejected.size(), 0, (System.nanoTime() - start) / 1e9);
    }

    /** The chunk's mixtures by k, drawn, mixed and judged; those that are refused are added to the rejected. */
    private static List<Accepted> accepted(MixingChunk chunk, MixtureInputs inputs, List<RejectedRow> rejected)
            throws IOException {
        Gate gate = Gate.parse(chunk.settings().gate());
        Map<Integer, MixtureInputs.Drawn> recipes = recipes(chunk, inputs, chunk.ks(), 0, rejected);
        if (recipes.isEmpty()) {
            return List.of();
        }
        Usual usual = Usual.of(
                chunk.pool(),
                inputs.own(),
                recipes.values().stream().map(drawn -> drawn.recipe().method()).collect(Collectors.toSet()),
                gate.isOn());
        TreeMap<Integer, Accepted> accepted = new TreeMap<>();
        for (int attempt = 0; !recipes.isEmpty(); attempt++) {
            List<Integer> again = new ArrayList<>();
            List<Mixture> mixtures = inputs.mix(List.copyOf(recipes.values()));
            int next = 0;
            for (Map.Entry<Integer, MixtureInputs.Drawn> drawn : recipes.entrySet()) {
                int k = drawn.getKey();
                Recipe recipe = drawn.getValue().recipe();
                Mixture mixture = mixtures.get(next++);
                if (mixture instanceof Mixture.Undefined undefined) {
                    rejected.add(rejected(chunk, k, undefined.reason(), detail(recipe)));
                } else if (mixture instanceof Mixture.Mixed mixed) {
                    Optional<Baseline.Finding> refusal =
                            usual.baseline().flatMap(baseline -> gate.refusal(baseline, mixed.latent()));
                    if (refusal.isEmpty()) {
                        accepted.put(k, new Accepted(k, drawn.getValue(), mixed, attempt, usual));
                    } else if (attempt + 1 < gate.tries()) {
                        again.add(k);
                    } else {
                        rejected.add(rejected(
                                chunk, k, DEGENERATE + refusal.get().score(), detail(recipe, refusal.get(), gate)));
                    }
                }
            }
            recipes = recipes(chunk, inputs, again, attempt + 1, rejected);
        }
        return List.copyOf(accepted.values());
    }

    /** These mixtures as they are drawn, by k; those that the pools are too small for are added to the rejected. */
    private static Map<Integer, MixtureInputs.Drawn> recipes(
            MixingChunk chunk, MixtureInputs inputs, List<Integer> ks, int attempt, List<RejectedRow> rejected) {
        MixingSettings settings = chunk.settings();
        TreeMap<Integer, MixtureInputs.Drawn> recipes = new TreeMap<>();
        for (int k : ks) {
            try {
                RecipeSampler sampler = new RecipeSampler(
                        Method.parse(settings.method(k)),
                        InputCount.parse(settings.inputs(k)),
                        WeightSampler.parse(settings.weights()),
                        Recipe.Pool.parse(settings.pool()));
                String drawId = settings.drawId(chunk.label().classId(), chunk.poolId(), k, attempt);
                recipes.put(k, inputs.draw(sampler, drawId));
            } catch (IllegalArgumentException e) {
                rejected.add(rejected(chunk, k, "pool too small", e.getMessage()));
            }
        }
        return recipes;
    }

    private static String detail(Recipe recipe) {
        return "method " + recipe.method() + " is not defined on these " + recipe.inputs().length
                + " inputs, which cancel each other";
    }

    private static String detail(Recipe recipe, Baseline.Finding finding, Gate gate) {
        return "method " + recipe.method() + " of " + recipe.inputs().length + " inputs: " + finding
                + "; mixing.gate allows " + gate + (gate.tries() > 1 ? ", and this was the last draw" : "");
    }

    private static MixedRow row(MixingChunk chunk, Accepted mixture, Map<String, LatentColumn> originals) {
        ClassLabel label = chunk.label();
        Recipe recipe = mixture.recipe();
        Mixture.Mixed mixed = mixture.mixed();
        List<MixtureInputs.Source> inputs = mixture.drawn().sources();
        List<String> sources =
                inputs.stream().map(MixtureInputs.Source::imageId).toList();
        boolean isSoft = chunk.settings().isSoft();
        return new MixedRow(
                chunk.settings().mixId(chunk.settingsId(), label.classId(), chunk.poolId(), mixture.k()),
                label.classId(),
                label.label(),
                label.className(),
                label.prompt(),
                mixture.k(),
                chunk.poolId(),
                recipe.method().toString(),
                sources,
                Latents.boxed(recipe.weights()),
                mixed.ess(),
                LatentColumn.of(mixed.latent()),
                mixed.norm(),
                Latents.boxed(mixed.channelMeans()),
                mixed.predictedGain(),
                recipe.method().strength(),
                recipe.method().noisesImage() ? originals.get(sources.get(0)) : LatentColumn.NONE,
                mixture.attempt(),
                Baseline.gain(mixture.usual().classMean(), mixed.latent().values()),
                isSoft
                        ? Double.NaN // for one class alone it is known what its inputs share
                        : mixture.usual()
                                .bias()
                                .gain(recipe.method(), recipe.sumOfSquares())
                                .orElse(Double.NaN),
                Degeneracy.of(mixed.latent()),
                chunk.settingsId(),
                isSoft ? inputs.stream().map(MixtureInputs.Source::classId).toList() : List.of(),
                isSoft ? inputs.stream().map(MixtureInputs.Source::prompt).toList() : List.of(),
                List.copyOf(mixture.drawn().label().keySet()),
                List.copyOf(mixture.drawn().label().values()),
                chunk.settings().prompts(label, chunk.poolId(), mixture.k()),
                chunk.settings().promptShares(),
                chunk.settings().guidance(label.classId(), chunk.poolId(), mixture.k()));
    }

    private static RejectedRow rejected(MixingChunk chunk, int k, String reason, String detail) {
        String classId = chunk.label().classId();
        String mixId = chunk.settings().mixId(chunk.settingsId(), classId, chunk.poolId(), k);
        return new RejectedRow(StageName.MIX, classId, mixId, "", reason, detail, chunk.settingsId());
    }
}
