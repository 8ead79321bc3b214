package latentmix.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import latentmix.config.RunConfig;
import latentmix.image.PixelScores;
import latentmix.latent.Degeneracy;
import latentmix.report.Gallery.Cell;
import latentmix.report.Gallery.Grid;
import latentmix.report.Gallery.Picture;
import latentmix.table.MetricRow;
import latentmix.work.CellScores;

/**
 * A run as one self-contained page: what was made and of what, in pictures; the settings; what stands in each table and
 * what was refused; where the time went. Nothing is loaded from elsewhere.
 */
public final class Report {
    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);
    private static final List<String> STAGES = List.of("images", "invert", "mix", "generate");
    private static final int PIXELATED_UP_TO = 64;

    private final RunConfig config;
    private final RunSummary summary;
    private final long exported;
    private final int classes;

    private Report(RunConfig config, RunSummary summary, long exported, int classes) {
        this.config = config;
        this.summary = summary;
        this.exported = exported;
        this.classes = classes;
    }

    /**
     * The page.
     *
     * @param exported images in the dataset
     * @param classes classes of the run; the galleries show some of them
     * @param metrics what was measured, none if nothing was
     */
    public static String html(
            RunConfig config,
            RunSummary summary,
            long exported,
            int classes,
            List<Gallery> galleries,
            List<MetricRow> metrics) {
        return new Report(config, summary, exported, classes)
                .page(galleries, metrics)
                .markup();
    }

    private Html page(List<Gallery> galleries, List<MetricRow> metrics) {
        return Html.of(
                """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>Latentmix: {} new images</title>
                <style>{}</style>
                </head>
                <body><main>
                <h1>Latentmix</h1>
                <p class="lead"><b>{} images</b> of {} classes were inverted to the noise of the diffusion model <code>{}</code> and
                mixed there, each with others of its class. <b>{} new images</b> were generated from the mixtures; <b>{}</b> of
                them are the dataset.</p>
                {}
                <h2>Pictures <small>{} of {} classes</small></h2>
                {}
                {}
                <h2>How degenerate the mixtures are <small>means; in brackets what noise has; near duplicates by dHash within a class</small></h2>
                {}
                <h2>What stands in the tables</h2>
                {}
                <h2>Where the time went <small>in this run</small></h2>
                {}
                <h2>Settings</h2>
                {}
                <footer>Every picture is in the run folder: sources at the input root, mixtures in <code>generated</code>,
                the dataset in <code>dataset</code>. N: images mixed; ess: their effective number, 1 / Σ w². Rest the pointer on a
                mixture for its inputs.</footer>
                </main></body>
                </html>
                """,
                summary.counts().generated(),
                Html.style(),
                summary.counts().inverted(),
                classes,
                config.model().checkpoint(),
                summary.counts().generated(),
                exported,
                tiles(),
                galleries.size(),
                classes,
                Html.each(galleries, Report::gallery),
                metrics(metrics),
                scores(),
                counts(),
                time(),
                settings());
    }

    private Html tiles() {
        double seconds =
                summary.stages().stream().mapToDouble(StageSummary::seconds).sum();
        Map<String, Object> tiles = new LinkedHashMap<>();
        tiles.put("images inverted", summary.counts().inverted());
        tiles.put("images generated", summary.counts().generated());
        tiles.put("in the dataset", exported);
        tiles.put("refused", STAGES.stream().mapToLong(this::refused).sum());
        tiles.put("seconds in stages", decimal(seconds));
        return Html.of(
                "<div class=\"tiles\">{}</div>",
                Html.each(
                        tiles.entrySet(),
                        tile -> Html.of(
                                "<div class=\"tile\"><b>{}</b><span class=\"soft\">{}</span></div>",
                                tile.getValue(),
                                tile.getKey())));
    }

    private static Html gallery(Gallery gallery) {
        return Html.of(
                """
                <section class="card">
                <h3>{} <small>label {}, folder {}</small></h3>
                <h4>Source images</h4>
                {}
                {}
                </section>
                """,
                gallery.label().className(),
                gallery.label().label(),
                gallery.label().classId(),
                strip(gallery.sources()),
                Html.each(gallery.grids(), Report::grid));
    }

    private static Html grid(Grid grid) {
        Html badge = grid.exported() ? new Html("<span class=\"badge\">in the dataset</span>") : Html.NONE;
        Html pictures = grid.cells().size() == 1 ? strip(grid.cells().get(0).pictures()) : table(grid);
        return Html.of("<h4>{} <small>weights {}</small> {}</h4>\n{}", grid.entry(), grid.weights(), badge, pictures);
    }

    /** Methods across, input counts down. */
    private static Html table(Grid grid) {
        Set<String> methods = new LinkedHashSet<>();
        Map<String, List<Cell>> rows = new LinkedHashMap<>();
        for (Cell cell : grid.cells()) {
            methods.add(cell.method());
            rows.computeIfAbsent(cell.inputs(), inputs -> new ArrayList<>()).add(cell);
        }
        return Html.of(
                "<table class=\"grid\"><tr><th></th>{}</tr>{}</table>",
                Html.each(methods, method -> Html.of("<th>{}</th>", method)),
                Html.each(
                        rows.entrySet(),
                        row -> Html.of(
                                "<tr><th>{} inputs</th>{}</tr>",
                                row.getKey(),
                                Html.each(row.getValue(), cell -> Html.of("<td>{}</td>", strip(cell.pictures()))))));
    }

    private static Html strip(List<Picture> pictures) {
        return pictures.isEmpty()
                ? new Html("<span class=\"soft\">none</span>")
                : Html.of("<div class=\"strip\">{}</div>", Html.each(pictures, Report::picture));
    }

    private static Html picture(Picture picture) {
        boolean tiny = picture.side() <= PIXELATED_UP_TO;
        return Html.of(
                "<figure style=\"--side: {}px\"><img class=\"{}\" alt=\"\" title=\"{}\" src=\"data:image/png;base64,{}\">"
                        + "<figcaption>{}</figcaption></figure>",
                tiny ? 72 : 128,
                tiny ? "tiny" : "",
                picture.title(),
                Base64.getEncoder().encodeToString(picture.png()),
                picture.caption());
    }

    /** A line for each kind of image, over all classes; a column for each metric. */
    private static Html metrics(List<MetricRow> rows) {
        Set<String> names = new TreeSet<>();
        Map<List<Object>, Map<String, MetricRow>> lines = new LinkedHashMap<>();
        rows.stream()
                .filter(row -> row.scope().equals(MetricRow.ALL))
                .sorted(Comparator.comparing(MetricRow::entry).thenComparing(MetricRow::sourceCount))
                .forEach(row -> {
                    names.add(row.metric());
                    lines.computeIfAbsent(
                                    List.of(row.entry(), row.method(), row.sourceCount(), row.weights()),
                                    key -> new LinkedHashMap<>())
                            .put(row.metric(), row);
                });
        if (lines.isEmpty()) {
            return Html.NONE;
        }
        return Html.of(
                """
                <h2>Metrics <small>all classes, 95 % intervals; the number of images shifts most: compare equal numbers</small></h2>
                <div class="card"><table class="wide"><tr><th>entry</th><th>method</th><th class="n">N</th><th class="n">images</th>{}</tr>
                {}
                </table></div>
                """,
                Html.each(names, name -> Html.of("<th class=\"n\">{}</th>", name.replace("_", " "))),
                Html.each(lines.values(), line -> metrics(line, names)));
    }

    private static Html metrics(Map<String, MetricRow> line, Set<String> names) {
        MetricRow any = line.values().iterator().next();
        return Html.of(
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>{}</tr>",
                any.entry(),
                any.method(),
                any.sourceCount() == 0 ? "" : any.sourceCount(),
                any.images(),
                Html.each(names, name -> line.containsKey(name) ? number(line.get(name)) : new Html("<td></td>")));
    }

    private static Html number(MetricRow row) {
        return Html.of(
                "<td class=\"n\">{}<br><small>{} – {}</small></td>",
                digits(row.value()),
                digits(row.low()),
                digits(row.high()));
    }

    /** Three digits that count. */
    private static String digits(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, Math.abs(value) < 1 ? "%.3f" : "%.2f", value) : "?";
    }

    private Html scores() {
        return Html.of(
                """
                <div class="card"><table class="wide">
                <tr><th>entry</th><th>method</th><th>inputs</th><th class="n">made of asked</th><th class="n">redrawn</th>
                <th class="n">class mean's gain (0)</th><th class="n">predicted</th><th class="n">norm (1)</th>
                <th class="n">channel means (1)</th><th class="n">bands: low, middle, high (1)</th>
                <th class="n">autocorrelation: →, ↓ (0)</th><th class="n">entropy</th><th class="n">clipped</th>
                <th class="n">saturation</th><th class="n">sharpness</th><th class="n">near duplicates</th></tr>
                {}
                </table></div>
                """,
                Html.each(summary.mixtures(), Report::scores));
    }

    private static Html scores(CellScores cell) {
        Degeneracy latent = cell.latent();
        PixelScores image = cell.image();
        List<String> numbers = List.of(
                cell.mixed() + " of " + cell.asked(),
                Long.toString(cell.redrawn()),
                decimals(cell.classMeanGain()),
                decimals(cell.predictedClassMeanGain()),
                decimals(latent.norm()),
                decimals(latent.channelMean()),
                decimals(latent.lowBand(), latent.middleBand(), latent.highBand()),
                decimals(latent.horizontal(), latent.vertical()),
                decimals(image.entropy()),
                percent(image.clipped()),
                decimals(image.saturation()),
                decimals(image.sharpness()),
                percent((double) cell.nearDuplicates() / cell.generated()));
        return Html.of(
                "<tr><td>{}</td><td>{}</td><td>{}</td>{}</tr>",
                cell.entry(),
                cell.method(),
                cell.inputs(),
                Html.each(numbers, number -> Html.of("<td class=\"n\">{}</td>", number)));
    }

    /** Numbers of three digits, a dash for one that is none. */
    private static String decimals(double... values) {
        return Arrays.stream(values)
                .mapToObj(value ->
                        Double.isFinite(value) ? String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value) : "–")
                .collect(Collectors.joining(" "));
    }

    private static String percent(double share) {
        return Double.isNaN(share) ? "–" : String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }

    private Html counts() {
        return Html.of(
                """
                <div class="card"><table class="wide">
                <tr><th>stage</th><th class="n">came in</th><th class="n">refused</th><th class="n">came out</th><th>reasons</th></tr>
                {}{}{}{}{}
                </table></div>
                """,
                counts(
                        "images",
                        "files found",
                        summary.counts().files(),
                        summary.counts().images()),
                counts(
                        "invert",
                        "images",
                        summary.counts().images(),
                        summary.counts().inverted()),
                counts(
                        "mix",
                        "mixtures asked for",
                        summary.counts().asked(),
                        summary.counts().mixed()),
                counts(
                        "generate",
                        "mixtures",
                        summary.counts().mixed(),
                        summary.counts().generated()),
                counts("export", "images of entries that are exported", exported, exported));
    }

    private Html counts(String stage, String what, long in, long out) {
        Map<String, Long> reasons = summary.counts().rejected().getOrDefault(stage, Map.of());
        String texts = reasons.entrySet().stream()
                .map(reason -> reason.getValue() + " " + reason.getKey())
                .collect(Collectors.joining(", "));
        return Html.of(
                "<tr><td>{}</td><td class=\"n\">{} <small>{}</small></td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
                stage,
                in,
                what,
                refused(stage),
                out,
                texts);
    }

    private Html time() {
        double longest = summary.stages().stream()
                .mapToDouble(StageSummary::seconds)
                .max()
                .orElse(0);
        return Html.of(
                """
                <div class="card"><table class="wide">
                <tr><th>stage</th><th class="n">rows</th><th class="n">seconds</th><th class="n">rows/s</th>
                <th class="n">network evaluations</th><th class="n">chunks</th><th class="n">chunks done before</th><th></th></tr>
                {}
                </table></div>
                """,
                Html.each(summary.stages(), stage -> time(stage, longest)));
    }

    private static Html time(StageSummary stage, double longest) {
        return Html.of(
                """
                <tr><td>{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td>
                <td class="n">{}</td><td style="width: 30%"><div class="bar" style="width: {}%"></div></td></tr>
                """,
                stage.stage(),
                stage.rows(),
                decimal(stage.seconds()),
                stage.rows() == 0 ? "" : decimal(stage.rows() / stage.seconds()),
                stage.networkEvaluations(),
                stage.chunks(),
                stage.chunksDoneBefore(),
                decimal(100 * stage.seconds() / longest));
    }

    private Html settings() {
        JsonNode settings = JSON.valueToTree(config);
        List<Map.Entry<String, JsonNode>> sections = settings.properties().stream()
                .filter(section -> section.getValue().isObject())
                .toList();
        return Html.of(
                "<div class=\"card\">{}</div><div class=\"columns\">{}</div>",
                mixing(settings.get("mixing")),
                Html.each(
                        sections,
                        section -> Html.of(
                                "<div class=\"card\"><h3>{}</h3><table>{}</table></div>",
                                section.getKey(),
                                Html.each(
                                        section.getValue().properties(),
                                        value -> Html.of(
                                                "<tr><th>{}</th><td><code>{}</code></td></tr>",
                                                value.getKey(),
                                                text(value.getValue()))))));
    }

    private static Html mixing(JsonNode entries) {
        List<JsonNode> rows = new ArrayList<>();
        entries.forEach(rows::add);
        return Html.of(
                "<h3>mixing</h3><table class=\"wide\"><tr>{}</tr>{}</table>",
                Html.each(rows.get(0).properties(), column -> Html.of("<th>{}</th>", column.getKey())),
                Html.each(
                        rows,
                        row -> Html.of(
                                "<tr>{}</tr>",
                                Html.each(
                                        row.properties(),
                                        value -> Html.of("<td><code>{}</code></td>", text(value.getValue()))))));
    }

    private static String text(JsonNode value) {
        if (value.isArray()) {
            List<String> texts = new ArrayList<>();
            value.forEach(element -> texts.add(element.asText()));
            return String.join(", ", texts);
        }
        return value.isNull() ? "" : value.isObject() ? value.toString() : value.asText();
    }

    private long refused(String stage) {
        return summary.counts().rejected().getOrDefault(stage, Map.of()).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
