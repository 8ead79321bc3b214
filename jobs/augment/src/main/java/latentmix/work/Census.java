package latentmix.work;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import latentmix.plan.ClassLabel;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixingEntry;
import latentmix.table.ContentId;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import org.apache.hadoop.fs.Path;

/**
 * What stands in a run folder for one class under the settings of a run.
 *
 * @param rejected rows of {@code rejected}, by stage and reason
 */
public record Census(
        String classId, long images, long inverted, long mixed, long generated, Map<String, Map<String, Long>> rejected)
        implements Serializable {

    private record Refused(String reason, String settingsId, String classId) {}

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
        Set<String> done = run.chunks(Table.INVERTED, classId);
        for (InversionChunk chunk : inversions) {
            images += chunk.rows();
            if (done.contains(chunk.id())) {
                long rows = RowFile.count(run.chunk(Table.INVERTED, classId, chunk.id()), run.conf());
                inverted += rows;
                if (rows < chunk.rows()) {
                    refused(run, InversionWork.STAGE, chunk.id(), rejected);
                }
            }
        }
        refused(run, ImagesWork.STAGE, ContentId.of(classId), rejected);
        Set<String> own =
                Set.copyOf(entries.stream().map(MixingEntry::settingsId).toList());
        for (String chunk : run.chunks(Table.MIXED, classId)) {
            if (refusing.contains(chunk)) {
                for (Refused row : RowFile.read(run.rejected(MixingWork.STAGE, chunk), run.conf(), Refused.class)) {
                    if (own.contains(row.settingsId())) {
                        count(MixingWork.STAGE, row, rejected);
                    }
                }
            }
        }
        long mixed = 0;
        long generated = 0;
        done = run.chunks(Table.GENERATED, classId);
        for (GenerationChunk chunk : generations) {
            mixed += chunk.rows();
            if (done.contains(chunk.id())) {
                long rows = RowFile.count(run.chunk(Table.GENERATED, classId, chunk.id()), run.conf());
                generated += rows;
                if (rows < chunk.rows()) {
                    refused(run, GenerationWork.STAGE, chunk.id(), rejected);
                }
            }
        }
        return new Census(classId, images, inverted, mixed, generated, rejected);
    }

    /** Rows refused in a stage. */
    public long rejected(String stage) {
        return rejected.getOrDefault(stage, Map.of()).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private static void refused(RunFolder run, String stage, String chunk, Map<String, Map<String, Long>> rejected)
            throws IOException {
        Path file = run.rejected(stage, chunk);
        if (file.getFileSystem(run.conf()).exists(file)) {
            for (Refused row : RowFile.read(file, run.conf(), Refused.class)) {
                count(stage, row, rejected);
            }
        }
    }

    private static void count(String stage, Refused row, Map<String, Map<String, Long>> rejected) {
        rejected.computeIfAbsent(stage, s -> new TreeMap<>()).merge(row.reason(), 1L, Long::sum);
    }
}
