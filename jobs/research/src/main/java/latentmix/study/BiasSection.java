package latentmix.study;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.latent.MeanAdjusted;
import latentmix.plan.ClassLabel;
import latentmix.study.LatentExperiment.Bias;
import latentmix.study.StudyConfig.AxisScale;

/**
 * This section shows channel means and other patterns of centroids against √N, by method, with fitted lines and the
 * values that are expected.
 */
final class BiasSection {
    private static final String CHANNEL = "channel ";

    /** The method whose expected values are known. */
    private static final String PLAIN = "fix/0";

    /**
     * The size of a pattern in the centroids of one class, in standard deviations of noise. For a channel's mean that
     * deviation is 1 / √(H·W).
     *
     * @param pattern the name of the pattern: a channel's mean, or low or high frequencies
     * @param value mean of |x|
     * @param low the lower end of the 95 % interval over repeats
     * @param high its upper end
     * @param towards mean of x with the sign of the class's own bias
     * @param expected the value of {@code towards} that {@code fix/0} should have
     */
    public record BiasRow(
            String scope,
            String method,
            String pattern,
            int inputs,
            double value,
            double low,
            double high,
            double towards,
            double expected,
            int repeats) {}

    /**
     * The line fitted over √N to x in one class.
     *
     * @param slope the slope in standard deviations of noise
     * @param low the lower end of the 95 % interval over repeats
     * @param high its upper end
     * @param expected slope of a small bias, Eq. 9 of the paper
     * @param bend the count of inputs past which this class's bias is no longer small
     */
    public record SlopeRow(
            String scope,
            String method,
            String pattern,
            double slope,
            double low,
            double high,
            double expected,
            double bend) {}

    private final Bias bias;
    private final Map<ClassLabel, BiasSurvey.Survey> surveys;

    private BiasSection(Bias bias, Map<ClassLabel, BiasSurvey.Survey> surveys) {
        this.bias = bias;
        this.surveys = surveys;
    }

    static StudySection of(StudyContext context, StudyRuns runs, Bias bias) throws IOException {
        Pools pools = Pools.of(context, runs.of(bias.settings().get(0)));
        pools.check(size -> error(bias.methods(), bias.inputs(), size));
        BiasSurvey survey = new BiasSurvey(bias.methods(), bias.inputs(), bias.repeats());
        String seed = bias.run().run().seed() + " " + bias.heading().name() + " ";
        return new BiasSection(
                        bias,
                        pools.map("mix centroids", (folder, label, pool) -> survey.of(pool, seed + label.classId())))
                .section();
    }

    /** The message for a class of too few latents, empty if it has enough: half of them are never inputs. */
    static Optional<String> error(List<String> methods, List<Integer> inputs, int size) {
        int largest = inputs.get(inputs.size() - 1);
        return 2 * largest > size
                ? Optional.of("expected at least twice as many images as a centroid has inputs, " + 2 * largest
                        + ", got " + size + "; add images or use smaller counts")
                : methods.stream()
                        .flatMap(method -> MeanAdjusted.parse(method).poolError(size, largest).stream())
                        .findFirst();
    }

    private StudySection section() {
        List<BiasRow> rows = new ArrayList<>();
        List<SlopeRow> slopes = new ArrayList<>();
        surveys.forEach((label, survey) -> {
            for (String method : bias.methods()) {
                for (int pattern = 0; pattern < survey.patterns().size(); pattern++) {
                    List<double[]> repeats =
                            repeats(survey, method, survey.patterns().get(pattern));
                    rows(label.classId(), method, survey, pattern, repeats, rows);
                    BiasFit fit = BiasFit.of(bias.inputs(), repeats);
                    slopes.add(new SlopeRow(
                            label.classId(),
                            method,
                            survey.patterns().get(pattern),
                            fit.slope(),
                            fit.low(),
                            fit.high(),
                            survey.expectation().slope()[pattern],
                            survey.expectation().bend()));
                }
            }
        });
        String name = bias.heading().name();
        String first = surveys.keySet().iterator().next().classId();
        List<Figure> figures = List.of(
                channels(rows),
                example(first),
                frequencies(rows, "low frequencies", name + "-low"),
                frequencies(rows, "high frequencies", name + "-high"));
        return new StudySection(
                name,
                bias.heading().title(),
                bias.heading().about(),
                notes(slopes),
                figures,
                List.of(pivot(slopes)),
                List.of(
                        new StudyTable<>(
                                name,
                                "How large a pattern is in centroids of N inputs, over " + bias.repeats()
                                        + " repeats in every class, in standard deviations of noise.",
                                BiasRow.class,
                                rows),
                        new StudyTable<>(
                                name + "-slopes", "Lines fitted over √N in every class.", SlopeRow.class, slopes)));
    }

    private static List<double[]> repeats(BiasSurvey.Survey survey, String method, String pattern) {
        return survey.growths().stream()
                .filter(growth ->
                        growth.method().equals(method) && growth.pattern().equals(pattern))
                .map(BiasSurvey.Growth::values)
                .toList();
    }

    private void rows(
            String scope,
            String method,
            BiasSurvey.Survey survey,
            int pattern,
            List<double[]> repeats,
            List<BiasRow> rows) {
        for (int n = 0; n < bias.inputs().size(); n++) {
            int count = n;
            double[] values = repeats.stream()
                    .mapToDouble(repeat -> repeat[count])
                    .filter(Double::isFinite)
                    .toArray();
            if (values.length > 0) {
                SampleMean size =
                        SampleMean.of(Arrays.stream(values).map(Math::abs).toArray());
                rows.add(new BiasRow(
                        scope,
                        method,
                        survey.patterns().get(pattern),
                        bias.inputs().get(n),
                        size.mean(),
                        size.low(),
                        size.high(),
                        Arrays.stream(values).average().orElseThrow(),
                        survey.expectation().at(pattern, bias.inputs().get(n)),
                        values.length));
            }
        }
    }

    /** The paper's figure: the mean over channels and classes, by method. */
    private Figure channels(List<BiasRow> rows) {
        double scale = 1 / Math.sqrt(shape());
        List<Chart.Series> series = new ArrayList<>();
        for (String method : bias.methods()) {
            series.add(series(rows, method, CHANNEL, scale));
        }
        series.add(expected(rows, CHANNEL, scale));
        return new Figure.Drawing(
                bias.heading().name(),
                "|Channel mean| of the normalised centroid against √N: the mean over channels, "
                        + "classes and repeats, with the"
                        + " 95 % interval over classes and channels; the mean that unbiased noise "
                        + "has at every N; and what "
                        + PLAIN + " is expected to have from the class's mean and spread alone.",
                chart("|channel mean|", series, BiasSurvey.NOISE * scale));
    }

    private Figure frequencies(List<BiasRow> rows, String pattern, String name) {
        List<Chart.Series> series = new ArrayList<>();
        for (String method : bias.methods()) {
            series.add(series(rows, method, pattern, 1));
        }
        series.add(expected(rows, pattern, 1));
        return new Figure.Drawing(
                name,
                "The same of the class's pattern in " + pattern + ", in standard deviations of noise.",
                chart("|pattern of " + pattern + "|", series, BiasSurvey.NOISE));
    }

    private static Chart chart(String y, List<Chart.Series> series, double noise) {
        return new Chart(
                "",
                new Chart.Axis("inputs N, at √N", AxisScale.SQRT),
                new Chart.Axis(y, AxisScale.LINEAR),
                series,
                List.of(new Chart.Reference("unbiased noise", noise)));
    }

    private Chart.Series series(List<BiasRow> rows, String method, String pattern, double scale) {
        List<Chart.Point> points = new ArrayList<>();
        for (int count : bias.inputs()) {
            double[] values = rows.stream()
                    .filter(row -> row.method().equals(method) && matches(row, pattern, count))
                    .mapToDouble(row -> scale * row.value())
                    .toArray();
            if (values.length > 0) {
                SampleMean estimate = SampleMean.of(values);
                points.add(new Chart.Point(count, estimate.mean(), estimate.low(), estimate.high()));
            }
        }
        return new Chart.Series(method, Chart.Mark.LINE, points);
    }

    private Chart.Series expected(List<BiasRow> rows, String pattern, double scale) {
        List<Chart.Point> points = bias.inputs().stream()
                .map(count -> new Chart.Point(
                        count,
                        rows.stream()
                                .filter(row -> matches(row, pattern, count))
                                .mapToDouble(row -> scale * foldedMean(row.expected()))
                                .average()
                                .orElse(Double.NaN)))
                .filter(point -> Double.isFinite(point.y()))
                .toList();
        return new Chart.Series("expected of " + PLAIN, Chart.Mark.FIT, points);
    }

    private static boolean matches(BiasRow row, String pattern, int count) {
        return row.inputs() == count && row.pattern().startsWith(pattern);
    }

    /** The expectation of |x| for x ~ N(m, 1): m (1 - 2 Φ(-m)) + √(2/π) exp(-m²/2). */
    private static double foldedMean(double m) {
        return m * (1 - 2 * normalBelow(-m)) + BiasSurvey.NOISE * Math.exp(-m * m / 2);
    }

    private static double normalBelow(double x) {
        return new org.apache.commons.math3.distribution.NormalDistribution(null, 0, 1).cumulativeProbability(x);
    }

    /** One class's channels with their fitted lines, by the first method. */
    private Figure example(String classId) {
        String method = bias.methods().get(0);
        BiasSurvey.Survey survey = surveys.entrySet().stream()
                .filter(entry -> entry.getKey().classId().equals(classId))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow();
        double scale = 1 / Math.sqrt(shape());
        List<Chart.Series> series = new ArrayList<>();
        for (String pattern : survey.patterns()) {
            if (pattern.startsWith(CHANNEL)) {
                List<double[]> repeats = repeats(survey, method, pattern);
                BiasFit fit = BiasFit.of(bias.inputs(), repeats);
                List<Chart.Point> points = new ArrayList<>();
                for (int n = 0; n < bias.inputs().size(); n++) {
                    for (double[] repeat : repeats) {
                        points.add(new Chart.Point(bias.inputs().get(n), scale * repeat[n]));
                    }
                }
                series.add(new Chart.Series(pattern, Chart.Mark.POINTS, points));
                series.add(new Chart.Series(
                        String.format(Locale.ROOT, "%.4f √N", scale * fit.slope()),
                        Chart.Mark.FIT,
                        bias.inputs().stream()
                                .map(count -> new Chart.Point(
                                        count, scale * (fit.intercept() + fit.slope() * Math.sqrt(count))))
                                .toList()));
            }
        }
        return new Figure.Drawing(
                bias.heading().name() + "-" + classId,
                "Class " + classId + ", " + method
                        + ": every repeat's channel means, with the sign of the class's own, and the "
                        + "lines fitted to them.",
                chart("channel mean", series, 0));
    }

    private Pivot pivot(List<SlopeRow> slopes) {
        List<String> patterns =
                Stream.of(CHANNEL, "low frequencies", "high frequencies").toList();
        List<Pivot.Row> rows = new ArrayList<>();
        for (String method : bias.methods()) {
            rows.add(new Pivot.Row(
                    method,
                    patterns.stream()
                            .map(pattern -> cell(slopes(slopes, method, pattern)
                                    .mapToDouble(SlopeRow::slope)
                                    .toArray()))
                            .toList()));
        }
        rows.add(new Pivot.Row(
                "expected of " + PLAIN,
                patterns.stream()
                        .map(pattern -> cell(slopes(slopes, bias.methods().get(0), pattern)
                                .mapToDouble(SlopeRow::expected)
                                .toArray()))
                        .toList()));
        return new Pivot(
                "Slope over √N in standard deviations of noise, with the 95 % interval over classes "
                        + "(of the channel means over classes and"
                        + " channels); unbiased noise has 0.",
                "method", List.of("channel means", "low frequencies", "high frequencies"), rows);
    }

    private static Pivot.Cell cell(double[] values) {
        SampleMean estimate = SampleMean.of(values);
        return new Pivot.Cell(
                String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", estimate.mean(), estimate.low(), estimate.high()),
                Pivot.Rank.OTHER);
    }

    private static Stream<SlopeRow> slopes(Collection<SlopeRow> slopes, String method, String pattern) {
        return slopes.stream()
                .filter(row -> row.method().equals(method) && row.pattern().startsWith(pattern));
    }

    private List<String> notes(List<SlopeRow> slopes) {
        double[] bends = surveys.values().stream()
                .mapToDouble(survey -> survey.expectation().bend())
                .sorted()
                .toArray();
        List<String> notes = new ArrayList<>();
        notes.add(String.format(
                Locale.ROOT,
                "The classes' biases are small, and growth linear in √N, up to N of about %.0f to "
                        + "%.0f, where N times the bias's energy"
                        + " reaches the latents' own.",
                bends[0],
                bends[bends.length - 1]));
        for (String method : bias.methods()) {
            long above =
                    slopes(slopes, method, CHANNEL).filter(row -> row.low() > 0).count();
            long all = slopes(slopes, method, CHANNEL).count();
            notes.add(method + ": the slope of " + above + " of " + all
                    + " channel means is above 0 with its whole interval.");
        }
        return notes;
    }

    private int shape() {
        return surveys.values().iterator().next().shape().plane();
    }
}
