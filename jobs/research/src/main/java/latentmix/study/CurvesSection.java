package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.study.Chart.Mark;
import latentmix.study.Chart.Point;
import latentmix.study.Chart.Reference;
import latentmix.study.Chart.Series;
import latentmix.study.StudyConfig.Axis;
import latentmix.study.StudyConfig.AxisScale;
import latentmix.study.StudyConfig.Cells;
import latentmix.study.StudyConfig.Curves;
import latentmix.study.StudyConfig.Setting;
import latentmix.table.MetricRow;

/** This section draws the metrics of every cell against one factor: a chart and a table for each metric. */
final class CurvesSection {
    private static final Set<String> REFERENCES = Set.of(MetricRow.REAL, MetricRow.RECONSTRUCTION);

    private final Curves curves;
    private final Cells cells;
    private final List<CurveRow> rows;
    private final Map<String, Double> places = new LinkedHashMap<>(); // along x, by label
    private final boolean numbers;

    private CurvesSection(Curves curves, List<CurveRow> rows) {
        this.curves = curves;
        this.cells = curves.cells();
        this.rows = rows;
        Set<String> labels = new LinkedHashSet<>(
                switch (curves.axis()) {
                    case METHOD -> cells.methods();
                    case INPUTS -> cells.inputs();
                    case WEIGHTS -> cells.weights();
                    case POOL -> cells.pools();
                    case SETTING ->
                        cells.settings().stream().map(Setting::label).toList();
                    case CLASS ->
                        rows.stream()
                                .map(CurveRow::scope)
                                .filter(scope -> !scope.equals(MetricRow.ALL))
                                .sorted()
                                .toList();
                });
        numbers = labels.stream().allMatch(label -> label.matches("\\d+(\\.\\d+)?"));
        labels.forEach(label -> places.put(label, numbers ? Double.parseDouble(label) : places.size()));
    }

    static StudySection of(StudyRuns runs, Curves curves) throws IOException {
        List<CurveRow> rows = new ArrayList<>();
        for (Setting setting : curves.cells().settings()) {
            Map<String, RowSource> entries = new HashMap<>();
            for (String method : curves.cells().methods()) {
                for (String weights : curves.cells().weights()) {
                    for (String pool : curves.cells().pools()) {
                        entries.put(
                                Cells.entry(setting.entries(), method, weights, pool), new RowSource(weights, pool));
                    }
                }
            }
            for (MetricRow row : runs.metrics(setting)) {
                RowSource source = REFERENCES.contains(row.method()) ? new RowSource("", "") : entries.get(row.entry());
                if (source != null) {
                    rows.add(new CurveRow(
                            setting.label(),
                            row.scope(),
                            row.method(),
                            row.sourceCount(),
                            source.weights(),
                            source.pool(),
                            row.metric(),
                            row.value(),
                            row.low(),
                            row.high(),
                            row.images()));
                }
            }
        }
        rows.sort(order(curves.cells()));
        return new CurvesSection(curves, rows).section();
    }

    /**
     * Orders rows as the configuration lists the factors; the lines of reference come first, and all classes before
     * each.
     */
    private static Comparator<CurveRow> order(Cells cells) {
        List<String> settings = cells.settings().stream().map(Setting::label).toList();
        return Comparator.comparingInt((CurveRow row) -> settings.indexOf(row.setting()))
                .thenComparingInt(row -> cells.methods().indexOf(row.method()))
                .thenComparing(CurveRow::method)
                .thenComparingInt(row -> cells.weights().indexOf(row.weights()))
                .thenComparingInt(row -> cells.pools().indexOf(row.pool()))
                .thenComparingInt(CurveRow::inputs)
                .thenComparing(row -> !row.scope().equals(MetricRow.ALL))
                .thenComparing(CurveRow::scope)
                .thenComparingInt(row -> MetricName.rank(row.metric()))
                .thenComparing(CurveRow::metric);
    }

    /** The factors that an entry's name stands for. */
    private record RowSource(String weights, String pool) {}

    private StudySection section() {
        List<Figure> figures = new ArrayList<>();
        List<Pivot> pivots = new ArrayList<>();
        for (String metric : drawn()) {
            Map<String, Map<String, CurveRow>> series = series(metric);
            List<CurveRow> level = level(metric);
            MetricName name = MetricName.of(metric);
            figures.add(new Figure.Drawing(
                    curves.heading().name() + "-" + metric.replaceAll("[^A-Za-z0-9_]", "-"),
                    name.label() + "; " + images(series) + " images a point, bars are 95 % intervals.",
                    chart(name, series, level)));
            pivots.add(pivot(name, series, level));
        }
        return new StudySection(
                curves.heading().name(),
                curves.heading().title(),
                curves.heading().about(),
                List.of(),
                figures,
                pivots,
                List.of(new StudyTable<>(
                        curves.heading().name(), "A row is a metric of a cell.", CurveRow.class, rows)));
    }

    private List<String> drawn() {
        Set<String> found = new LinkedHashSet<>();
        rows.forEach(row -> found.add(row.metric()));
        return curves.metrics().isEmpty()
                ? found.stream()
                        .sorted(Comparator.comparingInt(MetricName::rank).thenComparing(Comparator.naturalOrder()))
                        .toList()
                : curves.metrics().stream().filter(found::contains).toList();
    }

    /** A metric's rows that go along the axis, by series and label of x. */
    private Map<String, Map<String, CurveRow>> series(String metric) {
        Map<String, Map<String, CurveRow>> series = new LinkedHashMap<>();
        for (CurveRow row : rows) {
            String x = x(row);
            if (row.metric().equals(metric) && inScope(row) && !isLevel(row) && places.containsKey(x)) {
                series.computeIfAbsent(Labels.series(cells, curves.axis(), row), name -> new LinkedHashMap<>())
                        .put(x, row);
            }
        }
        return series;
    }

    /** A metric's rows that are the same along the axis: real images, and methods with an input count of their own. */
    private List<CurveRow> level(String metric) {
        Map<String, CurveRow> level = new LinkedHashMap<>();
        for (CurveRow row : rows) {
            if (row.metric().equals(metric) && row.scope().equals(MetricRow.ALL) && isLevel(row)) {
                level.putIfAbsent(levelName(row), row);
            }
        }
        return curves.axis() == Axis.CLASS ? List.of() : List.copyOf(level.values());
    }

    private String levelName(CurveRow row) {
        return REFERENCES.contains(row.method()) ? row.method() : Labels.series(cells, curves.axis(), row);
    }

    private boolean isLevel(CurveRow row) {
        return REFERENCES.contains(row.method()) || (curves.axis() == Axis.INPUTS && cells.hasOwnInputs(row.method()));
    }

    private boolean inScope(CurveRow row) {
        return (curves.axis() == Axis.CLASS) != row.scope().equals(MetricRow.ALL);
    }

    private String x(CurveRow row) {
        return switch (curves.axis()) {
            case METHOD -> row.method();
            case INPUTS -> Integer.toString(row.inputs());
            case WEIGHTS -> row.weights();
            case POOL -> row.pool();
            case SETTING -> row.setting();
            case CLASS -> row.scope();
        };
    }

    private String axisName() {
        return switch (curves.axis()) {
            case METHOD -> "method";
            case INPUTS -> "N, inputs of a mixture";
            case WEIGHTS -> "weights";
            case POOL -> "class mean over";
            case SETTING -> cells.factor();
            case CLASS -> "class";
        };
    }

    private Chart chart(MetricName name, Map<String, Map<String, CurveRow>> series, List<CurveRow> level) {
        List<Series> drawn = new ArrayList<>();
        series.forEach((label, points) -> drawn.add(new Series(
                label,
                numbers ? Mark.LINE : Mark.POINTS,
                points.entrySet().stream()
                        .map(point -> point(places.get(point.getKey()), point.getValue()))
                        .toList())));
        Map<Double, String> ticks = new TreeMap<>();
        places.forEach((label, place) -> ticks.put(place, label));
        return new Chart(
                "",
                new Chart.Axis(axisName(), numbers ? curves.scale() : AxisScale.LINEAR, ticks),
                new Chart.Axis(name.label(), AxisScale.LINEAR),
                drawn,
                level.stream()
                        .map(row -> new Reference(levelName(row), row.value()))
                        .toList());
    }

    private static Point point(double x, CurveRow row) {
        return Double.isNaN(row.low()) || Double.isNaN(row.high())
                ? new Point(x, row.value())
                : new Point(x, row.value(), Math.min(row.low(), row.value()), Math.max(row.high(), row.value()));
    }

    private Pivot pivot(MetricName name, Map<String, Map<String, CurveRow>> series, List<CurveRow> level) {
        Map<String, Double> best = new HashMap<>();
        series.values()
                .forEach(points -> points.forEach((x, row) -> best.merge(
                        x,
                        row.value(),
                        (a, b) -> name.better() == MetricName.Better.LOWER ? Math.min(a, b) : Math.max(a, b))));
        List<Pivot.Row> table = new ArrayList<>();
        series.forEach((label, points) -> table.add(new Pivot.Row(
                label,
                places.keySet().stream()
                        .map(x -> {
                            CurveRow row = points.get(x);
                            boolean first = row != null
                                    && series.size() > 1
                                    && name.better() != MetricName.Better.NEITHER
                                    && row.value() == best.get(x);
                            return new Pivot.Cell(
                                    row == null ? "" : text(row), first ? Pivot.Rank.BEST : Pivot.Rank.OTHER);
                        })
                        .toList())));
        for (CurveRow row : level) {
            table.add(new Pivot.Row(levelName(row), List.of(new Pivot.Cell(text(row), Pivot.Rank.OTHER))));
        }
        return new Pivot(name.label(), axisName(), List.copyOf(places.keySet()), table);
    }

    private static String text(CurveRow row) {
        double size = Math.abs(row.value());
        String format = size < 1 ? "%.3f" : size < 10 ? "%.2f" : size < 100 ? "%.1f" : "%.0f";
        String value = String.format(Locale.ROOT, format, row.value());
        return Double.isNaN(row.low()) || Double.isNaN(row.high())
                ? value
                : value + " ± " + String.format(Locale.ROOT, format, (row.high() - row.low()) / 2);
    }

    private static String images(Map<String, Map<String, CurveRow>> series) {
        long[] images = series.values().stream()
                .flatMap(points -> points.values().stream())
                .mapToLong(CurveRow::images)
                .sorted()
                .toArray();
        if (images.length == 0) {
            return "no";
        }
        long least = images[0];
        long most = images[images.length - 1];
        return Stream.of(least, most)
                .distinct()
                .map(count -> String.format(Locale.ROOT, "%,d", count))
                .reduce((a, b) -> a + " to " + b)
                .orElseThrow();
    }
}
