package latentmix.stage;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import latentmix.plan.Catalog;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureChunk.Source;
import latentmix.source.ImageSource;
import latentmix.table.LooksTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.LookWork;

/** Scores the pixels of real images once, for whoever compares with them. */
final class LookStage {
    private final RunFolder run;
    private final Tasks tasks;
    private final long maxPixels;
    private final LookWork.Settings settings;
    private final String settingsId;

    LookStage(RunContext context, Preparation preparation) throws IOException {
        this.run = context.run();
        this.tasks = context.tasks();
        this.maxPixels = context.config().input().maxPixels();
        this.settings = new LookWork.Settings(context.settings().inversion().size());
        this.settingsId = preparation.settings(settings);
    }

    /**
     * A class's chunks of the looks table.
     *
     * @param source the input, or a reference
     * @param done the chunks that stand
     */
    List<FeatureChunk> chunks(Source source, Catalog catalog, Set<String> done) {
        return FeatureChunk.of(settingsId, source, catalog, done);
    }

    /** The same of several classes. */
    List<FeatureChunk> chunks(Source source, List<Catalog> catalogs) throws IOException {
        Set<String> done = run.chunks(Table.LOOKS);
        return catalogs.stream()
                .flatMap(catalog -> chunks(source, catalog, done).stream())
                .toList();
    }

    /**
     * Looks at the images of chunks that do not stand.
     *
     * @param tables the folder of the tables that list them
     */
    void look(StageName stage, List<FeatureChunk> chunks, ImageSource source, RunFolder tables) throws IOException {
        Set<String> done = run.chunks(Table.LOOKS);
        List<FeatureChunk> missing =
                chunks.stream().filter(chunk -> !done.contains(chunk.id())).toList();
        LookWork.Settings as = settings;
        String id = settingsId;
        long most = maxPixels;
        String listing = tables.root();
        long images = missing.stream().mapToLong(FeatureChunk::rows).sum();
        tasks.run(
                new Job(stage.text(), "real images", images, Needs.PROCESSOR),
                missing,
                (folder, chunk, progress) -> new LookWork(folder, listing, source, most, as, id).look(chunk, progress));
    }

    /** Those of the chunks that refused images. */
    List<FeatureChunk> refusing(List<FeatureChunk> chunks) throws IOException {
        Set<String> refusing = run.rejectedChunks(StageName.FILTER);
        return chunks.stream().filter(chunk -> refusing.contains(chunk.id())).toList();
    }

    /** Makes chunks missing. */
    void forget(List<FeatureChunk> chunks) {
        tasks.map("forget refused images", chunks, (folder, chunk, progress) -> {
            new LooksTable(folder, chunk.classId()).forget(chunk.id());
            return chunk.id();
        });
    }
}
