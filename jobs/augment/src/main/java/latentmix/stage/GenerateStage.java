package latentmix.stage;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import latentmix.plan.GenerationChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.table.GeneratedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.GenerationWork;

/** Generates an image from every mixture. A task generates a chunk of the mixed table. */
final class GenerateStage {
    private final RunContext context;

    GenerateStage(RunContext context) {
        this.context = context;
    }

    /** This configuration's chunks of the generated table, done or not. */
    List<GenerationChunk> chunks(List<MixedChunk> mixed) {
        String settingsId = context.settings().generationId();
        return mixed.stream()
                .map(chunk -> GenerationChunk.of(settingsId, chunk))
                .toList();
    }

    /** Those that do not stand yet. */
    List<GenerationChunk> missing(List<GenerationChunk> chunks) throws IOException {
        Set<String> done = context.run().chunks(Table.GENERATED);
        return chunks.stream().filter(chunk -> !done.contains(chunk.id())).toList();
    }

    StageResult run(List<GenerationChunk> chunks) throws IOException {
        List<GenerationChunk> missing = missing(chunks);
        ModelSource source = context.model();
        var generation = context.settings().generation();
        String settingsId = context.settings().generationId();
        List<ChunkResult> results = context.tasks()
                .run(
                        Job.of(StageName.GENERATE, "images", missing, GenerationChunk::rows),
                        missing,
                        (folder, chunk, progress) -> new GenerationWork(
                                        folder, source.onDevice(folder.conf()), generation, settingsId, progress)
                                .generate(chunk));
        return new StageResult(chunks.size() - missing.size(), results);
    }

    /**
     * What chunks cost of the denoising network.
     *
     * @param unmixed those of the mixed table that do not stand yet
     * @param evaluations what a mixture costs, by what it takes
     */
    long networkEvaluations(
            List<GenerationChunk> chunks, Map<String, MixingChunk> unmixed, Map<MixedTable.Effort, Long> evaluations) {
        List<GenerationChunk> standing = chunks.stream()
                .filter(chunk -> !unmixed.containsKey(chunk.mixed()))
                .toList();
        long known = context
                .tasks()
                .map("count network evaluations", standing, (folder, chunk, progress) -> {
                    return new MixedTable(folder, chunk.classId())
                            .efforts(chunk.mixed()).stream()
                                    .mapToLong(evaluations::get)
                                    .sum();
                })
                .stream()
                .mapToLong(Long::longValue)
                .sum();
        long foreseen = chunks.stream()
                .map(GenerationChunk::mixed)
                .filter(unmixed::containsKey)
                .map(unmixed::get)
                .mapToLong(chunk -> chunk.ks().stream()
                        .map(k -> chunk.settings().effort(chunk.classId(), chunk.poolId(), k))
                        .mapToLong(evaluations::get)
                        .sum())
                .sum();
        return known + foreseen;
    }

    /** Those of the chunks that refused mixtures. */
    List<GenerationChunk> refusing(List<GenerationChunk> chunks) throws IOException {
        Set<String> refusing = context.run().rejectedChunks(StageName.GENERATE);
        return chunks.stream().filter(chunk -> refusing.contains(chunk.id())).toList();
    }

    /** Makes chunks missing. */
    void forget(List<GenerationChunk> chunks) {
        context.tasks().map("forget refused images", chunks, (folder, chunk, progress) -> {
            new GeneratedTable(folder, chunk.classId()).forget(chunk.id());
            return chunk.id();
        });
    }
}
