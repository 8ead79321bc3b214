package latentmix.work;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import latentmix.image.DifferenceHash;
import latentmix.image.PixelScores;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.inversion.InversionMethod;
import latentmix.inversion.Sampler;
import latentmix.latent.Latent;
import latentmix.latent.MixturePrompt;
import latentmix.latent.Shape;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.plan.ClassLabel;
import latentmix.plan.GenerationChunk;
import latentmix.plan.GenerationSettings;
import latentmix.sampling.Conditioning;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Solver;
import latentmix.schedule.Step;
import latentmix.table.GeneratedRow;
import latentmix.table.GeneratedTable;
import latentmix.table.LatentColumn;
import latentmix.table.MixedTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/** Generates a chunk of mixtures: run the sampling table, decode, publish the images. */
public final class GenerationWork {
    /** A micro-batch and what its sampling begins with. */
    private record Batch(List<MixedTable.Start> mixtures, List<LatentColumn> latents) {
        Batch part(int from, int to) {
            return new Batch(mixtures.subList(from, to), latents.subList(from, to));
        }
    }

    /** What the mixtures of a micro-batch have in common: a table of steps and a guidance scale. */
    private record Way(double strength, double guidance) implements Comparable<Way> {
        private static final Comparator<Way> ORDER =
                Comparator.comparingDouble(Way::strength).thenComparingDouble(Way::guidance);

        @Override
        public int compareTo(Way other) {
            return ORDER.compare(this, other);
        }
    }

    private record Generated(List<MixedTable.Start> mixtures, float[] images, int height, int width, int halvings) {
        boolean finite(int row) {
            for (int i = row * plane(); i < (row + 1) * plane(); i++) {
                if (!Float.isFinite(images[i])) {
                    return false;
                }
            }
            return true;
        }

        Pixels pixels(int row) {
            return Pixels.ofChw(images, row * plane(), width, height);
        }

        private int plane() {
            return 3 * height * width;
        }
    }

    private final RunFolder run;
    private final ModelOnDevice model;
    private final GenerationSettings settings;
    private final String settingsId;
    private final LongConsumer progress;

    public GenerationWork(
            RunFolder run, ModelOnDevice model, GenerationSettings settings, String settingsId, LongConsumer progress) {
        this.run = run;
        this.model = model.expecting(settings.checkpointFingerprint());
        this.settings = settings;
        this.settingsId = settingsId;
        this.progress = progress;
    }

    /** Generates the chunk's images and publishes its rejected rows, then its rows. */
    public ChunkResult generate(GenerationChunk chunk) throws IOException {
        long start = System.nanoTime();
        List<MixedTable.Start> mixtures = new MixedTable(run, chunk.classId()).starts(chunk.mixed());
        List<GeneratedRow> rows = new ArrayList<>();
        List<RejectedRow> rejected = new ArrayList<>();
        Map<Way, List<MixedTable.Start>> byWay = new TreeMap<>();
        mixtures.forEach(mixture ->
                byWay.computeIfAbsent(way(mixture), way -> new ArrayList<>()).add(mixture));
        long evaluations = 0;
        Scheduler scheduler = model.scheduler(Solver.parse(settings.solver())).startingAt(settings.noisiest());
        InversionMethod method = InversionMethod.parse(settings.inversionMethod(), settings.guidance());
        Optional<Companions> companions = method.hasCompanion()
                ? Optional.of(new Companions(run, chunk.label().classId(), settings.inversion()))
                : Optional.empty();
        Prompts prompts = new Prompts(run, settings.checkpointFingerprint());
        MixturePrompt how = MixturePrompt.parse(settings.mixturePrompt());
        MixturePrompts told = how == MixturePrompt.CLASS && companions.isEmpty()
                ? new MixturePrompts(prompts, how, Map.of())
                : MixturePrompts.of(prompts, how, run, chunk);
        try (NDManager arrays = model.arrays()) {
            PromptEmbeds unconditional = prompts.embeds(List.of(settings.negative()), arrays);
            Denoiser denoiser = model.denoiser(run, chunk.label(), arrays);
            for (Map.Entry<Way, List<MixedTable.Start>> ways : byWay.entrySet()) {
                List<MixedTable.Start> same = ways.getValue();
                Way way = ways.getKey();
                List<Step> table = scheduler.tail(settings.steps(), settings.steps(way.strength()));
                Guidance guidance = new Guidance(way.guidance(), settings.guidanceLeast(), settings.guidanceMost());
                Sampler sampler = method.sampling(new DenoisingLoop(table, denoiser, guidance), scheduler);
                evaluations += sampler.evaluations(same.size());
                double first = table.get(0).timestep();
                Overlap.run(
                        Batches.of(same, settings.batch()),
                        batch -> new Batch(batch, noised(batch, scheduler, first)),
                        batch -> MicroBatch.run(
                                batch.mixtures().size(),
                                model.device(),
                                (from, to, halvings) -> sample(
                                        batch.part(from, to),
                                        halvings,
                                        sampler,
                                        table.size(),
                                        companions,
                                        told,
                                        unconditional,
                                        arrays)),
                        parts -> parts.forEach(generated -> {
                            for (int i = 0; i < generated.mixtures().size(); i++) {
                                keep(generated, i, chunk.label(), rows, rejected);
                            }
                            progress.accept(generated.mixtures().size());
                        }));
            }
        }
        new GeneratedTable(run, chunk.classId()).commit(chunk.id(), rows, rejected);
        return new ChunkResult(rows.size(), rejected.size(), evaluations, (System.nanoTime() - start) / 1e9);
    }

    private Way way(MixedTable.Start mixture) {
        return new Way(
                mixture.strength(),
                mixture.guidance().isEmpty()
                        ? settings.guidance()
                        : mixture.guidance().get(0));
    }

    private Generated sample(
            Batch start,
            int halvings,
            Sampler sampler,
            int steps,
            Optional<Companions> companions,
            MixturePrompts told,
            PromptEmbeds unconditional,
            NDManager arrays) {
        try (NDManager scope = arrays.newSubManager()) {
            List<MixedTable.Start> batch = start.mixtures();
            NDArray noise = Latents.onto(scope, start.latents()); // (B, C, h, w)
            Conditioning conditional = told.conditioning(batch, steps, scope);
            Optional<NDArray> companion = companions.map(table -> table.mixed(
                    batch.stream()
                            .map(row -> new Companions.Mixture(told.ofInputs(row), row.sourceIds(), row.weights()))
                            .toList(),
                    scope));
            NDArray latents = sampler.sample(noise, conditional, unconditional, companion);
            NDArray images = model.decoder().decode(latents); // (B, 3, H, W)
            return new Generated(
                    batch,
                    images.toFloatArray(),
                    (int) images.getShape().get(2),
                    (int) images.getShape().get(3),
                    halvings);
        }
    }

    private static List<LatentColumn> noised(List<MixedTable.Start> batch, Scheduler scheduler, double timestep) {
        return batch.stream()
                .map(mixture -> noised(mixture, scheduler, timestep))
                .toList();
    }

    /** What sampling begins with: the mixture, or its original noised to the first step's level. */
    private static LatentColumn noised(MixedTable.Start mixture, Scheduler scheduler, double timestep) {
        if (mixture.original().isNone()) {
            return mixture.latent();
        }
        Shape shape = mixture.latent().shape();
        float[] original = mixture.original().latent().toFloats();
        float[] noise = mixture.latent().latent().toFloats();
        return LatentColumn.of(Latent.ofFloats(shape, scheduler.addNoise(original, noise, timestep)));
    }

    private void keep(
            Generated generated, int i, ClassLabel label, List<GeneratedRow> rows, List<RejectedRow> rejected) {
        String mixId = generated.mixtures().get(i).mixId();
        if (!generated.finite(i)) {
            rejected.add(new RejectedRow(
                    StageName.GENERATE,
                    label.classId(),
                    mixId,
                    "",
                    Latents.NOT_FINITE,
                    "the network gave NaN or infinity for this mixture",
                    settingsId));
            return;
        }
        Pixels pixels = generated.pixels(i);
        PixelScores scores = PixelScores.of(pixels);
        rows.add(new GeneratedRow(
                mixId,
                label.classId(),
                label.label(),
                label.className(),
                new GeneratedRow.EncodedImage(
                        PngEncoder.encode(pixels), label.classId() + "/" + mixId + "." + settings.format()),
                generated.width(),
                generated.height(),
                scores.entropy(),
                scores.clipped(),
                scores.saturation(),
                scores.sharpness(),
                DifferenceHash.of(pixels),
                generated.halvings(),
                settingsId));
    }
}
