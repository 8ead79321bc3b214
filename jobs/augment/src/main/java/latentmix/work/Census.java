package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import latentmix.plan.ClassLabel;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingPlan;
import latentmix.table.GeneratedTable;
import latentmix.table.ImagesTable;
import latentmix.table.InvertedTable;
import latentmix.table.MixedTable;
import latentmix.table.RejectedTable;
import latentmix.table.RejectedTable.Reason;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/**
 * What stands in a run folder for one class under the settings of a run.
 *
 * @param rejected rows of {@code rejected}, by stage and reason
 */
public record Census(
        String classId, long images, long inverted, long mixed, long generated, Map<String, Map<String, Long>> rejected)
        implements Serializable {

    /**
     * Counts a class.
     *
     * @param inversions the class's chunks of the inverted table, done or not
     * @param generations its chunks of the generated table, done or not
     * @param refusing the chunks that refused mixtures, of any class
     */
    public static Census of(
            RunFolder run,
            ClassLabel label,
            List<InversionChunk> inversions,
            List<MixingEntry> entries,
            List<GenerationChunk> generations,
            Set<String> refusing)
            throws IOException {
        String classId = label.classId();
        Map<String, Map<String, Long>> rejected = new TreeMap<>();
        long images = 0;
        long inverted = 0;
        InvertedTable noise = new InvertedTable(run, classId);
        Set<String> done = noise.chunks();
        for (InversionChunk chunk : inversions) {
            images += chunk.rows();
            if (done.contains(chunk.id())) {
                long rows = noise.count(chunk.id());
                inverted += rows;
                if (rows < chunk.rows()) {
                    refused(run, StageName.INVERT, chunk.id(), rejected);
                }
            }
        }
        refused(run, StageName.IMAGES, ImagesTable.rejectedId(classId), rejected);
        Set<String> asked = asked(
                run,
                label,
                inversions.stream()
                        .map(InversionChunk::id)
                        .filter(done::contains)
                        .toList(),
                entries);
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
        done = pictures.chunks();
        for (GenerationChunk chunk : generations) {
            mixed += chunk.rows();
            if (done.contains(chunk.id())) {
                long rows = pictures.count(chunk.id());
                generated += rows;
                if (rows < chunk.rows()) {
                    refused(run, StageName.GENERATE, chunk.id(), rejected);
                }
            }
        }
        return new Census(classId, images, inverted, mixed, generated, rejected);
    }

    /**
     * What these chunks refused, of images that are of no class or of any: rows without a label, what lies in files
     * that do not open, source images that cannot be exported.
     */
    public static Census ofNoClass(RunFolder run, StageName stage, List<String> chunks) throws IOException {
        Map<String, Map<String, Long>> rejected = new TreeMap<>();
        for (String chunk : chunks) {
            refused(run, stage, chunk, rejected);
        }
        return new Census("", 0, 0, 0, 0, rejected);
    }

    /** The ids of the mixtures that the entries ask of the pool that stands. */
    private static Set<String> asked(RunFolder run, ClassLabel label, List<String> inverted, List<MixingEntry> entries)
            throws IOException {
        String poolId = MixingPlan.poolId(run, label, inverted);
        Set<String> asked = new HashSet<>();
        for (MixingEntry entry : entries) {
            for (int k = 0; k < entry.mixtures(); k++) {
                asked.add(entry.settings().mixId(entry.settingsId(), label.classId(), poolId, k));
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

    private static void refused(RunFolder run, StageName stage, String chunk, Map<String, Map<String, Long>> rejected)
            throws IOException {
        RejectedTable refusals = new RejectedTable(run, stage);
        if (refusals.has(chunk)) {
            for (Reason row : refusals.reasons(chunk)) {
                count(stage, row, rejected);
            }
        }
    }

    private static void count(StageName stage, Reason row, Map<String, Map<String, Long>> rejected) {
        rejected.computeIfAbsent(stage.text(), s -> new TreeMap<>()).merge(row.reason(), 1L, Long::sum);
    }
}
