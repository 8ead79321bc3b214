package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.study.ClassifierWork.Augmented;
import latentmix.study.StudyConfig.AxisScale;

/**
 * This section shows accuracies by number of real images and arm, each in the way that its validation images chose: a
 * chart, the tables to read, and a row for each training.
 */
final class DownstreamSection {
    private static final String REAL = "real";
    private static final String STANDARD = "real + augmentation";
    private static final String BEST = "best of validation";

    private final StudyConfig.Downstream config;
    private final List<AccuracyRow> accuracies;
    private final List<DownstreamRow> rows = new ArrayList<>();

    /** The training that is taken of each arm, by number of shots, arm and seed. */
    private final Map<Integer, Map<String, Map<Integer, AccuracyRow>>> taken = new LinkedHashMap<>();

    private DownstreamSection(StudyConfig.Downstream config, List<AccuracyRow> accuracies) {
        this.config = config;
        this.accuracies = accuracies;
        for (int shots : config.shots()) {
            Map<String, Map<Integer, AccuracyRow>> arms = new LinkedHashMap<>();
            arms.put(REAL, bySeed(shots, row -> row.arm().isEmpty() && !augmented(row)));
            arms.put(STANDARD, bySeed(shots, row -> row.arm().isEmpty() && augmented(row)));
            config.arms()
                    .forEach(arm -> arms.put(
                            "+ " + arm.name(), bySeed(shots, row -> row.arm().equals(arm.name()))));
            arms.put(BEST, bySeed(shots, DownstreamSection::augmented));
            taken.put(shots, arms);
            arms.forEach((arm, seeds) -> rows.add(row(shots, arm, seeds)));
        }
    }

    static StudySection of(StudyContext context, StudyConfig.Downstream config) throws IOException {
        return of(config, Downstream.run(context, config));
    }

    /** Makes the section from known accuracies, one for each training. */
    static StudySection of(StudyConfig.Downstream config, List<AccuracyRow> accuracies) {
        return new DownstreamSection(config, accuracies).section();
    }

    private static boolean augmented(AccuracyRow row) {
        return row.augmentation().equals(Augmented.STANDARD.name().toLowerCase(Locale.ROOT));
    }

    /** Of each seed the training that does best on the validation images, the first of equals. */
    private Map<Integer, AccuracyRow> bySeed(int shots, Predicate<AccuracyRow> own) {
        Map<Integer, AccuracyRow> best = new TreeMap<>();
        accuracies.stream()
                .filter(row -> row.shots() == shots)
                .filter(own)
                .forEach(row ->
                        best.merge(row.seed(), row, (old, next) -> next.validation() > old.validation() ? next : old));
        return best;
    }

    private DownstreamRow row(int shots, String arm, Map<Integer, AccuracyRow> seeds) {
        MeanInterval mean = mean(seeds);
        MeanInterval gain = difference(seeds, standard(shots));
        return new DownstreamRow(
                shots,
                arm,
                chosen(seeds),
                seeds.size(),
                mean.mean(),
                mean.low(),
                mean.high(),
                gain.mean(),
                gain.low(),
                gain.high(),
                seeds.get(0).realImages(),
                seeds.values().stream()
                        .mapToInt(AccuracyRow::madeImages)
                        .average()
                        .orElseThrow());
    }

    private Map<Integer, AccuracyRow> standard(int shots) {
        return taken.get(shots).get(STANDARD);
    }

    /** The mean difference seed by seed. */
    private static MeanInterval difference(Map<Integer, AccuracyRow> seeds, Map<Integer, AccuracyRow> others) {
        return difference(seeds, others, AccuracyRow::accuracy);
    }

    private static MeanInterval difference(
            Map<Integer, AccuracyRow> seeds, Map<Integer, AccuracyRow> others, Function<AccuracyRow, Double> value) {
        return MeanInterval.of(seeds.entrySet().stream()
                .map(seed -> value.apply(seed.getValue()) - value.apply(others.get(seed.getKey())))
                .toList());
    }

    private String chosen(Map<Integer, AccuracyRow> seeds) {
        return seeds.values().stream()
                .filter(row -> !row.arm().isEmpty())
                .collect(Collectors.groupingBy(this::way, LinkedHashMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .sorted(Comparator.comparing(entry -> -entry.getValue()))
                .map(entry -> entry.getKey() + ": " + entry.getValue())
                .collect(Collectors.joining("; "));
    }

    private String way(AccuracyRow row) {
        return row.method()
                + String.format(Locale.ROOT, " p %.1f", row.share())
                + (config.multiples().size() > 1 ? " " + row.multiple() + "×" : "");
    }

    private StudySection section() {
        String name = config.heading().name();
        List<String> columns =
                config.shots().stream().map(shots -> "k = " + shots).toList();
        List<String> arms = List.copyOf(taken.get(config.shots().get(0)).keySet());
        List<Pivot> pivots = new ArrayList<>();
        AccuracyRow any = accuracies.get(0);
        pivots.add(pivot(
                String.format(
                        Locale.ROOT,
                        "Accuracy on %,d test images, mean of %d seeds and 95 %% interval (t); each arm in the way that"
                                + " does best on %,d validation images",
                        any.testImages(),
                        config.seeds(),
                        any.validationImages()),
                columns,
                arms,
                (shots, arm) -> text("%.3f", mean(taken.get(shots).get(arm)))));
        pivots.add(pivot(
                "Gain over real images with standard augmentation, seed by seed, with its 95 % interval",
                columns,
                arms.stream().filter(arm -> !arm.equals(STANDARD)).toList(),
                (shots, arm) -> text("%+.3f", difference(taken.get(shots).get(arm), standard(shots)))));
        measures().forEach((measure, value) -> {
            pivots.add(pivot(
                    measure,
                    columns,
                    arms,
                    (shots, arm) -> text("%.3f", mean(taken.get(shots).get(arm), value))));
            pivots.add(pivot(
                    measure + ": gain over real images with standard augmentation, seed by seed",
                    columns,
                    arms.stream().filter(arm -> !arm.equals(STANDARD)).toList(),
                    (shots, arm) -> text("%+.3f", difference(taken.get(shots).get(arm), standard(shots), value))));
        });
        for (int shots : config.shots()) {
            if (config.arms().size() > 1) {
                pivots.add(pairs(shots));
            }
            pivots.add(ways(shots));
        }
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
                        new StudyTable<>(name, "A row is an arm, over all seeds.", DownstreamRow.class, rows),
                        new StudyTable<>(name + "-trainings", "A row is a training.", AccuracyRow.class, accuracies)));
    }

    /** What else than all test images as they are is judged by, in words. */
    private Map<String, Function<AccuracyRow, Double>> measures() {
        Map<String, Function<AccuracyRow, Double>> measures = new LinkedHashMap<>();
        if (config.tail() > 0) {
            measures.put("Accuracy on the third of the classes that have the fewest real images", AccuracyRow::tail);
        }
        if (!config.corruptions().isEmpty()) {
            measures.put(
                    String.format(
                            Locale.ROOT,
                            "Accuracy on test images spoilt by %s, severity %d",
                            config.corruptions().stream()
                                    .map(corruption -> corruption.name().toLowerCase(Locale.ROOT))
                                    .collect(Collectors.joining(", ")),
                            config.severity()),
                    AccuracyRow::corrupted);
        }
        return measures;
    }

    private static MeanInterval mean(Map<Integer, AccuracyRow> seeds) {
        return mean(seeds, AccuracyRow::accuracy);
    }

    private static MeanInterval mean(Map<Integer, AccuracyRow> seeds, Function<AccuracyRow, Double> value) {
        return MeanInterval.of(seeds.values().stream().map(value).toList());
    }

    private interface Value {
        String of(int shots, String arm);
    }

    private Pivot pivot(String caption, List<String> columns, List<String> arms, Value value) {
        return new Pivot(
                caption,
                "trained on",
                columns,
                arms.stream()
                        .map(arm -> new Pivot.Row(
                                arm,
                                config.shots().stream()
                                        .map(shots -> new Pivot.Cell(value.of(shots, arm), rank(shots, arm)))
                                        .toList()))
                        .toList());
    }

    /** Which arm is the best one; what is chosen among arms is none. */
    private Pivot.Rank rank(int shots, String arm) {
        double best = taken.get(shots).entrySet().stream()
                .filter(entry -> !entry.getKey().equals(BEST))
                .mapToDouble(entry -> mean(entry.getValue()).mean())
                .max()
                .orElseThrow();
        boolean first = !arm.equals(BEST) && mean(taken.get(shots).get(arm)).mean() == best;
        return first ? Pivot.Rank.BEST : Pivot.Rank.OTHER;
    }

    /** Differences of all arms to each other, seed by seed. */
    private Pivot pairs(int shots) {
        List<String> arms = config.arms().stream().map(arm -> "+ " + arm.name()).toList();
        return new Pivot(
                "Row less column with " + shots + " real images a class, seed by seed, with its 95 % interval",
                "trained on",
                arms,
                arms.stream()
                        .map(arm -> new Pivot.Row(
                                arm,
                                arms.stream()
                                        .map(other -> new Pivot.Cell(pair(shots, arm, other), Pivot.Rank.OTHER))
                                        .toList()))
                        .toList());
    }

    private String pair(int shots, String arm, String other) {
        Map<String, Map<Integer, AccuracyRow>> arms = taken.get(shots);
        return arm.equals(other) ? "" : text("%+.3f", difference(arms.get(arm), arms.get(other)));
    }

    /** All ways of all arms, none chosen: means over the seeds. */
    private Pivot ways(int shots) {
        List<String> columns = config.multiples().stream()
                .flatMap(multiple -> config.shares().stream().map(share -> column(multiple, share)))
                .toList();
        List<Pivot.Row> table = new ArrayList<>();
        for (StudyConfig.Arm arm : config.arms()) {
            for (List<String> set : arm.sets()) {
                String method = StudyConfig.Arm.set(set);
                table.add(new Pivot.Row(
                        arm.name() + (arm.sets().size() > 1 ? ", " + method : ""),
                        config.multiples().stream()
                                .flatMap(multiple -> config.shares().stream()
                                        .map(share -> new Pivot.Cell(
                                                text("%.3f", of(shots, arm.name(), method, multiple, share)),
                                                Pivot.Rank.OTHER)))
                                .toList()));
            }
        }
        return new Pivot(
                "Accuracy with " + shots
                        + " real images a class by the share p of made images in a batch, whatever validation says",
                "trained on",
                columns,
                table);
    }

    private String column(int multiple, double share) {
        return String.format(Locale.ROOT, "p = %.1f", share)
                + (config.multiples().size() > 1 ? ", " + multiple + "×" : "");
    }

    private MeanInterval of(int shots, String arm, String method, int multiple, double share) {
        return MeanInterval.of(accuracies.stream()
                .filter(row -> row.shots() == shots
                        && row.arm().equals(arm)
                        && row.method().equals(method)
                        && row.multiple() == multiple
                        && row.share() == share)
                .map(AccuracyRow::accuracy)
                .toList());
    }

    private Chart chart() {
        List<Chart.Series> series = taken.get(config.shots().get(0)).keySet().stream()
                .map(arm -> new Chart.Series(
                        arm,
                        Chart.Mark.LINE,
                        rows.stream()
                                .filter(row -> row.arm().equals(arm))
                                .map(DownstreamSection::point)
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

    /**
     * What to do with so many shots: the way that does best on the validation images of all seeds, where its gain on
     * the test images is above chance; else nothing.
     */
    private String advice(int shots) {
        Map<List<Object>, List<AccuracyRow>> ways = accuracies.stream()
                .filter(row -> row.shots() == shots && !row.arm().isEmpty())
                .collect(Collectors.groupingBy(
                        row -> List.of(row.arm(), row.method(), row.multiple(), row.share()),
                        LinkedHashMap::new,
                        Collectors.toList()));
        List<AccuracyRow> best = ways.values().stream()
                .max(Comparator.comparingDouble(rows -> rows.stream()
                        .mapToDouble(AccuracyRow::validation)
                        .average()
                        .orElseThrow()))
                .orElseThrow();
        MeanInterval gain =
                difference(best.stream().collect(Collectors.toMap(AccuracyRow::seed, row -> row)), standard(shots));
        AccuracyRow way = best.get(0);
        String what = String.format(
                Locale.ROOT,
                "%s (%s), %s made for each real image, %.0f %% of a batch",
                way.arm(),
                way.method(),
                way.multiple(),
                100 * way.share());
        boolean gains = gain.known() && gain.mean() - gain.half() > 0;
        boolean loses = gain.known() && gain.mean() + gain.half() < 0;
        String none = loses ? "make no images" : "make no images, or test with more seeds";
        return "Advice for k = " + shots + ": "
                + (gains ? "make " + what : none + ". The best was " + what)
                + ". Over all seeds it is the best on the validation images. On the test images it gains "
                + text("%+.3f", gain) + " over standard augmentation.";
    }

    /**
     * What to do, and a sentence for each arm: where it is better or worse than standard augmentation beyond chance.
     */
    private List<String> notes() {
        return Stream.concat(config.shots().stream().map(this::advice), arms()).toList();
    }

    private Stream<String> arms() {
        return Stream.concat(config.arms().stream().map(arm -> "+ " + arm.name()), Stream.of(BEST))
                .map(arm -> {
                    List<DownstreamRow> own =
                            rows.stream().filter(row -> row.arm().equals(arm)).toList();
                    return (arm + ": "
                                    + where("better than standard augmentation", own, row -> row.gainLow() > 0)
                                    + where("worse", own, row -> row.gainHigh() < 0)
                                    + where(
                                            "no difference beyond the seeds'",
                                            own,
                                            row -> !(row.gainLow() > 0) && !(row.gainHigh() < 0)))
                            .replaceAll("; $", ".");
                });
    }

    private static String where(String what, List<DownstreamRow> rows, Predicate<DownstreamRow> are) {
        List<String> shots = rows.stream()
                .filter(are)
                .map(row -> Integer.toString(row.shots()))
                .toList();
        return shots.isEmpty() ? "" : what + " at k = " + String.join(", ", shots) + "; ";
    }

    private static String text(String format, MeanInterval value) {
        return String.format(Locale.ROOT, format, value.mean())
                + (value.known() ? String.format(Locale.ROOT, " ± %.3f", value.half()) : "");
    }
}
