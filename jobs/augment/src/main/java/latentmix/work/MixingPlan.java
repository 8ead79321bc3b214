package latentmix.work;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import latentmix.plan.ClassLabel;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.MixingSettings;
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
     * The chunks to mix so that every entry has its mixtures of the pool that these inverted chunks make up. Entries of
     * the same settings share their mixtures.
     *
     * @param refusing the chunks that refused mixtures, of any class: they lie in one folder, which is listed once for
     *     all
     */
    public List<MixingChunk> missing(
            ClassLabel label, List<String> inverted, List<MixingEntry> entries, Set<String> refusing)
            throws IOException {
        String poolId = new InvertedPool(run, label.classId(), inverted).id(label.prompt());
        return chunks(label, inverted, poolId, entries, done(label.classId(), refusing));
    }

    /** The chunks that a pool which is not known yet will be mixed in. */
    List<MixingChunk> all(ClassLabel label, List<MixingEntry> entries) {
        return chunks(label, List.of(), "", entries, new HashSet<>());
    }

    private List<MixingChunk> chunks(
            ClassLabel label, List<String> inverted, String poolId, List<MixingEntry> entries, Set<String> done) {
        List<MixingChunk> chunks = new ArrayList<>();
        for (MixingEntry entry : entries) {
            MixingSettings settings = entry.settings();
            TreeMap<Integer, List<Integer>> missing = new TreeMap<>(); // by block of chunkRows
            for (int k = 0; k < entry.mixtures(); k++) {
                if (done.add(settings.mixId(entry.settingsId(), label.classId(), poolId, k))) {
                    missing.computeIfAbsent(k / chunkRows, block -> new ArrayList<>())
                            .add(k);
                }
            }
            for (List<Integer> ks : missing.values()) {
                String id = MixingChunk.id(settings, entry.settingsId(), label.classId(), poolId, ks);
                chunks.add(new MixingChunk(id, label, settings, entry.settingsId(), poolId, inverted, ks));
            }
        }
        return chunks;
    }

    /** The chunks of a class that hold mixtures of these entries, of this or an earlier pool. */
    public List<MixedChunk> mixed(ClassLabel label, List<MixingEntry> entries) throws IOException {
        List<MixedChunk> chunks = new ArrayList<>();
        MixedTable table = new MixedTable(run, label.classId());
        for (String chunk : table.chunks()) {
            List<MixedTable.Key> keys = table.keys(chunk);
            int asked = (int) keys.stream().filter(key -> asked(key, entries)).count();
            if (asked > 0) {
                chunks.add(new MixedChunk(chunk, keys.size(), asked));
            }
        }
        return chunks;
    }

    private static boolean asked(MixedTable.Key key, List<MixingEntry> entries) {
        return entries.stream()
                .anyMatch(entry -> entry.settingsId().equals(key.settingsId()) && key.k() < entry.mixtures());
    }

    private Set<String> done(String classId, Set<String> refusing) throws IOException {
        Set<String> done = new HashSet<>();
        MixedTable table = new MixedTable(run, classId);
        RejectedTable rejected = new RejectedTable(run, StageName.MIX);
        for (String chunk : table.chunks()) {
            table.keys(chunk).forEach(key -> done.add(key.mixId()));
            if (refusing.contains(chunk)) {
                done.addAll(rejected.ids(chunk));
            }
        }
        return done;
    }
}
