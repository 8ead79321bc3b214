package latentmix.report;

import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import latentmix.table.MetricRow;

/**
 * What was measured over all classes: a line for each kind of image, a column for each metric.
 *
 * @param metrics the columns
 */
record MetricTable(List<String> metrics, List<Line> lines) {
    /**
     * The measurements of one kind of image.
     *
     * @param sourceCount images mixed in each; 0 for images that are no mixtures
     * @param values measurements by metric; not every kind has every metric
     */
    record Line(String entry, String method, int sourceCount, long images, Map<String, MetricRow> values) {}

    /** The table of those rows that stand for all classes. */
    static MetricTable of(List<MetricRow> rows) {
        Set<String> names = new TreeSet<>();
        Map<List<Object>, Map<String, MetricRow>> kinds = new LinkedHashMap<>();
        rows.stream()
                .filter(row -> row.scope().equals(MetricRow.ALL))
                .sorted(Comparator.comparing(MetricRow::entry).thenComparing(MetricRow::sourceCount))
                .forEach(row -> {
                    names.add(row.metric());
                    kinds.computeIfAbsent(
                                    List.of(row.entry(), row.method(), row.sourceCount(), row.weights()),
                                    key -> new LinkedHashMap<>())
                            .put(row.metric(), row);
                });
        return new MetricTable(
                List.copyOf(names),
                kinds.values().stream().map(MetricTable::line).toList());
    }

    private static Line line(Map<String, MetricRow> values) {
        MetricRow any = values.values().iterator().next();
        return new Line(any.entry(), any.method(), any.sourceCount(), any.images(), values);
    }

    /** A measurement with three digits that count; a question mark where it could not be computed. */
    static String digits(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, Math.abs(value) < 1 ? "%.3f" : "%.2f", value) : "?";
    }
}
