package latentmix.table;

import java.io.IOException;
import java.util.List;
import latentmix.table.RunFolder.Table;

/** A table that is one file a class, which is written anew as a whole. It may not be there. */
record OneFile<T extends Record>(RunFolder run, Table table, String classId, String file, Class<T> type) {
    /** Its rows; none where it is not there. */
    List<T> rows() throws IOException {
        return run.chunks(table, classId).contains(file)
                ? RowFile.read(run.chunk(table, classId, file), run.conf(), type)
                : List.of();
    }

    /** Replaces its rows. */
    void publish(List<T> rows) throws IOException {
        run.publish(run.chunk(table, classId, file), RowFile.bytes(type, rows));
    }
}
