package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.image.Pixels;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.RecipeSampler;
import latentmix.latent.WeightSampler;
import latentmix.plan.ClassLabel;
import latentmix.study.LatentExperiment.Paths;
import latentmix.study.LatentExperiment.Statistic;
import latentmix.study.StudyConfig.AxisScale;

/**
 * This section draws what latents are like along paths, one curve for each method, over all classes and paths; and
 * pictures along a few of them.
 */
final class PathsSection {
    /**
     * A statistic of one method at one position.
     *
     * @param position the position s, 0 at the input
     * @param effectiveInputs 1 / Σ w²
     * @param statistic the latent's statistic: see the experiment
     * @param low the lower end of the 95 % interval over paths
     * @param high its upper end
     * @param paths number of paths that the method is defined on
     */
    public record PathRow(
            String method,
            double position,
            double effectiveInputs,
            String statistic,
            double value,
            double low,
            double high,
            int paths) {}

    private final Paths paths;
    private final List<Double> positions;

    private PathsSection(Paths paths) {
        this.paths = paths;
        this.positions = paths.positions(paths.points());
    }

    static StudySection of(StudyContext context, StudyRuns runs, Paths paths) throws IOException {
        return new PathsSection(paths).section(context, runs.of(paths.settings().get(0)));
    }

    private StudySection section(StudyContext context, StudyRuns.Done run) throws IOException {
        Pools pools = Pools.of(context, run);
        pools.check(size -> paths.methods().stream()
                .flatMap(method -> new RecipeSampler(
                                Method.parse(method),
                                new InputCount(paths.inputs(), paths.inputs()),
                                new WeightSampler.Equal(),
                                paths.pool())
                        .poolError(size).stream())
                .findFirst());
        PathSurvey survey = new PathSurvey(paths.methods(), paths.inputs(), positions, paths.paths(), paths.pool());
        String seed = paths.run().run().seed() + " " + paths.heading().name() + " ";
        Map<ClassLabel, List<PathSurvey.Point>> points =
                pools.map("go paths", (folder, label, pool) -> survey.of(pool, seed + label.classId()));
        List<PathRow> rows = rows(points.values().stream().flatMap(List::stream).toList());
        List<Figure> figures = new ArrayList<>();
        paths.statistics().forEach(statistic -> figures.add(drawing(rows, statistic)));
        if (paths.frames() > 0) {
            for (ClassLabel label : points.keySet()) {
                figures.addAll(pictures(run, label.classId()));
            }
        }
        return new StudySection(
                paths.heading().name(),
                paths.heading().title(),
                paths.heading().about(),
                notes(rows),
                figures,
                List.of(),
                List.of(new StudyTable<>(
                        paths.heading().name(),
                        "What latents are like along paths of " + paths.inputs() + " inputs, over "
                                + points.size() * paths.paths() + " paths of " + points.size() + " classes.",
                        PathRow.class,
                        rows)));
    }

    private List<PathRow> rows(List<PathSurvey.Point> points) {
        record Place(String method, double position) {}
        Map<Place, List<PathSurvey.Point>> byPlace = new LinkedHashMap<>();
        for (String method : paths.methods()) {
            positions.forEach(position -> byPlace.put(new Place(method, position), new ArrayList<>()));
        }
        points.forEach(point ->
                byPlace.get(new Place(point.method(), point.position())).add(point));
        List<PathRow> rows = new ArrayList<>();
        byPlace.forEach((place, there) -> {
            if (!there.isEmpty()) {
                for (Statistic statistic : Statistic.values()) {
                    SampleMean estimate = SampleMean.of(there.stream()
                            .mapToDouble(point -> point.value(statistic))
                            .toArray());
                    rows.add(new PathRow(
                            place.method(),
                            place.position(),
                            new WeightSampler.Path(place.position()).expectedEss(paths.inputs()),
                            statistic.text(),
                            estimate.mean(),
                            estimate.low(),
                            estimate.high(),
                            there.size()));
                }
            }
        });
        return rows;
    }

    private Figure drawing(List<PathRow> rows, Statistic statistic) {
        List<Chart.Series> series = paths.methods().stream()
                .map(method -> new Chart.Series(
                        method,
                        Chart.Mark.BAND,
                        at(rows, method, statistic)
                                .map(row -> new Chart.Point(row.position(), row.value(), row.low(), row.high()))
                                .toList()))
                .toList();
        boolean zero = statistic == Statistic.DISTANCE;
        Chart chart = new Chart(
                "",
                new Chart.Axis("position s on the path from an input to " + end(), AxisScale.LINEAR),
                new Chart.Axis(label(statistic), AxisScale.LINEAR),
                series,
                List.of(new Chart.Reference(zero ? "the input" : "noise", zero ? 0 : 1)));
        return new Figure.Drawing(
                paths.heading().name() + "-" + statistic.text(),
                label(statistic) + " along the path, mean over all paths with its 95 % interval.",
                chart);
    }

    private String end() {
        return paths.inputs() == 2 ? "another (2)" : "the centroid of " + paths.inputs() + " inputs (1)";
    }

    private static String label(Statistic statistic) {
        return switch (statistic) {
            case NORM -> "norm / √D";
            case DISTANCE -> "distance to the input / √D";
            case RESIDUAL -> "mean square about the class's mean";
            case CONSTANT -> "energy of the channels' means";
            case LOW -> "energy of low frequencies";
            case MIDDLE -> "energy of middle frequencies";
            case HIGH -> "energy of high frequencies";
        };
    }

    private static Stream<PathRow> at(List<PathRow> rows, String method, Statistic statistic) {
        return rows.stream()
                .filter(row -> row.method().equals(method) && row.statistic().equals(statistic.text()));
    }

    private List<String> notes(List<PathRow> rows) {
        double centroid = 1;
        List<String> notes = new ArrayList<>();
        for (String method : paths.methods()) {
            Optional<Double> distance = value(rows, method, Statistic.DISTANCE, 0);
            Optional<Double> first = value(rows, method, Statistic.NORM, 0);
            Optional<Double> last = value(rows, method, Statistic.NORM, centroid);
            if (distance.isPresent() && first.isPresent() && last.isPresent()) {
                notes.add(String.format(
                        Locale.ROOT,
                        "%s: at the input %s, norm %.3f √D; at the centroid norm %.3f √D.",
                        method,
                        distance.get() < 1e-6
                                ? "exact"
                                : String.format(Locale.ROOT, "%.3f √D away from it", distance.get()),
                        first.get(),
                        last.get()));
            }
        }
        return notes;
    }

    private Optional<Double> value(List<PathRow> rows, String method, Statistic statistic, double position) {
        double nearest = positions.stream()
                .min((a, b) -> Double.compare(Math.abs(a - position), Math.abs(b - position)))
                .orElseThrow();
        return at(rows, method, statistic)
                .filter(row -> row.position() == nearest)
                .map(PathRow::value)
                .findFirst();
    }

    private List<Figure> pictures(StudyRuns.Done run, String classId) throws IOException {
        MixtureImages images = MixtureImages.of(run.run(), run.pool(classId));
        int methods = paths.shown().size();
        List<Double> frames = paths.positions(paths.frames());
        List<Map<Integer, Pixels>> columns = new ArrayList<>();
        for (double position : frames) {
            columns.add(images.open(run.mixing(paths.entry(position)), run.generation(), methods * paths.examples()));
        }
        List<Figure> figures = new ArrayList<>();
        for (int example = 0; example < paths.examples(); example++) {
            List<PictureGrid.Row> rows = new ArrayList<>();
            for (int method = 0; method < methods; method++) {
                int k = example * methods + method;
                rows.add(new PictureGrid.Row(
                        paths.shown().get(method),
                        columns.stream()
                                .map(column -> Optional.ofNullable(column.get(k)))
                                .toList()));
            }
            figures.add(new Figure.Pictures(
                    paths.heading().name() + "-" + classId + (paths.examples() == 1 ? "" : "-" + (example + 1)),
                    "Class " + classId + ": images along one path, from an input (s = 0) to " + end() + ".",
                    new PictureGrid(
                            frames.stream()
                                    .map(position -> String.format(Locale.ROOT, "s = %.2g", position))
                                    .toList(),
                            rows)));
        }
        return figures;
    }
}
