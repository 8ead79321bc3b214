package latentmix.work;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import latentmix.image.Pixels;
import latentmix.inversion.Inversion;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Latent;
import latentmix.latent.RecipeSampler;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.model.TimeIds;
import latentmix.model.Vae;
import latentmix.plan.ClassLabel;
import latentmix.plan.InversionChunk;
import latentmix.plan.InversionSettings;
import latentmix.sampling.Guidance;
import latentmix.source.ImageSource;
import latentmix.table.CaptionsTable;
import latentmix.table.CompanionRow;
import latentmix.table.CompanionsTable;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.InvertedRow;
import latentmix.table.InvertedTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * Inverts a chunk of images: decode, encode to latents, invert, publish what is kept beside the noise, then the noise.
 */
public final class InversionWork {
    private final RunFolder run;
    private final ModelOnDevice model;
    private final SourceImages sources;
    private final InversionSettings settings;
    private final String settingsId;
    private final LongConsumer progress;

    public InversionWork(
            RunFolder run,
            ModelOnDevice model,
            ImageSource images,
            long maxPixels,
            InversionSettings settings,
            String settingsId,
            LongConsumer progress) {
        this.run = run;
        this.model = model.expecting(settings.checkpointFingerprint());
        this.sources = new SourceImages(images, run, maxPixels);
        this.settings = settings;
        this.settingsId = settingsId;
        this.progress = progress;
    }

    private record Decoded(List<ImageRow> rows, List<Pixels> pixels, List<TimeIds> sizes, int asked) {
        Decoded part(int from, int to) {
            return new Decoded(rows.subList(from, to), pixels.subList(from, to), sizes.subList(from, to), to - from);
        }
    }

    private record Inverted(
            List<ImageRow> rows,
            Latents encoded,
            Latents noise,
            Optional<Companions.Batch> companions,
            long evaluations,
            int halvings) {}

    /**
     * What a chunk's images are told.
     *
     * @param captions by image id
     */
    private record Told(String prompt, Map<String, String> captions) {
        String prompt(ImageRow image) {
            return captions.getOrDefault(image.imageId(), prompt);
        }
    }

    /** What inverts a chunk's micro-batches. */
    private record Inverting(
            Inversion inversion,
            Denoiser denoiser,
            Prompts prompts,
            Told told,
            PromptEmbeds unconditional,
            NDManager arrays) {}

    /** A micro-batch, inverted whole or in parts. */
    private record Parts(List<Inverted> parts, int asked) {}

    /** Inverts the chunk and publishes its rejected rows, then its rows. */
    public ChunkResult invert(InversionChunk chunk) throws IOException {
        long start = System.nanoTime();
        Set<String> leftOut = Set.copyOf(chunk.leftOut());
        List<ImageRow> all = new ImagesTable(run, chunk.classId()).chunk(chunk.file(), chunk.images());
        List<ImageRow> images =
                all.stream().filter(row -> !leftOut.contains(row.imageId())).toList();
        List<InvertedRow> rows = new ArrayList<>();
        List<RejectedRow> rejected = new ArrayList<>();
        InversionMethod method = InversionMethod.parse(settings.method(), settings.guidance());
        Inversion inversion = method.inversion(
                model.scheduler(method.solver()),
                settings.steps(),
                new Guidance(settings.guidance()),
                settings.forwardFirst());
        Prompts prompts = new Prompts(run, settings.checkpointFingerprint());
        Told told = told(chunk, all);
        AtomicLong evaluations = new AtomicLong();
        AtomicInteger batches = new AtomicInteger();
        try (NDManager arrays = model.arrays()) {
            PromptEmbeds unconditional = prompts.embeds(List.of(settings.negative()), arrays);
            Denoiser denoiser = model.denoiser(method, run, chunk.label(), arrays);
            Inverting inverting = new Inverting(inversion, denoiser, prompts, told, unconditional, arrays);
            Overlap.run(
                    Batches.of(images, settings.batch()),
                    batch -> decode(batch, rejected),
                    decoded -> invert(decoded, inverting),
                    inverted -> {
                        List<CompanionRow> companions = new ArrayList<>();
                        for (Inverted part : inverted.parts()) {
                            for (int i = 0; i < part.rows().size(); i++) {
                                keep(part, i, chunk.label(), told, rows, companions, rejected);
                            }
                            evaluations.addAndGet(part.evaluations());
                        }
                        publish(companions, chunk, batches.getAndIncrement());
                        progress.accept(inverted.asked());
                    });
        }
        new InvertedTable(run, chunk.classId()).commit(chunk.id(), rows, rejected);
        return new ChunkResult(rows.size(), rejected.size(), evaluations.get(), (System.nanoTime() - start) / 1e9);
    }

    /** What the images are told, which must be what was planned for. */
    private Told told(InversionChunk chunk, List<ImageRow> images) throws IOException {
        String prompt = chunk.label().prompt();
        if (chunk.captions().isEmpty()) {
            return new Told(prompt, Map.of());
        }
        Map<String, String> captions = new CaptionsTable(run, chunk.classId()).captions();
        List<String> ids = images.stream().map(ImageRow::imageId).toList();
        if (!InversionChunk.captions(prompt, ids, captions).equals(chunk.captions())) {
            throw new IOException("The captions of class " + chunk.classId()
                    + " must be those that were planned for, but they changed meanwhile; run again");
        }
        return new Told(prompt, captions);
    }

    private Decoded decode(List<ImageRow> batch, List<RejectedRow> rejected) {
        List<ImageRow> rows = new ArrayList<>();
        List<Pixels> pixels = new ArrayList<>();
        List<TimeIds> sizes = new ArrayList<>();
        for (ImageRow row : batch) {
            try {
                SourceImages.Opened opened = sources.open(row);
                if (opened instanceof SourceImages.Image image) {
                    pixels.add(image.square(settings.size()));
                    sizes.add(image.timeIds(settings.size()));
                    rows.add(row);
                } else if (opened instanceof SourceImages.Refused refused) {
                    rejected.add(rejected(row, refused.reason(), refused.detail()));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return new Decoded(rows, pixels, sizes, batch.size());
    }

    private Parts invert(Decoded decoded, Inverting inverting) {
        if (decoded.pixels().isEmpty()) {
            return new Parts(List.of(), decoded.asked());
        }
        MicroBatch.Call<Inverted> call = (from, to, halvings) -> invert(decoded.part(from, to), halvings, inverting);
        return new Parts(MicroBatch.run(decoded.pixels().size(), model.device(), call), decoded.asked());
    }

    private Inverted invert(Decoded decoded, int halvings, Inverting inverting) {
        List<ImageRow> rows = decoded.rows();
        try (NDManager scope = inverting.arrays().newSubManager()) {
            NDArray latents = model.encoder().encode(Vae.images(scope, decoded.pixels())); // (B, C, h, w)
            List<UniformRandomProvider> random =
                    rows.stream().map(row -> RecipeSampler.rng(row.imageId())).toList();
            PromptEmbeds conditional = inverting
                    .prompts()
                    .embeds(rows.stream().map(inverting.told()::prompt).toList(), scope);
            Denoiser denoiser = inverting.denoiser();
            Inversion.Inverted inverted = inverting
                    .inversion()
                    .invert(
                            denoiser,
                            new Inversion.Batch(
                                    latents,
                                    denoiser.sized(conditional, decoded.sizes(), scope),
                                    denoiser.sized(inverting.unconditional(), decoded.sizes(), scope),
                                    random));
            return new Inverted(
                    rows,
                    Latents.of(latents),
                    Latents.of(inverted.noise()),
                    inverted.companion().map(Companions.Batch::of),
                    inverted.evaluations(),
                    halvings);
        }
    }

    private void keep(
            Inverted inverted,
            int i,
            ClassLabel label,
            Told told,
            List<InvertedRow> rows,
            List<CompanionRow> companions,
            List<RejectedRow> rejected) {
        ImageRow image = inverted.rows().get(i);
        Latents latents = inverted.noise();
        if (!latents.finite(i)
                || !inverted.companions().map(batch -> batch.finite(i)).orElse(true)) {
            rejected.add(rejected(image, Latents.NOT_FINITE, "the network gave NaN or infinity for this image"));
            return;
        }
        inverted.companions()
                .ifPresent(batch ->
                        companions.add(batch.row(i, image.imageId(), image.classId(), told.prompt(image), settingsId)));
        Latent latent = latents.latent(i);
        rows.add(new InvertedRow(
                image.imageId(),
                image.classId(),
                label.label(),
                label.className(),
                image.path(),
                told.prompt(image),
                latents.column(i),
                latent.norm(),
                Latents.boxed(latent.channelMeans()),
                inverted.encoded().column(i),
                inverted.halvings(),
                settingsId,
                settings.checkpointFingerprint()));
    }

    /** A micro-batch's companions; a chunk's last file says that it is done, so they go first. */
    private void publish(List<CompanionRow> companions, InversionChunk chunk, int batch) {
        try {
            new CompanionsTable(run, chunk.classId()).publish(chunk.id(), batch, companions);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private RejectedRow rejected(ImageRow row, String reason, String detail) {
        return new RejectedRow(StageName.INVERT, row.classId(), row.imageId(), row.path(), reason, detail, settingsId);
    }
}
