package latentmix.plan;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import latentmix.table.JudgedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;

/** Which images of a class are to be judged, what was said of those that are, and how many more mixtures it takes. */
public final class JudgingPlan {
    /**
     * What verdicts depend on beside a class's own images.
     *
     * @param bySample whether they depend on how many mixtures are asked for
     * @param tries how many times a count may be made
     * @param refusing the chunks that refused mixtures, of any class
     */
    public record Terms(String filterId, String generationId, boolean bySample, int tries, Set<String> refusing)
            implements Serializable {}

    /** The keys of a chunk of the mixed table, which are of one pool and settings. */
    private record Chunk(String id, List<MixedTable.Key> keys) {
        int first() {
            return keys.stream().mapToInt(MixedTable.Key::k).min().orElseThrow();
        }

        String settingsId() {
            return keys.get(0).settingsId();
        }
    }

    private final RunFolder run;
    private final Terms terms;
    private final List<MixingEntry> entries;

    /**
     * A plan.
     *
     * @param entries as many mixtures as they ask for are to be kept
     */
    public JudgingPlan(RunFolder run, Terms terms, List<MixingEntry> entries) {
        this.run = run;
        this.terms = terms;
        this.entries = entries;
    }

    /** A chunk of verdicts with what it says of each k; nothing where it does not stand. */
    private record Judged(JudgedChunk chunk, Map<Integer, String> verdicts) {
        /** The same chunk, with how many images it has for the dataset. */
        JudgedChunk below(long end) {
            return chunk.keeping((int) verdicts.entrySet().stream()
                    .filter(verdict ->
                            verdict.getKey() < end && verdict.getValue().equals(Tally.KEPT))
                    .count());
        }
    }

    /**
     * What stands of a class.
     *
     * @param real the hash of the real images that it is judged by
     */
    public ClassVerdicts of(ClassPool pool, String real) throws IOException {
        String classId = pool.classId();
        String ownId = pool.id(run);
        List<Judged> judged = judged(pool, pool.ids(run), real);
        Map<String, Map<Integer, String>> known = new HashMap<>(); // by settings id
        judged.forEach(of -> known.computeIfAbsent(of.chunk().mixingId(), id -> new HashMap<>())
                .putAll(of.verdicts()));
        Set<String> refused = MixingPlan.refused(run, classId, terms.refusing());
        List<Tally> tallies = new ArrayList<>();
        Map<String, Long> reach = new HashMap<>();
        Map<String, Long> end = new HashMap<>();
        for (MixingEntry entry : entries) {
            String settingsId = entry.settingsId();
            String poolId = pool.drawnFrom(ownId, entry.settings());
            Map<Integer, String> verdicts = known.getOrDefault(settingsId, Map.of());
            IntFunction<String> verdict = k -> verdicts.getOrDefault(
                    k,
                    refused.contains(entry.settings().mixId(settingsId, classId, poolId, k))
                            ? Tally.REFUSED
                            : Tally.OPEN);
            Tally tally = Tally.of(classId, entry.name(), entry.quota(classId), terms.tries(), verdict);
            tallies.add(tally);
            reach.merge(settingsId, tally.reach(), Math::max);
            end.merge(settingsId, entry.exported() ? tally.end() : 0, Math::max);
        }
        return new ClassVerdicts(
                pool,
                judged.stream()
                        .filter(of -> of.chunk().first() < reach.get(of.chunk().mixingId()))
                        .map(of -> of.below(end.get(of.chunk().mixingId())))
                        .toList(),
                tallies);
    }

    /** All chunks of a pool, each entry's in the order of k. */
    private List<Judged> judged(ClassPool pool, Set<String> poolIds, String real) throws IOException {
        JudgedTable table = new JudgedTable(run, pool.classId());
        Set<String> done = table.chunks();
        List<Judged> judged = new ArrayList<>();
        for (List<Chunk> chunks : chunks(pool.classId(), poolIds).values()) {
            String before = "";
            for (Chunk chunk : chunks) {
                String generated = GenerationChunk.id(terms.generationId(), chunk.id());
                long sample = terms.bySample() ? quota(pool.classId(), chunk.settingsId()) : 0;
                String id = JudgedChunk.id(terms.filterId(), real, sample, before, generated);
                judged.add(new Judged(
                        new JudgedChunk(
                                id,
                                pool.label(),
                                chunk.settingsId(),
                                chunk.id(),
                                generated,
                                chunk.first(),
                                chunk.keys().size(),
                                0),
                        done.contains(id) ? verdicts(table, id, chunk) : Map.of()));
                before = id;
            }
        }
        return judged;
    }

    /** The largest number of mixtures that is asked for of these settings. */
    private long quota(String classId, String settingsId) {
        return entries.stream()
                .filter(entry -> entry.settingsId().equals(settingsId))
                .mapToLong(entry -> entry.quota(classId))
                .max()
                .orElse(0);
    }

    /** The chunks of a pool by their settings, in the order of k. */
    private Map<String, List<Chunk>> chunks(String classId, Set<String> poolIds) throws IOException {
        Set<String> settings = entries.stream().map(MixingEntry::settingsId).collect(Collectors.toSet());
        Map<String, List<Chunk>> bySettings = new TreeMap<>();
        MixedTable table = new MixedTable(run, classId);
        for (String id : table.chunks()) {
            Chunk chunk = new Chunk(
                    id,
                    table.keys(id).stream()
                            .filter(key -> poolIds.contains(key.poolId()) && settings.contains(key.settingsId()))
                            .toList());
            if (!chunk.keys().isEmpty()) {
                bySettings
                        .computeIfAbsent(chunk.settingsId(), of -> new ArrayList<>())
                        .add(chunk);
            }
        }
        bySettings.values().forEach(chunks -> chunks.sort(Comparator.comparingInt(Chunk::first)));
        return bySettings;
    }

    private static Map<Integer, String> verdicts(JudgedTable table, String id, Chunk chunk) throws IOException {
        Map<Integer, String> verdicts = new HashMap<>();
        chunk.keys().forEach(key -> verdicts.put(key.k(), Tally.REFUSED)); // generation may have had no image of it
        table.verdicts(id)
                .forEach(row -> verdicts.put(
                        row.k(), row.kept() ? Tally.KEPT : row.reasons().get(0)));
        return verdicts;
    }
}
