package latentmix.view;

import com.univocity.parsers.csv.CsvWriter;
import com.univocity.parsers.csv.CsvWriterSettings;
import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.table.CuratedRow;
import latentmix.table.CuratedTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;

/** What a person decides of images, which stands in the table {@code curated} at once. */
final class Curation {
    static final String KEEP = "keep";
    static final String DROP = "drop";

    private static final int MOST_UNDONE = 1000; // decisions
    private static final int MOST_HELD = 1_000_000; // images of them; those of the last one are held in any case
    private static final long FRESH_NANOS = 3_000_000_000L; // another process may decide, too

    private record Read(SortedMap<String, CuratedRow> rows, long at) {}

    /** What was decided of some images before. */
    private record Before(String classId, Map<String, Optional<CuratedRow>> rows) {}

    /** A class and how many of its images are kept and dropped by hand. */
    record Counts(int keep, int drop) {}

    /** What was taken back; of which class and images. */
    record Undone(String classId, List<String> ids) {}

    private final RunFolder run;
    private final Map<String, Read> read = new HashMap<>(); // by class
    private final Deque<Before> done = new ArrayDeque<>(); // the last one first
    private Map<String, Counts> counts = Map.of();
    private long counted;

    Curation(RunFolder run) {
        this.run = run;
    }

    /** The decisions of a class, {@code keep} or {@code drop} by mix id. */
    synchronized Map<String, String> of(String classId) throws IOException {
        Map<String, String> decisions = new HashMap<>();
        rows(classId).forEach((id, row) -> decisions.put(id, row.kept() ? KEEP : DROP));
        return decisions;
    }

    private SortedMap<String, CuratedRow> rows(String classId) throws IOException {
        Read known = read.get(classId);
        if (known == null || System.nanoTime() - known.at() > FRESH_NANOS) {
            known = new Read(new CuratedTable(run, classId).rows(), System.nanoTime());
            read.put(classId, known);
        }
        return known.rows();
    }

    /**
     * Decides.
     *
     * @param decision {@code keep}, {@code drop}, or empty for neither
     */
    synchronized void decide(String classId, List<Picture> pictures, String decision) throws IOException {
        SortedMap<String, CuratedRow> rows = rows(classId);
        Map<String, Optional<CuratedRow>> earlier = new TreeMap<>();
        Map<String, Optional<CuratedRow>> after = new TreeMap<>();
        for (Picture picture : pictures) {
            earlier.put(picture.id(), Optional.ofNullable(rows.get(picture.id())));
            after.put(
                    picture.id(),
                    decision.isEmpty()
                            ? Optional.empty()
                            : Optional.of(
                                    new CuratedRow(picture.id(), classId, picture.chunk(), decision.equals(KEEP))));
        }
        write(classId, after);
        done.push(new Before(classId, earlier));
        while (done.size() > MOST_UNDONE
                || (done.size() > 1
                        && done.stream()
                                        .mapToInt(before -> before.rows().size())
                                        .sum()
                                > MOST_HELD)) {
            done.removeLast();
        }
    }

    /** Takes the last decision of this server back; nothing where there is none. */
    synchronized Optional<Undone> undo() throws IOException {
        Before last = done.peek();
        if (last == null) {
            return Optional.empty();
        }
        write(last.classId(), last.rows());
        done.pop();
        return Optional.of(new Undone(last.classId(), List.copyOf(last.rows().keySet())));
    }

    private void write(String classId, Map<String, Optional<CuratedRow>> rows) throws IOException {
        List<CuratedRow> decided = new ArrayList<>();
        Set<String> withdrawn = new HashSet<>();
        rows.forEach((id, row) -> row.ifPresentOrElse(decided::add, () -> withdrawn.add(id)));
        new CuratedTable(run, classId).decide(decided, withdrawn);
        read.remove(classId);
        counted = 0;
    }

    /** How much is decided, by class; of classes of which something is. */
    synchronized Map<String, Counts> counts() throws IOException {
        if (counted == 0 || System.nanoTime() - counted > FRESH_NANOS) {
            Map<String, Counts> found = new TreeMap<>();
            for (String classId : run.classes(Table.CURATED)) {
                int all = rows(classId).size();
                int keep = (int)
                        rows(classId).values().stream().filter(CuratedRow::kept).count();
                if (all > 0) { // all may be taken back
                    found.put(classId, new Counts(keep, all - keep));
                }
            }
            counts = found;
            counted = System.nanoTime();
        }
        return counts;
    }

    /** All decisions as a table of text, with a header. */
    synchronized String csv() throws IOException {
        StringWriter text = new StringWriter();
        CsvWriterSettings settings = new CsvWriterSettings();
        settings.getFormat().setLineSeparator("\n");
        CsvWriter csv = new CsvWriter(text, settings);
        csv.writeHeaders("class_id", "mix_id", "decision");
        for (String classId : run.classes(Table.CURATED)) {
            for (CuratedRow row : new CuratedTable(run, classId).rows().values()) {
                csv.writeRow(row.classId(), row.mixId(), row.kept() ? KEEP : DROP);
            }
        }
        csv.close();
        return text.toString();
    }
}
