package latentmix.stage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingPlan;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.MixingWork;

/** Mixes the inverted images of each class. A task looks for a class's missing mixtures, another one mixes a chunk. */
final class MixStage {
    private final RunContext context;
    private final InvertStage invert;
    private List<MixingEntry> entries;
    private List<MixedChunk> mixed; // null until it is asked for, and after mixing

    /** Mixes as many as these images of all classes ask for. */
    MixStage(RunContext context, InvertStage invert, List<Catalog> catalogs) {
        this.context = context;
        this.invert = invert;
        this.entries = context.settings().counted(catalogs);
    }

    /** What is mixed, and how many of it. */
    List<MixingEntry> entries() {
        return entries;
    }

    /**
     * This configuration's chunks of the mixed table, of the pools that stand; they are listed once.
     *
     * @param inversions this configuration's chunks of the inverted table, done or not
     */
    List<MixedChunk> chunks(List<InversionChunk> inversions) throws IOException {
        if (mixed == null) {
            mixed = listed(invert.pools(inversions));
        }
        return mixed;
    }

    private List<MixedChunk> listed(List<ClassPool> pools) {
        int chunkRows = context.chunkRows();
        List<MixingEntry> entries = this.entries; // tasks take it and not the stage
        return context.tasks()
                .flatMap("list mixtures", pools, (folder, pool, progress) -> new MixingPlan(folder, chunkRows)
                        .mixed(pool, entries));
    }

    /**
     * Those of classes whose pool will be the same once all images are inverted.
     *
     * @param missing the chunks of the inverted table that do not stand yet
     */
    List<MixedChunk> standing(List<InversionChunk> all, List<InversionChunk> missing) throws IOException {
        Set<ClassLabel> growing = missing.stream().map(InversionChunk::label).collect(Collectors.toSet());
        return chunks(all).stream()
                .filter(chunk -> !growing.contains(chunk.label()) && (growing.isEmpty() || !chunk.isSoft()))
                .toList();
    }

    /** Takes the same entries, of which classes have other numbers of mixtures. */
    void reach(List<MixingEntry> further) {
        if (!further.equals(entries)) {
            entries = further;
            mixed = null;
        }
    }

    /** Lists the chunks anew when they are next asked for. */
    void forgetListing() {
        mixed = null;
    }

    /**
     * The chunks to mix.
     *
     * @param inverted the chunks of the inverted table that stand
     */
    List<MixingChunk> missing(List<InversionChunk> inverted) throws IOException {
        int chunkRows = context.chunkRows();
        List<MixingEntry> entries = this.entries; // tasks take it and not the stage
        Set<String> refusing = context.run().rejectedChunks(StageName.MIX);
        List<MixingChunk> missing = context.tasks()
                .flatMap("plan mixtures", invert.pools(inverted), (folder, pool, progress) -> new MixingPlan(
                                folder, chunkRows)
                        .missing(pool, entries, refusing));
        if (!context.settings().isSoft()) {
            return missing;
        }
        List<MixingChunk.Named> pools = invert.named(inverted);
        return missing.stream().map(chunk -> chunk.among(pools)).toList();
    }

    /**
     * The chunks to mix once all images are inverted. A class with images that are not inverted yet will have another
     * pool, of which all mixtures are missing.
     *
     * @param missing the chunks of the inverted table that do not stand yet
     */
    List<MixingChunk> foreseen(List<InversionChunk> all, List<InversionChunk> missing) throws IOException {
        Set<ClassLabel> growing = new LinkedHashSet<>();
        missing.forEach(chunk -> growing.add(chunk.label()));
        int chunkRows = context.chunkRows();
        List<MixingEntry> entries = this.entries; // tasks take it and not the stage
        List<MixingChunk> chunks = new ArrayList<>(missing(
                all.stream().filter(chunk -> !growing.contains(chunk.label())).toList()));
        chunks.addAll(context.tasks()
                .flatMap("plan mixtures", List.copyOf(growing), (folder, label, progress) -> new MixingPlan(
                                folder, chunkRows)
                        .foreseen(label, entries)));
        return chunks;
    }

    /** Mixtures of this configuration's settings that stand and do not count, by why. */
    Map<String, Long> leftOut(List<InversionChunk> inversions) throws IOException {
        List<MixingEntry> entries = this.entries; // tasks take it and not the stage
        Set<ClassLabel> growing =
                invert.missing(inversions).stream().map(InversionChunk::label).collect(Collectors.toSet());
        Map<String, Long> leftOut = new TreeMap<>();
        context.tasks()
                .map(
                        "count mixtures of other pools",
                        invert.pools(context.classes().classes(), inversions),
                        (folder, pool, progress) -> new TreeMap<>(MixingPlan.leftOut(
                                folder,
                                pool.classId(),
                                growing.contains(pool.label()) ? Set.of() : pool.ids(folder),
                                entries)))
                .forEach(counts -> counts.forEach((why, rows) -> leftOut.merge(why, rows, Long::sum)));
        return leftOut;
    }

    StageResult run(List<InversionChunk> inversions) throws IOException {
        List<MixingChunk> missing = missing(invert.standing(inversions));
        List<ChunkResult> results = context.tasks()
                .run(
                        Job.of(StageName.MIX, "mixtures", missing, chunk -> chunk.ks()
                                .size()),
                        missing,
                        (folder, chunk, progress) -> new MixingWork(folder, progress).mix(chunk));
        mixed = null;
        return new StageResult(chunks(inversions).size() - missing.size(), results);
    }
}
