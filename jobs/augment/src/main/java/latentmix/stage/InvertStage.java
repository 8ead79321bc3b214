package latentmix.stage;

import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixingChunk;
import latentmix.source.ImageSource;
import latentmix.table.ContentId;
import latentmix.table.InvertedTable;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.InversionWork;

/** Inverts images to noise. A task inverts a chunk of one class's images. */
final class InvertStage {
    private final RunContext context;
    private Map<List<String>, List<MixingChunk.Named>> named = Map.of(); // of the chunks that were asked for last

    InvertStage(RunContext context) {
        this.context = context;
    }

    /** This configuration's chunks of the inverted table, done or not. */
    List<InversionChunk> chunks(List<Catalog> catalogs) throws IOException {
        String settingsId = context.settings().inversionId();
        Set<String> done = context.run().chunks(Table.INVERTED);
        return catalogs.stream()
                .flatMap(catalog -> InversionChunk.of(settingsId, catalog, done).stream())
                .toList();
    }

    /** Those that do not stand yet. */
    List<InversionChunk> missing(List<InversionChunk> chunks) throws IOException {
        Set<String> done = context.run().chunks(Table.INVERTED);
        return chunks.stream().filter(chunk -> !done.contains(chunk.id())).toList();
    }

    /** Those that stand. */
    List<InversionChunk> standing(List<InversionChunk> chunks) throws IOException {
        Set<String> done = context.run().chunks(Table.INVERTED);
        return chunks.stream().filter(chunk -> done.contains(chunk.id())).toList();
    }

    /**
     * The pools of the classes that have any of these chunks that stands; beside each other where mixtures have inputs
     * of several classes.
     */
    List<ClassPool> pools(List<InversionChunk> chunks) throws IOException {
        return among(ClassPool.of(standing(chunks)), chunks);
    }

    /** The same of these classes, one each. */
    List<ClassPool> pools(List<ClassLabel> labels, List<InversionChunk> chunks) throws IOException {
        return among(ClassPool.of(labels, standing(chunks)), chunks);
    }

    private List<ClassPool> among(List<ClassPool> pools, List<InversionChunk> chunks) throws IOException {
        String among = among(chunks);
        return pools.stream().map(pool -> pool.among(among)).toList();
    }

    /** The hash of the pools of those of these chunks that stand; empty where every mixture is of one class. */
    String among(List<InversionChunk> chunks) throws IOException {
        if (!context.settings().isSoft()) {
            return "";
        }
        return ContentId.of(named(standing(chunks)).stream()
                .flatMap(pool -> Stream.of(pool.pool().classId(), pool.id()))
                .toList());
    }

    /** The pools of these chunks with their ids, by class id; a task reads the ids of a class's images. */
    List<MixingChunk.Named> named(List<InversionChunk> standing) throws IOException {
        List<String> ids = standing.stream().map(InversionChunk::id).toList();
        if (!named.containsKey(ids)) {
            named = Map.of(
                    ids,
                    context
                            .tasks()
                            .map(
                                    "name pools",
                                    ClassPool.of(standing),
                                    (folder, pool, progress) -> new MixingChunk.Named(pool, pool.id(folder)))
                            .stream()
                            .sorted(Comparator.comparing(pool -> pool.pool().classId()))
                            .toList());
        }
        return named.get(ids);
    }

    StageResult run(List<InversionChunk> chunks) throws IOException {
        List<InversionChunk> missing = missing(chunks);
        ModelSource source = context.invertingModel();
        ImageSource images = context.source();
        long maxPixels = context.config().input().maxPixels();
        var inversion = context.settings().inversion();
        String settingsId = context.settings().inversionId();
        List<ChunkResult> results = context.tasks()
                .run(
                        Job.of(StageName.INVERT, "images", missing, InversionChunk::rows),
                        missing,
                        (folder, chunk, progress) -> new InversionWork(
                                        folder,
                                        source.onDevice(folder.conf()),
                                        images,
                                        maxPixels,
                                        inversion,
                                        settingsId,
                                        progress)
                                .invert(chunk));
        return new StageResult(chunks.size() - missing.size(), results);
    }

    /** Those of the chunks that refused images. */
    List<InversionChunk> refusing(List<InversionChunk> chunks) throws IOException {
        Set<String> refusing = context.run().rejectedChunks(StageName.INVERT);
        return chunks.stream().filter(chunk -> refusing.contains(chunk.id())).toList();
    }

    /** Makes chunks missing. */
    void forget(List<InversionChunk> chunks) {
        context.tasks().map("forget refused inversions", chunks, (folder, chunk, progress) -> {
            new InvertedTable(folder, chunk.classId()).forget(chunk.id());
            return chunk.id();
        });
    }
}
