package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.latent.Sdedit;
import latentmix.latent.WeightSampler;
import latentmix.table.ContentId;
import latentmix.table.LatentColumn;
import latentmix.table.MixedRow;
import latentmix.table.RejectedRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;

/** Mixes a chunk: draws its recipes, streams the class's latents through one matrix product, publishes the mixtures. */
public final class MixingWork {
    /** The stage's name in {@code rejected}. */
    public static final String STAGE = "mix";

    /**
     * A range of mixtures of one class and one entry of the configuration.
     *
     * @param poolId the pool that was planned for; the work refuses another
     * @param inverted the chunks of the inverted table that make up the pool
     */
    public record Chunk(
            String id,
            ClassLabel label,
            MixingSettings settings,
            String settingsId,
            String poolId,
            List<String> inverted,
            List<Integer> ks)
            implements Serializable {
        /** The chunk's id in the mixed table. */
        public static String id(
                MixingSettings settings, String settingsId, String classId, String poolId, List<Integer> ks) {
            List<String> parts = new ArrayList<>(List.of(settingsId));
            ks.forEach(k -> parts.add(settings.mixId(settingsId, classId, poolId, k)));
            return ContentId.of(parts);
        }
    }

    private final RunFolder run;
    private final LongConsumer progress;

    public MixingWork(RunFolder run, LongConsumer progress) {
        this.run = run;
        this.progress = progress;
    }

    /** Mixes the chunk and publishes its rejected rows, then its rows. */
    public ChunkResult mix(Chunk chunk) throws IOException {
        long start = System.nanoTime();
        MixingSettings settings = chunk.settings();
        ClassLabel label = chunk.label();
        InvertedPool pool = new InvertedPool(run, label.classId(), chunk.inverted());
        if (!pool.id(label.prompt()).equals(chunk.poolId())) {
            throw new IOException("The inverted rows of class " + label.classId()
                    + " must be those that were planned for, but they changed meanwhile; run again");
        }
        List<MixedRow> rows = new ArrayList<>();
        List<RejectedRow> rejected = new ArrayList<>();
        List<Integer> drawn = new ArrayList<>();
        List<Recipe> recipes = new ArrayList<>();
        for (int k : chunk.ks()) {
            try {
                recipes.add(recipe(settings, label, chunk.poolId(), pool.size(), k));
                drawn.add(k);
            } catch (IllegalArgumentException e) {
                rejected.add(rejected(chunk, k, "pool too small", e.getMessage()));
            }
        }
        List<Mixture> mixtures = recipes.isEmpty() ? List.of() : Mixer.mix(pool, recipes);
        Map<String, LatentColumn> originals = pool.encoded(recipes.stream()
                .filter(recipe -> recipe.method() instanceof Sdedit)
                .map(recipe -> pool.imageIds().get(recipe.inputs()[0]))
                .collect(Collectors.toSet()));
        for (int i = 0; i < mixtures.size(); i++) {
            int k = drawn.get(i);
            if (mixtures.get(i) instanceof Mixture.Mixed mixed) {
                rows.add(row(chunk, k, recipes.get(i), mixed, pool, originals));
            } else if (mixtures.get(i) instanceof Mixture.Undefined undefined) {
                rejected.add(rejected(chunk, k, undefined.reason(), detail(recipes.get(i))));
            }
        }
        if (!rejected.isEmpty()) {
            run.publish(run.rejected(STAGE, chunk.id()), RowFile.bytes(RejectedRow.class, rejected));
        }
        run.publish(run.chunk(Table.MIXED, label.classId(), chunk.id()), RowFile.bytes(MixedRow.class, rows));
        progress.accept(chunk.ks().size());
        return new ChunkResult(rows.size(), rejected.size(), 0, (System.nanoTime() - start) / 1e9);
    }

    private static Recipe recipe(MixingSettings settings, ClassLabel label, String poolId, int size, int k) {
        return new RecipeSampler(
                        Method.parse(settings.method(k)),
                        InputCount.parse(settings.inputs(k)),
                        WeightSampler.parse(settings.weights()),
                        Recipe.Pool.parse(settings.pool()))
                .draw(settings.drawId(label.classId(), poolId, k), size);
    }

    private static String detail(Recipe recipe) {
        return "method " + recipe.method() + " is not defined on these " + recipe.inputs().length
                + " inputs, which cancel each other";
    }

    private static MixedRow row(
            Chunk chunk,
            int k,
            Recipe recipe,
            Mixture.Mixed mixed,
            InvertedPool pool,
            Map<String, LatentColumn> originals) {
        ClassLabel label = chunk.label();
        List<String> sources =
                Arrays.stream(recipe.inputs()).mapToObj(pool.imageIds()::get).toList();
        return new MixedRow(
                chunk.settings().mixId(chunk.settingsId(), label.classId(), chunk.poolId(), k),
                label.classId(),
                label.label(),
                label.className(),
                label.prompt(),
                k,
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
                recipe.method() instanceof Sdedit ? originals.get(sources.get(0)) : LatentColumn.NONE,
                chunk.settingsId());
    }

    private static RejectedRow rejected(Chunk chunk, int k, String reason, String detail) {
        String classId = chunk.label().classId();
        String mixId = chunk.settings().mixId(chunk.settingsId(), classId, chunk.poolId(), k);
        return new RejectedRow(STAGE, classId, mixId, "", reason, detail, chunk.settingsId());
    }
}
