package latentmix.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.LongSummaryStatistics;
import java.util.Map;
import latentmix.config.RunConfig;
import latentmix.table.MetricRow;

/**
 * A run as one self-contained page: what was made and of what, in pictures; the settings; what stands in each table and
 * what was refused; where the time went. The page loads nothing from elsewhere. Its markup is in the templates beside
 * {@code run.jte}.
 *
 * @param exported images in the dataset
 * @param classes classes of the run; the galleries show some of them
 * @param metrics what was measured; empty if nothing was
 */
public record Report(
        RunConfig config,
        RunSummary summary,
        long exported,
        int classes,
        List<Gallery> galleries,
        List<MetricRow> metrics) {
    private static final List<String> STAGES = List.of("images", "invert", "mix", "generate");
    private static final Pages PAGES = new Pages(Report.class);

    /** A number and what it counts. */
    record Tile(String number, String what) {}

    /**
     * The rows that came into a stage and out of it.
     *
     * @param what the rows that came in
     * @param reasons how many rows were refused for which reason
     */
    record Flow(String stage, String what, long in, long refused, long out, String reasons) {}

    public Report {
        galleries = List.copyOf(galleries);
        metrics = List.copyOf(metrics);
    }

    /** The page. */
    public String html() {
        return PAGES.html("run.jte", this);
    }

    List<Tile> tiles() {
        return List.of(
                new Tile(Long.toString(summary.counts().inverted()), "images inverted"),
                new Tile(Long.toString(summary.counts().generated()), "images generated"),
                new Tile(Long.toString(exported), "in the dataset"),
                new Tile(Long.toString(STAGES.stream().mapToLong(this::refused).sum()), "refused"),
                new Tile(
                        decimal(summary.stages().stream()
                                .mapToDouble(StageSummary::seconds)
                                .sum()),
                        "seconds in stages"));
    }

    MetricTable metricTable() {
        return MetricTable.of(metrics);
    }

    List<Flow> flows() {
        Counts counts = summary.counts();
        return List.of(
                flow("images", "files found", counts.files(), counts.images()),
                flow("invert", "images", counts.images(), counts.inverted()),
                flow("mix", "mixtures asked for", counts.asked(), counts.mixed()),
                flow("generate", "mixtures", counts.mixed(), counts.generated()),
                flow("export", "images for the dataset", exported, exported));
    }

    /** How many images a class has, in words; empty where its dataset is not known. */
    String images(Gallery gallery) {
        ClassImages count = summary.classes().get(gallery.label().classId());
        return count == null ? "" : ", " + count;
    }

    /** How many images the smallest class and the largest one have, real ones and made ones together; in words. */
    String levels() {
        LongSummaryStatistics totals = summary.classes().values().stream()
                .mapToLong(ClassImages::total)
                .summaryStatistics();
        return totals.getCount() == 0
                ? ""
                : "With the real ones a class has " + totals.getMin()
                        + (totals.getMin() == totals.getMax() ? "" : " to " + totals.getMax()) + " images, "
                        + totals.getSum() + " in all.";
    }

    /** What lay in the input beside images. */
    String ignored() {
        return Counts.listed(summary.counts().ignored());
    }

    /** What stays in the tables and does not count. */
    String leftOut() {
        return Counts.listed(summary.counts().leftOut());
    }

    private Flow flow(String stage, String what, long in, long out) {
        return new Flow(stage, what, in, refused(stage), out, Counts.listed(reasons(stage)));
    }

    private long refused(String stage) {
        return reasons(stage).values().stream().mapToLong(Long::longValue).sum();
    }

    private Map<String, Long> reasons(String stage) {
        return summary.counts().rejected().getOrDefault(stage, Map.of());
    }

    /** A stage's share of the longest stage's seconds, in percent. */
    String percentOfLongest(StageSummary stage) {
        double longest = summary.stages().stream()
                .mapToDouble(StageSummary::seconds)
                .max()
                .orElse(0);
        return decimal(100 * stage.seconds() / longest);
    }

    /** The configuration's sections beside its mixing entries, by name. */
    Map<String, List<Setting>> sections() {
        Map<String, List<Setting>> sections = new LinkedHashMap<>();
        for (Setting section : Setting.of(config)) {
            section.value()
                    .filter(Record.class::isInstance)
                    .ifPresent(value -> sections.put(section.name(), Setting.of(section.name(), (Record) value)));
        }
        return sections;
    }

    /** The configuration's mixing entries; each has the same names. */
    List<List<Setting>> mixing() {
        return config.mixing().stream().map(Setting::of).toList();
    }

    /** A number with one digit after the point. */
    static String decimal(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
