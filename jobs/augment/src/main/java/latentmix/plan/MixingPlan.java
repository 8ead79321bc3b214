package latentmix.plan;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import latentmix.table.MixedTable;
import latentmix.table.RejectedTable;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/** Which mixtures of a class are still to be made, and which chunks of the mixed table are this configuration's. */
public final class MixingPlan {
    private final RunFolder run;
    private final int chunkRows;

    public MixingPlan(RunFolder run, int chunkRows) {
        this.run = run;
        this.chunkRows = chunkRows;
    }

    /**
     * The chunks to mix so that every entry has its mixtures of a pool. Entries of the same settings share their
     * mixtures.
     *
     * @param refusing the chunks that refused mixtures, of any class: they lie in one folder, which is listed once for
     *     all
     */
    public List<MixingChunk> missing(ClassPool pool, List<MixingEntry> entries, Set<String> refusing)
            throws IOException {
        return chunks(pool, pool.id(run), entries, done(pool.classId(), refusing));
    }

    /** The chunks that will be mixed of a pool whose images are not inverted yet. */
    public List<MixingChunk> foreseen(ClassLabel label, List<MixingEntry> entries) {
        return chunks(new ClassPool(label, List.of(), List.of()), "", entries, new HashSet<>());
    }

    private List<MixingChunk> chunks(ClassPool pool, String ownId, List<MixingEntry> entries, Set<String> done) {
        List<MixingChunk> chunks = new ArrayList<>();
        for (MixingEntry entry : entries) {
            MixingSettings settings = entry.settings();
            String poolId = pool.drawnFrom(ownId, settings);
            TreeMap<Integer, List<Integer>> missing = new TreeMap<>(); // by block of chunkRows
            for (int k = 0; k < entry.mixtures(pool.classId()); k++) {
                if (done.add(settings.mixId(entry.settingsId(), pool.classId(), poolId, k))) {
                    missing.computeIfAbsent(k / chunkRows, block -> new ArrayList<>())
                            .add(k);
                }
            }
            for (List<Integer> ks : missing.values()) {
                String id = MixingChunk.id(settings, entry.settingsId(), pool.classId(), poolId, ks);
                chunks.add(new MixingChunk(id, settings, entry.settingsId(), poolId, pool, ks));
            }
        }
        return chunks;
    }

    /**
     * The chunks that hold mixtures of a pool that these entries ask for. Those of another prompt or of other images
     * stay in the table and are left out.
     */
    public List<MixedChunk> mixed(ClassPool pool, List<MixingEntry> entries) throws IOException {
        Set<String> poolIds = pool.ids(run);
        Set<String> soft = entries.stream()
                .filter(entry -> entry.settings().isSoft())
                .map(MixingEntry::settingsId)
                .collect(Collectors.toSet());
        List<MixingEntry> exported =
                entries.stream().filter(MixingEntry::exported).toList();
        List<MixedChunk> chunks = new ArrayList<>();
        MixedTable table = new MixedTable(run, pool.classId());
        for (String chunk : table.chunks()) {
            List<MixedTable.Key> keys = table.keys(chunk).stream()
                    .filter(key -> poolIds.contains(key.poolId()))
                    .toList();
            if (asked(keys, pool.classId(), entries) > 0) {
                boolean isSoft = keys.stream().anyMatch(key -> soft.contains(key.settingsId()));
                chunks.add(new MixedChunk(pool, chunk, keys.size(), asked(keys, pool.classId(), exported), isSoft));
            }
        }
        return chunks;
    }

    private static int asked(List<MixedTable.Key> keys, String classId, List<MixingEntry> entries) {
        return (int) keys.stream()
                .filter(key -> entries.stream().anyMatch(entry -> entry.asks(classId, key.settingsId(), key.k())))
                .count();
    }

    /**
     * Mixtures of these entries' settings that stand and do not count, by why.
     *
     * @param poolIds the ids of the pool whose mixtures count; none where it does not stand yet
     */
    public static Map<String, Long> leftOut(
            RunFolder run, String classId, Set<String> poolIds, List<MixingEntry> entries) throws IOException {
        Set<String> settings = entries.stream().map(MixingEntry::settingsId).collect(Collectors.toSet());
        Map<String, Long> leftOut = new TreeMap<>();
        MixedTable table = new MixedTable(run, classId);
        for (String chunk : table.chunks()) {
            for (MixedTable.Key key : table.keys(chunk)) {
                if (settings.contains(key.settingsId()) && !poolIds.contains(key.poolId())) {
                    leftOut.merge("mixtures of other pools", 1L, Long::sum);
                } else if (settings.contains(key.settingsId()) && asked(List.of(key), classId, entries) == 0) {
                    leftOut.merge("mixtures beyond the count", 1L, Long::sum);
                }
            }
        }
        return leftOut;
    }

    private Set<String> done(String classId, Set<String> refusing) throws IOException {
        Set<String> done = refused(run, classId, refusing);
        MixedTable table = new MixedTable(run, classId);
        for (String chunk : table.chunks()) {
            table.keys(chunk).forEach(key -> done.add(key.mixId()));
        }
        return done;
    }

    /** The ids of the mixtures of a class that these chunks, of any class, refused. */
    static Set<String> refused(RunFolder run, String classId, Set<String> refusing) throws IOException {
        Set<String> refused = new HashSet<>();
        RejectedTable rejected = new RejectedTable(run, StageName.MIX);
        for (String chunk : new MixedTable(run, classId).chunks()) {
            if (refusing.contains(chunk)) {
                refused.addAll(rejected.ids(chunk));
            }
        }
        return refused;
    }
}
