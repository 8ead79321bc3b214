package latentmix.table;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import latentmix.table.RunFolder.Table;

/** The digests of one class's files: a file for each scan that read some. A run folder may lack any of them. */
public final class DigestsTable {
    private final RunFolder run;
    private final String classId;

    public DigestsTable(RunFolder run, String classId) {
        this.run = run;
        this.classId = classId;
    }

    /** What is known of the class's files, also of those that are gone or were changed. */
    public List<DigestRow> rows() throws IOException {
        List<DigestRow> rows = new ArrayList<>();
        for (String file : run.chunks(Table.DIGESTS, classId)) {
            rows.addAll(RowFile.read(run.chunk(Table.DIGESTS, classId, file), run.conf(), DigestRow.class));
        }
        return rows;
    }

    /** Adds what was read, sorted by path; writes no file where it was nothing. */
    public void append(List<DigestRow> read) throws IOException {
        if (!read.isEmpty()) {
            String file = ContentId.of(read.stream()
                    .flatMap(row -> List.of(row.path(), Long.toString(row.modified()), row.digest()).stream())
                    .toList());
            run.publish(run.chunk(Table.DIGESTS, classId, file), RowFile.bytes(DigestRow.class, read));
        }
    }
}
