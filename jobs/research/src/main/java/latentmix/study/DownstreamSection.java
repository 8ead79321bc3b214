package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.study.ClassifierWork.Augmented;
import latentmix.study.Downstream.Arm;
import latentmix.study.StudyConfig.AxisScale;

/**
 * This section shows accuracies by number of real images and way of training: a chart, the tables to read, and a row
 * for each training.
 */
final class DownstreamSection {
    private final StudyConfig.Downstream config;
    private final List<AccuracyRow> accuracies;
    private final List<DownstreamRow> rows = new ArrayList<>();
    private final Map<Key, DownstreamRow> byKey = new LinkedHashMap<>();

    private record Key(int shots, Arm arm) {}

    private DownstreamSection(StudyConfig.Downstream config, List<AccuracyRow> accuracies) {
        this.config = config;
        this.accuracies = accuracies;
        for (int shots : config.shots()) {
            for (Arm arm : Downstream.arms(config, shots)) {
                DownstreamRow row = row(shots, arm);
                rows.add(row);
                byKey.put(new Key(shots, arm), row);
            }
        }
    }

    static StudySection of(StudyContext context, StudyConfig.Downstream config) throws IOException {
        return of(config, Downstream.run(context, config));
    }

    /** Makes the section from known accuracies, one for each training. */
    static StudySection of(StudyConfig.Downstream config, List<AccuracyRow> accuracies) {
        return new DownstreamSection(config, accuracies).section();
    }

    private List<AccuracyRow> of(int shots, Arm arm) {
        return accuracies.stream()
                .filter(row -> row.shots() == shots
                        && row.method().equals(arm.method().orElse(""))
                        && row.multiple() == arm.multiple()
                        && row.augmentation().equals(arm.augmented().name().toLowerCase(Locale.ROOT)))
                .toList();
    }

    private DownstreamRow row(int shots, Arm arm) {
        Map<Integer, Double> alone = bySeed(of(shots, new Arm(Optional.empty(), 0, Augmented.NONE)));
        List<AccuracyRow> own = of(shots, arm);
        Map<Integer, Double> accuracy = bySeed(own);
        MeanInterval mean = MeanInterval.of(accuracy.values());
        MeanInterval gain = MeanInterval.of(accuracy.entrySet().stream()
                .map(seed -> seed.getValue() - alone.get(seed.getKey()))
                .toList());
        return new DownstreamRow(
                shots,
                arm.name(),
                arm.multiple(),
                own.size(),
                mean.mean(),
                mean.low(),
                mean.high(),
                gain.mean(),
                gain.low(),
                gain.high(),
                own.get(0).realImages(),
                own.stream().mapToInt(AccuracyRow::madeImages).average().orElseThrow());
    }

    private static Map<Integer, Double> bySeed(List<AccuracyRow> rows) {
        return rows.stream().collect(Collectors.toMap(AccuracyRow::seed, AccuracyRow::accuracy));
    }

    private StudySection section() {
        String name = config.heading().name();
        List<Pivot> pivots = new ArrayList<>();
        List<String> columns =
                config.shots().stream().map(shots -> "k = " + shots).toList();
        String caption = "Accuracy on "
                + String.format(Locale.ROOT, "%,d", accuracies.get(0).testImages()) + " test images, mean of "
                + config.seeds()
                + " seeds and 95 %% interval (t); made images: %d for each real one".formatted(config.multiple());
        pivots.add(pivot(
                caption, "trained on", columns, common(), (shots, arm) -> accuracy(byKey.get(new Key(shots, arm)))));
        pivots.add(pivot(
                "Gain over real images alone, seed by seed, with its 95 % interval",
                "trained on",
                columns,
                common().subList(1, common().size()),
                (shots, arm) -> gain(byKey.get(new Key(shots, arm)))));
        closer().ifPresent(pivots::add);
        return new StudySection(
                name,
                config.heading().title(),
                config.heading().about(),
                notes(),
                List.of(new Figure.Drawing(
                        name,
                        "Accuracy against the number of real images a class; bars are 95 % intervals over "
                                + config.seeds() + " seeds.",
                        chart())),
                pivots,
                List.of(
                        new StudyTable<>(name, "A row is a way to train, over all seeds.", DownstreamRow.class, rows),
                        new StudyTable<>(name + "-trainings", "A row is a training.", AccuracyRow.class, accuracies)));
    }

    /** The ways to train that every number of shots has. */
    private List<Arm> common() {
        List<Arm> arms = new ArrayList<>(Downstream.arms(config, config.shots().get(0)));
        config.shots().forEach(shots -> arms.retainAll(Downstream.arms(config, shots)));
        return arms;
    }

    private interface Value {
        String of(int shots, Arm arm);
    }

    private Pivot pivot(String caption, String corner, List<String> columns, List<Arm> arms, Value value) {
        return new Pivot(
                caption,
                corner,
                columns,
                arms.stream()
                        .map(arm -> new Pivot.Row(
                                arm.name(),
                                config.shots().stream()
                                        .map(shots -> new Pivot.Cell(value.of(shots, arm), rank(shots, arm, arms)))
                                        .toList()))
                        .toList());
    }

    private Pivot.Rank rank(int shots, Arm arm, List<Arm> arms) {
        double best = arms.stream()
                .mapToDouble(other -> byKey.get(new Key(shots, other)).accuracy())
                .max()
                .orElseThrow();
        return byKey.get(new Key(shots, arm)).accuracy() == best ? Pivot.Rank.BEST : Pivot.Rank.OTHER;
    }

    /** The table of multiples, and of augmentation on top, for the number of shots that has them. */
    private Optional<Pivot> closer() {
        int shots = config.closer().shots();
        if (!config.shots().contains(shots) || config.methods().isEmpty()) {
            return Optional.empty();
        }
        List<Integer> multiples = IntStream.concat(
                        IntStream.of(config.multiple()),
                        config.closer().multiples().stream().mapToInt(Integer::intValue))
                .sorted()
                .distinct()
                .boxed()
                .toList();
        List<String> columns = new ArrayList<>(
                multiples.stream().map(multiple -> multiple + "×").toList());
        columns.add(config.multiple() + "× + augmentation");
        List<Pivot.Row> table = new ArrayList<>();
        for (String method : config.methods()) {
            List<Arm> arms = new ArrayList<>(multiples.stream()
                    .map(multiple -> new Arm(Optional.of(method), multiple, Augmented.NONE))
                    .toList());
            arms.add(new Arm(Optional.of(method), config.multiple(), Augmented.STANDARD));
            table.add(new Pivot.Row(
                    "real + " + method,
                    arms.stream()
                            .map(arm -> new Pivot.Cell(accuracy(byKey.get(new Key(shots, arm))), Pivot.Rank.OTHER))
                            .toList()));
        }
        return Optional.of(new Pivot(
                "Accuracy with " + shots + " real images a class, by made images for each real one",
                "trained on",
                columns,
                table));
    }

    private Chart chart() {
        List<Chart.Series> series = common().stream()
                .map(arm -> new Chart.Series(
                        arm.name(),
                        Chart.Mark.LINE,
                        config.shots().stream()
                                .map(shots -> point(byKey.get(new Key(shots, arm))))
                                .toList()))
                .toList();
        return new Chart(
                "",
                new Chart.Axis("k, real images a class", AxisScale.LOG),
                new Chart.Axis("accuracy on the test images", AxisScale.LINEAR),
                series,
                List.of());
    }

    private static Chart.Point point(DownstreamRow row) {
        return Double.isNaN(row.low())
                ? new Chart.Point(row.shots(), row.accuracy())
                : new Chart.Point(row.shots(), row.accuracy(), row.low(), row.high());
    }

    /** A sentence that says which ways of training are better or worse than real images alone beyond chance. */
    private List<String> notes() {
        List<String> notes = new ArrayList<>();
        for (Arm arm : common().subList(1, common().size())) {
            List<DownstreamRow> own = config.shots().stream()
                    .map(shots -> byKey.get(new Key(shots, arm)))
                    .toList();
            notes.add(arm.name() + ": "
                    + where(
                            "better than real images alone",
                            own.stream().filter(row -> row.gainLow() > 0).toList())
                    + where(
                            "worse",
                            own.stream().filter(row -> row.gainHigh() < 0).toList())
                    + where(
                            "no difference beyond the seeds'",
                            own.stream()
                                    .filter(row -> !(row.gainLow() > 0) && !(row.gainHigh() < 0))
                                    .toList()));
        }
        return notes.stream().map(note -> note.replaceAll("; $", ".")).toList();
    }

    private static String where(String what, List<DownstreamRow> rows) {
        return rows.isEmpty()
                ? ""
                : what + " at k = "
                        + rows.stream()
                                .map(row -> Integer.toString(row.shots()))
                                .collect(Collectors.joining(", ")) + "; ";
    }

    private static String accuracy(DownstreamRow row) {
        String mean = String.format(Locale.ROOT, "%.3f", row.accuracy());
        return Double.isNaN(row.low())
                ? mean
                : mean + String.format(Locale.ROOT, " ± %.3f", (row.high() - row.low()) / 2);
    }

    private static String gain(DownstreamRow row) {
        String mean = String.format(Locale.ROOT, "%+.3f", row.gain());
        return Double.isNaN(row.gainLow())
                ? mean
                : mean + String.format(Locale.ROOT, " ± %.3f", (row.gainHigh() - row.gainLow()) / 2);
    }
}
