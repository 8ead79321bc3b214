package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import latentmix.plan.Catalog;
import latentmix.plan.ClassPool;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingPlan;
import latentmix.table.GeneratedTable;
import latentmix.table.ImagesTable;
import latentmix.table.InvertedTable;
import latentmix.table.InvertedTable.Told;
import latentmix.table.MixedTable;
import latentmix.table.RejectedTable;
import latentmix.table.RejectedTable.Reason;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/**
 * What stands in a run folder for one class under the settings of a run.
 *
 * @param rejected rows of {@code rejected}, by stage and reason
 * @param leftOut rows that stand and do not count, by why
 */
public record Census(
        String classId,
        long images,
        long inverted,
        long mixed,
        long generated,
        Map<String, Map<String, Long>> rejected,
        Map<String, Long> leftOut)
        implements Serializable {

    /**
     * Counts a class.
     *
     * @param inversions the class's chunks of the inverted table, done or not
     * @param generations its chunks of the generated table, done or not
     * @param refusing the chunks that refused mixtures, of any class
     * @param among the hash of all classes' pools, where some mixtures are of several classes
     */
    public static Census of(
            RunFolder run,
            Catalog catalog,
            List<InversionChunk> inversions,
            List<MixingEntry> entries,
            List<GenerationChunk> generations,
            Set<String> refusing,
            String among)
            throws IOException {
        String classId = catalog.label().classId();
        Map<String, Map<String, Long>> rejected = new TreeMap<>();
        long inverted = 0;
        Set<String> done = new InvertedTable(run, classId).chunks();
        List<InversionChunk> standing =
                inversions.stream().filter(chunk -> done.contains(chunk.id())).toList();
        ClassPool pool = ClassPool.of(List.of(catalog.label()), standing).get(0).among(among);
        Map<String, List<Told>> told = pool.told(run);
        for (InversionChunk chunk : standing) {
            long rows = told.get(chunk.id()).size();
            inverted += rows;
            if (rows < chunk.rows()) {
                refused(run, StageName.INVERT, chunk.id(), Set.copyOf(chunk.leftOut()), rejected);
            }
        }
        refused(run, StageName.IMAGES, ImagesTable.rejectedId(classId), Set.of(), rejected);
        Set<String> asked = asked(pool, pool.id(run), entries);
        Map<String, Long> leftOut = new TreeMap<>(catalog.leftOut());
        leftOut.putAll(MixingPlan.leftOut(run, classId, pool.ids(run), entries));
        RejectedTable refusals = new RejectedTable(run, StageName.MIX);
        for (String chunk : new MixedTable(run, classId).chunks()) {
            if (refusing.contains(chunk)) {
                for (Reason row : refusals.reasons(chunk)) {
                    if (asked.contains(row.id())) {
                        count(StageName.MIX, row, rejected);
                    }
                }
            }
        }
        long mixed = 0;
        long generated = 0;
        GeneratedTable pictures = new GeneratedTable(run, classId);
        Set<String> painted = pictures.chunks();
        for (GenerationChunk chunk : generations) {
            mixed += chunk.rows();
            if (painted.contains(chunk.id())) {
                long rows = pictures.count(chunk.id());
                generated += rows;
                if (rows < chunk.rows()) {
                    refused(run, StageName.GENERATE, chunk.id(), Set.of(), rejected);
                }
            }
        }
        return new Census(classId, catalog.images(), inverted, mixed, generated, rejected, leftOut);
    }

    /**
     * What these chunks refused, of images that are of no class or of any: rows without a label, what lies in files
     * that do not open, source images that cannot be exported.
     */
    public static Census ofNoClass(RunFolder run, StageName stage, List<String> chunks) throws IOException {
        Map<String, Map<String, Long>> rejected = new TreeMap<>();
        for (String chunk : chunks) {
            refused(run, stage, chunk, Set.of(), rejected);
        }
        return new Census("", 0, 0, 0, 0, rejected, Map.of());
    }

    /**
     * What stands of a class that the run does not have.
     *
     * @param why its images do not count
     */
    public static Census ofOther(RunFolder run, String classId, String why, List<MixingEntry> entries)
            throws IOException {
        Map<String, Long> leftOut = new TreeMap<>(MixingPlan.leftOut(run, classId, Set.of(), entries));
        leftOut.put(why, (long) new ImagesTable(run, classId).rows().size());
        return new Census(classId, 0, 0, 0, 0, Map.of(), leftOut);
    }

    /** The ids of the mixtures that the entries ask of a pool. */
    private static Set<String> asked(ClassPool pool, String ownId, List<MixingEntry> entries) {
        String classId = pool.classId();
        Set<String> asked = new HashSet<>();
        for (MixingEntry entry : entries) {
            String poolId = pool.drawnFrom(ownId, entry.settings());
            for (int k = 0; k < entry.mixtures(classId); k++) {
                asked.add(entry.settings().mixId(entry.settingsId(), classId, poolId, k));
            }
        }
        return asked;
    }

    /** Rows refused in a stage. */
    public long rejected(StageName stage) {
        return rejected.getOrDefault(stage.text(), Map.of()).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private static void refused(
            RunFolder run, StageName stage, String chunk, Set<String> leftOut, Map<String, Map<String, Long>> rejected)
            throws IOException {
        RejectedTable refusals = new RejectedTable(run, stage);
        if (refusals.has(chunk)) {
            for (Reason row : refusals.reasons(chunk)) {
                if (!leftOut.contains(row.id())) {
                    count(stage, row, rejected);
                }
            }
        }
    }

    private static void count(StageName stage, Reason row, Map<String, Map<String, Long>> rejected) {
        rejected.computeIfAbsent(stage.text(), s -> new TreeMap<>()).merge(row.reason(), 1L, Long::sum);
    }
}
