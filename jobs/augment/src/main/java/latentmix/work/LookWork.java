package latentmix.work;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;
import latentmix.image.DifferenceHash;
import latentmix.image.PixelScores;
import latentmix.image.Pixels;
import latentmix.plan.FeatureChunk;
import latentmix.source.ImageSource;
import latentmix.table.ImageRow;
import latentmix.table.ImagesTable;
import latentmix.table.LookRow;
import latentmix.table.LooksTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/**
 * Scores the pixels of a chunk of real images as those of images made are scored: at the run's size.
 *
 * @param tables the folder of the tables that list the images
 * @param settings what decides the scores beside the images
 */
public record LookWork(
        RunFolder run, String tables, ImageSource source, long maxPixels, Settings settings, String settingsId) {
    /**
     * What decides what an image looks like.
     *
     * @param size pixels of a side of its middle square
     */
    public record Settings(int size) implements java.io.Serializable {}

    /** Publishes the images that cannot be opened, then what the others look like. */
    public ChunkResult look(FeatureChunk chunk, LongConsumer progress) throws IOException {
        long start = System.nanoTime();
        RunFolder listing = new RunFolder(tables, run.conf());
        SourceImages images = new SourceImages(source, listing, maxPixels);
        Set<String> leftOut = Set.copyOf(chunk.leftOut());
        List<LookRow> rows = new ArrayList<>();
        List<RejectedRow> rejected = new ArrayList<>();
        for (ImageRow row : new ImagesTable(listing, chunk.classId()).chunk(chunk.file(), chunk.chunk())) {
            if (leftOut.contains(row.imageId())) {
                continue;
            }
            SourceImages.Opened opened = images.open(row);
            if (opened instanceof SourceImages.Image image) {
                rows.add(row(row, image.square(settings.size())));
            } else if (opened instanceof SourceImages.Refused refused) {
                rejected.add(new RejectedRow(
                        StageName.FILTER,
                        row.classId(),
                        row.imageId(),
                        row.path(),
                        refused.reason(),
                        refused.detail(),
                        settingsId));
            }
            progress.accept(1);
        }
        new LooksTable(run, chunk.classId()).commit(chunk.id(), rows, rejected);
        return new ChunkResult(rows.size(), rejected.size(), 0, (System.nanoTime() - start) / 1e9);
    }

    private LookRow row(ImageRow row, Pixels pixels) {
        PixelScores scores = PixelScores.of(pixels);
        return new LookRow(
                row.imageId(),
                row.classId(),
                scores.entropy(),
                scores.clipped(),
                scores.saturation(),
                scores.sharpness(),
                DifferenceHash.of(pixels),
                settingsId);
    }
}
