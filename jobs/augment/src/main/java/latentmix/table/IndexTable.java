package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Where images lie inside larger files: one file of rows for each larger file, as it was when it was read. An unchanged
 * one is not read again.
 */
public final class IndexTable {
    /** Which class a row has, what it says of the image, and why it has none. */
    public record Text(String classId, String className, String caption, String reason) {}

    private static final String FOLDER = "index";
    private static final String SUFFIX = ".parquet";

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
        return run.exists(run.path(FOLDER + "/" + name + SUFFIX));
    }

    /** A file's rows. */
    public List<IndexRow> rows(String name) throws IOException {
        return RowFile.read(run.path(FOLDER + "/" + name + SUFFIX), run.conf(), IndexRow.class);
    }

    /** What a file's rows say. */
    public List<Text> texts(String name) throws IOException {
        return RowFile.read(run.path(FOLDER + "/" + name + SUFFIX), run.conf(), Text.class);
    }

    /** Publishes the rows that have neither class nor image as rejected, then all rows. */
    public void publish(String name, List<IndexRow> rows) throws IOException {
        new RejectedTable(run, StageName.IMAGES)
                .publish(
                        name,
                        rows.stream()
                                .filter(row -> row.classId().isEmpty())
                                .map(row -> new RejectedRow(
                                        StageName.IMAGES, "", "", row.path(), row.reason(), row.detail(), ""))
                                .toList());
        run.publish(run.path(FOLDER + "/" + name + SUFFIX), RowFile.bytes(IndexRow.class, rows));
    }
}
