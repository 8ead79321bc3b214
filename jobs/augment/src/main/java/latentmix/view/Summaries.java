package latentmix.view;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import latentmix.report.RunStart;
import latentmix.table.ImageRow;
import latentmix.table.JudgedRow;
import latentmix.table.RejectedRow;
import latentmix.table.RejectedTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands in the tables, class by class, counted on a thread of its own: a page never waits for it. A chunk is read
 * once. Where a table's list of files has not changed, nothing is read. It rests four times as long as it worked:
 * listings of a store cost money.
 */
final class Summaries implements AutoCloseable {
    /** Refused rows that are kept to be shown; all are counted. */
    private static final int REFUSED_SHOWN = 5000;

    private static final int DROPPED_SHOWN = 60; // of each judge
    private static final long PAUSE_MILLIS = 2000;
    private static final long REST = 4;

    private static final Logger LOG = LoggerFactory.getLogger(Summaries.class);

    /**
     * What a class has so far.
     *
     * @param dropped images that a filter dropped, by the judge that dropped them first
     * @param means of scores over its images, by name
     */
    record ClassSummary(
            String id,
            int label,
            String name,
            long real,
            long inverted,
            long mixed,
            long made,
            long kept,
            Map<String, Long> dropped,
            long refused,
            Map<String, Double> means,
            List<String> warnings) {}

    /** A thing that was refused; its number finds it again. */
    record Refusal(int number, RejectedRow row) {}

    /** An image that a filter dropped. */
    record Dropped(String judge, String classId, String id, String chunk) {}

    private final RunFolder run;
    private final RunStart start;
    private final Thread thread;
    private final Map<String, Counting> classes = new TreeMap<>();
    private final Map<String, Map<String, Long>> reasons = new TreeMap<>(); // by stage
    private final Map<String, Long> refusedOfClass = new HashMap<>();
    private final List<RejectedRow> refused = new ArrayList<>();
    private final Map<String, List<Dropped>> dropped = new TreeMap<>(); // by judge
    private final Set<String> readRefusals = new HashSet<>();
    private int found; // classes
    private int counted;
    private volatile boolean closed;

    /** A class while it is counted. */
    private static final class Counting {
        private final Set<String> read = new HashSet<>();
        private final Map<String, Long> dropped = new TreeMap<>();
        private final double[] sums = new double[Score.values().length];
        private final long[] counts = new long[Score.values().length];
        private int label;
        private String name = "";
        private long real;
        private long inverted;
        private long mixed;
        private long made;
        private long kept;
    }

    Summaries(RunFolder run, RunStart start) {
        this.run = run;
        this.start = start;
        this.thread = new Thread(this::count, "count rows");
        thread.setDaemon(true);
        thread.start();
    }

    private void count() {
        Map<Table, Set<String>> before = Map.of();
        Set<String> refusedBefore = Set.of();
        while (!closed) {
            long start = System.nanoTime();
            try {
                Map<Table, Set<String>> now = new HashMap<>();
                for (Table table : List.of(Table.IMAGES, Table.INVERTED, Table.MIXED, Table.GENERATED, Table.JUDGED)) {
                    now.put(table, run.chunks(table));
                }
                if (!now.equals(before)) {
                    countClasses();
                    before = now;
                }
                Set<String> refusals = new TreeSet<>();
                for (StageName stage : StageName.values()) {
                    for (String chunk : run.rejectedChunks(stage)) {
                        refusals.add(stage.text() + " " + chunk);
                    }
                }
                if (!refusals.equals(refusedBefore)) {
                    countRefusals(refusals);
                    refusedBefore = refusals;
                }
                Thread.sleep(Math.max(PAUSE_MILLIS, REST * (System.nanoTime() - start) / 1_000_000));
            } catch (InterruptedException e) {
                return;
            } catch (IOException | RuntimeException e) { // a run takes files away, a store may be out of order
                if (closed) {
                    return;
                }
                LOG.warn("The rows of {} could not be counted; they are counted again: {}", run.root(), e.toString());
                pause();
            }
        }
    }

    private void pause() {
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void countClasses() throws IOException {
        Set<String> ids = ClassTables.classIds(run);
        synchronized (this) {
            found = ids.size();
            counted = 0;
        }
        for (String id : ids) {
            if (closed) {
                return;
            }
            Counting counting;
            synchronized (this) {
                counting = classes.computeIfAbsent(id, of -> new Counting());
            }
            count(new ClassTables(run, start, id), counting);
            synchronized (this) {
                counted++;
            }
        }
    }

    private void count(ClassTables tables, Counting counting) throws IOException {
        for (String file : unread(counting, "real ", tables.files())) {
            List<ImageRow> rows = tables.rows(file);
            synchronized (this) {
                counting.real += rows.size();
                counting.label = rows.isEmpty() ? counting.label : rows.get(0).label();
                counting.name = rows.isEmpty() ? counting.name : rows.get(0).className();
            }
            counting.read.add("real " + file);
        }
        for (String chunk : unread(counting, "inverted ", tables.invertedChunks())) {
            int images = tables.inverted(chunk).size();
            synchronized (this) {
                counting.inverted += images;
            }
            counting.read.add("inverted " + chunk);
        }
        for (String chunk : unread(counting, "mixed ", tables.mixed())) {
            long mixtures = tables.mixtures(chunk);
            synchronized (this) {
                counting.mixed += mixtures;
            }
            counting.read.add("mixed " + chunk);
        }
        for (String chunk : unread(counting, "made ", tables.generated())) {
            List<Picture> made = tables.made(chunk);
            synchronized (this) {
                counting.made += made.size();
                made.forEach(picture -> add(counting, picture.scores()));
            }
            counting.read.add("made " + chunk);
        }
        for (String chunk : unread(counting, "judged ", tables.judged())) {
            Map<String, JudgedRow> verdicts = tables.verdicts(chunk);
            Map<String, String> chunkOf = new HashMap<>();
            if (verdicts.values().stream().anyMatch(row -> !row.kept())) {
                for (String mixed : tables.generated()) {
                    tables.made(mixed).forEach(picture -> chunkOf.put(picture.id(), mixed));
                }
            }
            synchronized (this) {
                verdicts.values().stream()
                        .sorted(Comparator.comparingInt(JudgedRow::k))
                        .forEach(row -> add(counting, tables.classId(), row, chunkOf));
            }
            counting.read.add("judged " + chunk);
        }
    }

    /** Those of a table's files that were not read yet. */
    private static List<String> unread(Counting counting, String table, Collection<String> files) {
        return files.stream()
                .filter(file -> !counting.read.contains(table + file))
                .toList();
    }

    private static void add(Counting counting, float[] scores) {
        for (int i = 0; i < scores.length; i++) {
            if (!Float.isNaN(scores[i])) {
                counting.sums[i] += scores[i];
                counting.counts[i]++;
            }
        }
    }

    private void add(Counting counting, String classId, JudgedRow row, Map<String, String> chunkOf) {
        float[] scores = Score.none();
        Score.putVerdict(scores, row);
        add(counting, scores);
        if (row.kept()) {
            counting.kept++;
            return;
        }
        String judge = row.reasons().get(0);
        counting.dropped.merge(judge, 1L, Long::sum);
        List<Dropped> shown = dropped.computeIfAbsent(judge, of -> new ArrayList<>());
        if (shown.size() < DROPPED_SHOWN && chunkOf.containsKey(row.mixId())) {
            shown.add(new Dropped(judge, classId, row.mixId(), chunkOf.get(row.mixId())));
        }
    }

    private void countRefusals(Set<String> refusals) throws IOException {
        if (!refusals.containsAll(readRefusals)) { // some are tried again
            synchronized (this) {
                reasons.clear();
                refused.clear();
                refusedOfClass.clear();
                readRefusals.clear();
            }
        }
        for (String refusal : refusals) {
            if (!readRefusals.contains(refusal)) {
                String[] parts = refusal.split(" ", 2);
                StageName stage = StageName.valueOf(parts[0].toUpperCase(Locale.ROOT));
                List<RejectedRow> rows = new RejectedTable(run, stage).rows(parts[1]);
                synchronized (this) {
                    for (RejectedRow row : rows) {
                        reasons.computeIfAbsent(row.stage(), of -> new TreeMap<>())
                                .merge(row.reason(), 1L, Long::sum);
                        refusedOfClass.merge(row.classId(), 1L, Long::sum);
                        if (refused.size() < REFUSED_SHOWN) {
                            refused.add(row);
                        }
                    }
                }
                readRefusals.add(refusal);
            }
        }
    }

    /** How many classes there are and how many of them are counted, as far as is known. */
    synchronized int[] progress() {
        return new int[] {counted, found};
    }

    /** All classes counted so far; those with warnings first, then by their ids. */
    synchronized List<ClassSummary> classes() {
        List<ClassSummary> all = new ArrayList<>();
        classes.forEach((id, of) -> all.add(summary(id, of)));
        all.sort(Comparator.comparing((ClassSummary of) -> of.warnings().isEmpty()));
        return all;
    }

    private ClassSummary summary(String id, Counting of) {
        Map<String, Double> means = new TreeMap<>();
        for (Score score : Score.values()) {
            if (of.counts[score.at()] > 0) {
                means.put(score.text(), of.sums[score.at()] / of.counts[score.at()]);
            }
        }
        long refusedHere = refusedOfClass.getOrDefault(id, 0L);
        return new ClassSummary(
                id,
                of.label,
                of.name,
                of.real,
                of.inverted,
                of.mixed,
                of.made,
                start.filter().isEmpty() ? of.made : of.kept,
                Map.copyOf(of.dropped),
                refusedHere,
                means,
                warnings(of, refusedHere));
    }

    private static List<String> warnings(Counting of, long refused) {
        List<String> warnings = new ArrayList<>();
        long out = of.dropped.values().stream().mapToLong(Long::longValue).sum();
        if (of.real == 0) {
            warnings.add("no real image");
        }
        if (refused > 0) {
            warnings.add(refused + " refused");
        }
        if (out > of.kept) {
            warnings.add("more dropped than kept");
        }
        return warnings;
    }

    /** How many things each stage refused, by reason. */
    synchronized Map<String, Map<String, Long>> reasons() {
        Map<String, Map<String, Long>> copy = new TreeMap<>();
        reasons.forEach((stage, of) -> copy.put(stage, new TreeMap<>(of)));
        return copy;
    }

    /** Things that were refused for a reason. */
    synchronized List<Refusal> refused(String stage, String reason, int from, int count) {
        List<Refusal> found = new ArrayList<>();
        int seen = 0;
        for (int i = 0; i < refused.size() && found.size() < count; i++) {
            RejectedRow row = refused.get(i);
            if (row.stage().equals(stage) && row.reason().equals(reason) && seen++ >= from) {
                found.add(new Refusal(i, row));
            }
        }
        return found;
    }

    /** A thing that was refused. */
    synchronized Optional<RejectedRow> refused(int number) {
        return number >= 0 && number < refused.size() ? Optional.of(refused.get(number)) : Optional.empty();
    }

    /** The first images that each judge dropped. */
    synchronized Map<String, List<Dropped>> dropped() {
        Map<String, List<Dropped>> copy = new TreeMap<>();
        dropped.forEach((judge, of) -> copy.put(judge, List.copyOf(of)));
        return copy;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }
}
