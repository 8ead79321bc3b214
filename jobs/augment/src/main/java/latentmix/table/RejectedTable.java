package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Set;

/** What one stage refused: a row for each thing, a file for each chunk that refused any. */
public final class RejectedTable {
    /** Why a thing was refused, and under which settings. */
    public record Reason(String id, String reason, String settingsId) {}

    private record Id(String id) {}

    /** A file that was refused, relative to the input root, and why. */
    public record File(String path, String reason) {}

    private final RunFolder run;
    private final StageName stage;

    public RejectedTable(RunFolder run, StageName stage) {
        this.run = run;
        this.stage = stage;
    }

    /** The ids of the chunks that refused rows, of every class, sorted. */
    public Set<String> chunks() throws IOException {
        return run.rejectedChunks(stage);
    }

    /** Whether a chunk refused rows. */
    public boolean has(String chunk) throws IOException {
        return run.exists(run.rejected(stage, chunk));
    }

    /** The number of rows that a chunk refused; the chunk must have some. */
    public long count(String chunk) throws IOException {
        return RowFile.count(run.rejected(stage, chunk), run.conf());
    }

    /** Why a chunk refused its rows, one reason a row. */
    public List<Reason> reasons(String chunk) throws IOException {
        return read(chunk, Reason.class);
    }

    /** All that a chunk refused. */
    public List<RejectedRow> rows(String chunk) throws IOException {
        return read(chunk, RejectedRow.class);
    }

    /** The ids of what a chunk refused. */
    public List<String> ids(String chunk) throws IOException {
        return read(chunk, Id.class).stream().map(Id::id).toList();
    }

    /** The files that a chunk refused. */
    public List<File> files(String chunk) throws IOException {
        return read(chunk, File.class);
    }

    /** Publishes what a chunk refused; writes no file where it refused nothing. */
    void publish(String chunk, List<RejectedRow> rows) throws IOException {
        if (!rows.isEmpty()) {
            run.publish(run.rejected(stage, chunk), RowFile.bytes(RejectedRow.class, rows));
        }
    }

    /** Takes away what a chunk refused. */
    void forget(String chunk) throws IOException {
        run.delete(run.rejected(stage, chunk));
    }

    private <P extends Record> List<P> read(String chunk, Class<P> projection) throws IOException {
        return RowFile.read(run.rejected(stage, chunk), run.conf(), projection);
    }
}
