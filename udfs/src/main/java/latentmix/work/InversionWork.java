package latentmix.work;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.LongConsumer;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.latent.Latent;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Solver;
import latentmix.table.ContentId;
import latentmix.table.ImageRow;
import latentmix.table.InvertedRow;
import latentmix.table.RejectedRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.security.AccessControlException;

/** Inverts a chunk of images: decode, encode to latents, run the inversion table, publish the noisy latents. */
public final class InversionWork {
    /** The stage's name in {@code rejected}. */
    public static final String STAGE = "invert";

    /**
     * A chunk of the images table.
     *
     * @param id the chunk's id in the inverted table
     * @param file the images table's file that holds it
     * @param images the chunk's id in the images table
     */
    public record Chunk(String id, ClassLabel label, String file, String images, int rows) implements Serializable {
        /** The chunk's id in the inverted table: what it holds, and how and with which prompt it is inverted. */
        public static String id(String settingsId, String prompt, String images) {
            return ContentId.of(settingsId, prompt, images);
        }
    }

    private final RunFolder run;
    private final ModelOnDevice model;
    private final Path input;
    private final long maxPixels;
    private final InversionSettings settings;
    private final String settingsId;
    private final LongConsumer progress;

    public InversionWork(
            RunFolder run,
            ModelOnDevice model,
            String input,
            long maxPixels,
            InversionSettings settings,
            String settingsId,
            LongConsumer progress) {
        this.run = run;
        this.model = model;
        this.input = new Path(input);
        this.maxPixels = maxPixels;
        this.settings = settings;
        this.settingsId = settingsId;
        this.progress = progress;
    }

    private record Decoded(List<ImageRow> rows, List<Pixels> pixels, int asked) {}

    /** A micro-batch at both ends of its inversion. */
    private record Ends(Latents encoded, Latents latents) {
        static final Ends NONE = new Ends(Latents.NONE, Latents.NONE);
    }

    private record Inverted(List<ImageRow> rows, Ends ends, int asked) {}

    /** Inverts the chunk and publishes its rejected rows, then its rows. */
    public ChunkResult invert(Chunk chunk) throws IOException {
        long start = System.nanoTime();
        List<ImageRow> images = RowFile.read(
                        run.chunk(Table.IMAGES, chunk.label().classId(), chunk.file()), run.conf(), ImageRow.class)
                .stream()
                .filter(row -> row.chunk().equals(chunk.images()))
                .sorted(Comparator.comparingInt(ImageRow::position))
                .toList();
        List<InvertedRow> rows = new ArrayList<>();
        List<RejectedRow> rejected = new ArrayList<>();
        DenoisingLoop loop = new DenoisingLoop(
                model.scheduler(Solver.parse(settings.method())).inversion(settings.steps()),
                model.denoiser(),
                new Guidance(settings.guidance()));
        Prompts prompts = new Prompts(run, settings.checkpointFingerprint());
        long evaluations;
        try (NDManager arrays = model.arrays()) {
            PromptEmbeds conditional = prompts.embeds(List.of(chunk.label().prompt()), arrays);
            PromptEmbeds unconditional = prompts.embeds(List.of(settings.negative()), arrays);
            Overlap.run(
                    Batches.of(images, settings.batch()),
                    batch -> decode(batch, rejected),
                    decoded -> new Inverted(
                            decoded.rows(),
                            invert(decoded.pixels(), loop, conditional, unconditional, arrays),
                            decoded.asked()),
                    inverted -> {
                        for (int i = 0; i < inverted.rows().size(); i++) {
                            keep(inverted.rows().get(i), inverted.ends(), i, chunk.label(), rows, rejected);
                        }
                        progress.accept(inverted.asked());
                    });
            evaluations = loop.evaluations(images.size() - unread(rejected));
        }
        if (!rejected.isEmpty()) {
            run.publish(run.rejected(STAGE, chunk.id()), RowFile.bytes(RejectedRow.class, rejected));
        }
        run.publish(
                run.chunk(Table.INVERTED, chunk.label().classId(), chunk.id()), RowFile.bytes(InvertedRow.class, rows));
        return new ChunkResult(rows.size(), rejected.size(), evaluations, (System.nanoTime() - start) / 1e9);
    }

    private static long unread(List<RejectedRow> rejected) {
        return rejected.stream()
                .filter(row -> !row.reason().equals(Latents.NOT_FINITE))
                .count();
    }

    private Decoded decode(List<ImageRow> batch, List<RejectedRow> rejected) {
        List<ImageRow> rows = new ArrayList<>();
        List<Pixels> pixels = new ArrayList<>();
        for (ImageRow row : batch) {
            try {
                byte[] file = run.read(new Path(input, row.path()));
                if (ContentId.of(row.classId(), file).equals(row.imageId())) {
                    pixels.add(Resize.square(ImageDecoder.decode(file, maxPixels), settings.size()));
                    rows.add(row);
                } else {
                    rejected.add(rejected(row, "changed", "the file has other bytes than when it was listed"));
                }
            } catch (UnreadableImage e) {
                rejected.add(rejected(row, e.reason().toString(), e.detail()));
            } catch (FileNotFoundException | AccessControlException e) {
                rejected.add(rejected(row, "unreadable", e.getMessage()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return new Decoded(rows, pixels, batch.size());
    }

    private Ends invert(
            List<Pixels> pixels,
            DenoisingLoop loop,
            PromptEmbeds conditional,
            PromptEmbeds unconditional,
            NDManager arrays) {
        if (pixels.isEmpty()) {
            return Ends.NONE;
        }
        try (NDManager scope = arrays.newSubManager()) {
            int size = settings.size();
            float[] values = new float[pixels.size() * 3 * size * size];
            for (int i = 0; i < pixels.size(); i++) {
                System.arraycopy(pixels.get(i).toChw(), 0, values, i * 3 * size * size, 3 * size * size);
            }
            NDArray images = scope.create(values, new ai.djl.ndarray.types.Shape(pixels.size(), 3, size, size));
            NDArray latents = model.encoder().encode(images); // (B, C, h, w)
            return new Ends(Latents.of(latents), Latents.of(loop.run(latents, conditional, unconditional)));
        }
    }

    private void keep(
            ImageRow image, Ends ends, int i, ClassLabel label, List<InvertedRow> rows, List<RejectedRow> rejected) {
        Latents latents = ends.latents();
        if (!latents.finite(i)) {
            rejected.add(rejected(image, Latents.NOT_FINITE, "the network gave NaN or infinity for this image"));
            return;
        }
        Latent latent = latents.latent(i);
        rows.add(new InvertedRow(
                image.imageId(),
                image.classId(),
                label.label(),
                label.className(),
                image.path(),
                label.prompt(),
                latents.column(i),
                latent.norm(),
                Latents.boxed(latent.channelMeans()),
                ends.encoded().column(i),
                settingsId,
                settings.checkpointFingerprint()));
    }

    private RejectedRow rejected(ImageRow row, String reason, String detail) {
        return new RejectedRow(STAGE, row.classId(), row.imageId(), row.path(), reason, detail, settingsId);
    }
}
