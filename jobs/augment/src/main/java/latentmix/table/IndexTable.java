package latentmix.table;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;

/**
 * Where images lie inside larger files: one file of rows for each larger file, as it was when it was read. An unchanged
 * one is not read again.
 */
public final class IndexTable {
    /** Which class a row has, what it says of the image, and why it has none. */
    public record Text(String classId, String className, String caption, String reason) {}

    private static final String FOLDER = "index";
    private static final String SUFFIX = ".parquet";
    private static final long ROW_GROUP = 16 << 20; // bytes

    private final RunFolder run;

    public IndexTable(RunFolder run) {
        this.run = run;
    }

    /** The names of the files that are there. */
    public Set<String> names() throws IOException {
        return run.files(FOLDER).stream()
                .filter(file -> file.endsWith(SUFFIX))
                .map(file -> file.substring(0, file.length() - SUFFIX.length()))
                .collect(Collectors.toSet());
    }

    /** Whether there is such a file. */
    public boolean has(String name) throws IOException {
        return run.exists(file(name));
    }

    /** A file's rows one after the other; the caller closes it. */
    public RowFile.Cursor<IndexRow> rows(String name) throws IOException {
        return RowFile.open(file(name), run.conf(), IndexRow.class);
    }

    /** What a file's rows say, one after the other; the caller closes it. */
    public RowFile.Cursor<Text> texts(String name) throws IOException {
        return RowFile.open(file(name), run.conf(), Text.class);
    }

    /** Takes rows one after the other. */
    @FunctionalInterface
    public interface Sink {
        void add(IndexRow row) throws IOException;
    }

    /** Gives rows one after the other. */
    @FunctionalInterface
    public interface Rows {
        void writeTo(Sink sink) throws IOException;
    }

    /**
     * Publishes a file of rows that need not lie in memory together, and before it those that have neither class nor
     * image, as rejected.
     */
    public void publish(String name, Rows rows) throws IOException {
        run.publish(file(name), out -> {
            List<RejectedRow> rejected = new ArrayList<>();
            try (RowFile.Writer<IndexRow> writer = RowFile.writer(out, IndexRow.class, Map.of(), ROW_GROUP)) {
                rows.writeTo(row -> {
                    if (row.classId().isEmpty()) {
                        rejected.add(
                                new RejectedRow(StageName.IMAGES, "", "", row.path(), row.reason(), row.detail(), ""));
                    }
                    writer.add(row);
                });
                rejections().forget(name); // of a run that ended before its rows stood
                rejections().publish(name, rejected);
                writer.finish();
            }
        });
    }

    /** Those of the files that refused rows, and stand. */
    public Set<String> refusing() throws IOException {
        Set<String> refusing = new TreeSet<>(rejections().chunks());
        refusing.retainAll(names());
        return refusing;
    }

    /** Takes a file away, then what it refused. */
    public void forget(String name) throws IOException {
        run.delete(file(name));
        rejections().forget(name);
    }

    private Path file(String name) {
        return run.path(FOLDER + "/" + name + SUFFIX);
    }

    private RejectedTable rejections() {
        return new RejectedTable(run, StageName.IMAGES);
    }
}
