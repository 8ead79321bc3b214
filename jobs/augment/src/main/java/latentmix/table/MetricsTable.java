package latentmix.table;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/** What was measured: a file for each evaluation, named {@code <settings id>-<hash of what was measured>}. */
public final class MetricsTable {
    private final RunFolder run;

    public MetricsTable(RunFolder run) {
        this.run = run;
    }

    /** The names of the table's files, sorted. */
    public Set<String> names() throws IOException {
        return run.metrics();
    }

    /** The names of the files of these evaluations' settings, sorted. */
    public List<String> names(Collection<String> settingsIds) throws IOException {
        return names().stream()
                .filter(name -> settingsIds.stream().anyMatch(id -> name.startsWith(id + "-")))
                .toList();
    }

    /** A file's metrics. */
    public List<MetricRow> rows(String name) throws IOException {
        return RowFile.read(run.metrics(name), run.conf(), MetricRow.class);
    }

    /** Publishes an evaluation's metrics. */
    public void publish(String name, List<MetricRow> rows) throws IOException {
        run.publish(run.metrics(name), RowFile.bytes(MetricRow.class, rows));
    }

    /** Takes an evaluation's metrics away. */
    public void delete(String name) throws IOException {
        run.delete(run.metrics(name));
    }
}
