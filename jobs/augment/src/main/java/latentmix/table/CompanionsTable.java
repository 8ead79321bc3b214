package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import latentmix.table.RunFolder.Table;

/**
 * What inversions keep of the images of one class beside their noise: a file for each micro-batch. These files are
 * published before the inverted chunk that they belong to.
 */
public final class CompanionsTable {
    /** Whose companion a row is. */
    public record Key(String imageId, String prompt, String settingsId) {}

    private final RunFolder run;
    private final String classId;

    public CompanionsTable(RunFolder run, String classId) {
        this.run = run;
        this.classId = classId;
    }

    /** The names of the table's files, sorted. */
    public Set<String> files() throws IOException {
        return run.chunks(Table.COMPANIONS, classId);
    }

    /** Whose companions a file holds; reads no companion. */
    public List<Key> keys(String file) throws IOException {
        return RowFile.read(run.chunk(Table.COMPANIONS, classId, file), run.conf(), Key.class);
    }

    /** A file's companions, one after the other; the caller closes it. */
    public RowFile.Cursor<CompanionRow> open(String file) throws IOException {
        return RowFile.open(run.chunk(Table.COMPANIONS, classId, file), run.conf(), CompanionRow.class);
    }

    /**
     * Publishes a micro-batch's companions; writes no file where there are none.
     *
     * @param chunk the id of the inverted chunk
     * @param batch the micro-batch's number in it
     */
    public void publish(String chunk, int batch, List<CompanionRow> rows) throws IOException {
        if (!rows.isEmpty()) {
            run.publish(
                    run.chunk(Table.COMPANIONS, classId, chunk + "-" + batch), RowFile.bytes(CompanionRow.class, rows));
        }
    }
}
