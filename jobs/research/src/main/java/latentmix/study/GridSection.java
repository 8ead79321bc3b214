package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import latentmix.image.Pixels;
import latentmix.study.StudyConfig.Cells;
import latentmix.study.StudyConfig.Grid;
import latentmix.study.StudyConfig.Setting;

/**
 * This section shows pictures of every cell: methods down, input counts across, a picture for each class and example.
 * With one input count, the examples go across.
 */
final class GridSection {
    private final StudyRuns runs;
    private final Grid grid;
    private final Cells cells;
    private final List<String> counts;

    private GridSection(StudyRuns runs, Grid grid) {
        this.runs = runs;
        this.grid = grid;
        this.cells = grid.cells();
        this.counts = cells.inputs();
    }

    static StudySection of(StudyRuns runs, Grid grid) throws IOException {
        return new GridSection(runs, grid).section();
    }

    private StudySection section() throws IOException {
        List<Figure> figures = new ArrayList<>();
        for (String classId : grid.classes()) {
            List<Row> rows = rows(classId);
            if (counts.size() == 1) {
                figures.add(acrossExamples(classId, rows));
            } else {
                for (int example = 0; example < grid.examples(); example++) {
                    figures.add(acrossCounts(classId, rows, example));
                }
            }
        }
        return new StudySection(
                grid.heading().name(),
                grid.heading().title(),
                grid.heading().about(),
                List.of(),
                figures,
                List.of(),
                List.of());
    }

    /** The images of one method under one setting, by the mixture's number in its entry. */
    private record Row(String label, List<String> inputs, Map<Integer, Pixels> images) {
        Optional<Pixels> image(String count, int example) {
            int column = inputs.indexOf(count);
            return Optional.ofNullable(column < 0 ? null : images.get(example * inputs.size() + column));
        }
    }

    private List<Row> rows(String classId) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (Setting setting : cells.settings()) {
            StudyRuns.Done run = runs.of(setting);
            MixtureImages images = MixtureImages.of(run.run(), run.pool(classId));
            for (String method : cells.methods()) {
                for (String weights : cells.weights()) {
                    for (String pool : cells.pools()) {
                        String entry = Cells.entry(setting.entries(), method, weights, pool);
                        List<String> inputs = cells.inputs(method);
                        rows.add(new Row(
                                label(setting, method, weights, pool),
                                inputs,
                                images.open(run.mixing(entry), run.generation(), inputs.size() * grid.examples())));
                    }
                }
            }
        }
        return rows;
    }

    private String label(Setting setting, String method, String weights, String pool) {
        List<String> parts = new ArrayList<>(List.of(method));
        if (cells.weights().size() > 1) {
            parts.add(weights);
        }
        if (cells.pools().size() > 1) {
            parts.add(pool);
        }
        if (cells.settings().size() > 1) {
            parts.add(cells.factor() + " " + setting.label());
        }
        return String.join(", ", parts);
    }

    private Figure acrossExamples(String classId, List<Row> rows) {
        List<PictureGrid.Row> drawn = rows.stream()
                .map(row -> new PictureGrid.Row(
                        row.label(),
                        range(grid.examples()).stream()
                                .map(example -> row.image(row.inputs().get(0), example))
                                .toList()))
                .toList();
        return new Figure.Pictures(
                grid.heading().name() + "-" + classId,
                "Class " + classId + ", " + counts.get(0)
                        + " inputs: an example a column, the same inputs in every row.",
                new PictureGrid(Collections.nCopies(grid.examples(), ""), drawn));
    }

    private Figure acrossCounts(String classId, List<Row> rows, int example) {
        List<PictureGrid.Row> drawn = rows.stream()
                .map(row -> new PictureGrid.Row(
                        row.label(),
                        cells.inputs().containsAll(row.inputs())
                                ? counts.stream()
                                        .map(count -> row.image(count, example))
                                        .toList()
                                : List.of(row.image(row.inputs().get(0), example))))
                .toList();
        return new Figure.Pictures(
                grid.heading().name() + "-" + classId + (grid.examples() == 1 ? "" : "-" + (example + 1)),
                "Class " + classId + ": the same inputs in every row of a column.",
                new PictureGrid(counts.stream().map(count -> "N = " + count).toList(), drawn));
    }

    private static List<Integer> range(int count) {
        return IntStream.range(0, count).boxed().toList();
    }
}
