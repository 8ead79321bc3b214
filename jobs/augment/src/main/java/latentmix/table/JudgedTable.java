package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import latentmix.table.RunFolder.Table;

/** What a filter says of the images made of one class. Rows of a chunk are sorted by k. */
public final class JudgedTable extends ChunkTable<JudgedRow> {
    /** What becomes of an image. */
    public record Verdict(String mixId, int k, boolean kept, List<String> reasons) {}

    public JudgedTable(RunFolder run, String classId) {
        super(run, Table.JUDGED, StageName.FILTER, classId, JudgedRow.class);
    }

    /** A chunk's rows. */
    public List<JudgedRow> rows(String chunk) throws IOException {
        return read(chunk, JudgedRow.class);
    }

    /** A chunk's verdicts; reads no score. */
    public List<Verdict> verdicts(String chunk) throws IOException {
        return read(chunk, Verdict.class);
    }

    /** The mix ids of a chunk's images that are kept. */
    public Set<String> kept(String chunk) throws IOException {
        return verdicts(chunk).stream()
                .filter(Verdict::kept)
                .map(Verdict::mixId)
                .collect(Collectors.toSet());
    }
}
