package latentmix.plan;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.table.ContentId;
import latentmix.table.InvertedTable;
import latentmix.table.MixedTable;
import latentmix.table.RejectedTable;
import latentmix.table.RunFolder;
import latentmix.table.StageName;

/** Which mixtures of a class are still to be made, and which chunks of the mixed table are this configuration's. */
public final class MixingPlan {
    private static final String CAPTIONS = "captions";

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
        return chunks(label, inverted, poolId(run, label, inverted), entries, done(label.classId(), refusing));
    }

    /** The chunks that will be mixed of a pool whose images are not inverted yet. */
    public List<MixingChunk> foreseen(ClassLabel label, List<MixingEntry> entries) {
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

    /**
     * The chunks of a class that hold mixtures of these entries and of the pool that these inverted chunks make up.
     * Those of another prompt or of other images stay in the table and are left out.
     */
    public List<MixedChunk> mixed(ClassLabel label, List<String> inverted, List<MixingEntry> entries)
            throws IOException {
        String poolId = poolId(run, label, inverted);
        List<MixingEntry> exported =
                entries.stream().filter(MixingEntry::exported).toList();
        List<MixedChunk> chunks = new ArrayList<>();
        MixedTable table = new MixedTable(run, label.classId());
        for (String chunk : table.chunks()) {
            List<MixedTable.Key> keys = table.keys(chunk).stream()
                    .filter(key -> key.poolId().equals(poolId))
                    .toList();
            if (asked(keys, entries) > 0) {
                chunks.add(new MixedChunk(label, chunk, inverted, keys.size(), asked(keys, exported)));
            }
        }
        return chunks;
    }

    private static int asked(List<MixedTable.Key> keys, List<MixingEntry> entries) {
        return (int) keys.stream()
                .filter(key -> entries.stream().anyMatch(entry -> entry.asks(key.settingsId(), key.k())))
                .count();
    }

    /**
     * The pool's id: the hash of its class's prompt and of its sorted image ids, and of what they were inverted with
     * where that is another prompt.
     *
     * @param prompts by image id
     */
    public static String poolId(String prompt, SortedMap<String, String> prompts) {
        List<String> parts = new ArrayList<>();
        parts.add(prompt);
        parts.addAll(prompts.keySet());
        if (!prompts.values().stream().allMatch(prompt::equals)) {
            parts.add(CAPTIONS); // which no image id is
            parts.addAll(prompts.values());
        }
        return ContentId.of(parts);
    }

    /** The id of the pool that these chunks of the inverted table make up. */
    public static String poolId(RunFolder run, ClassLabel label, List<String> inverted) throws IOException {
        return poolId(label.prompt(), prompts(run, label.classId(), inverted));
    }

    /** What the images of these chunks of the inverted table were inverted with, by image id. */
    public static SortedMap<String, String> prompts(RunFolder run, String classId, List<String> inverted)
            throws IOException {
        InvertedTable table = new InvertedTable(run, classId);
        TreeMap<String, String> prompts = new TreeMap<>();
        for (String chunk : inverted) {
            table.prompts(chunk).forEach(row -> prompts.put(row.imageId(), row.prompt()));
        }
        return prompts;
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
