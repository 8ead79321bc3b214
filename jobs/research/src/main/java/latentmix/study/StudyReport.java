package latentmix.study;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import latentmix.config.RunConfig;
import latentmix.report.Html;
import latentmix.report.StageSummary;

/**
 * A study as one self-contained page: what was done, figures and tables, settings, cost. Nothing is loaded from
 * elsewhere.
 */
final class StudyReport {
    private static final int MOST_ROWS = 40;

    private final StudyConfig config;
    private final String cost;
    private final List<StudyRuns.Done> runs;

    private StudyReport(StudyConfig config, String cost, List<StudyRuns.Done> runs) {
        this.config = config;
        this.cost = cost;
        this.runs = runs;
    }

    /**
     * The page.
     *
     * @param cost what was said before the study began
     */
    static String html(StudyConfig config, String cost, List<StudyRuns.Done> runs, List<Published> sections) {
        return new StudyReport(config, cost, runs).page(sections).markup();
    }

    /** A section and its figures' markup, in their order. */
    record Published(StudySection section, List<Html> figures) {
        Published {
            figures = List.copyOf(figures);
        }
    }

    /** A drawing, as it is put into the page. */
    static Html drawing(Figure.Drawing figure, byte[] svg) {
        return figure("chart", "svg+xml", svg, figure.caption());
    }

    /** A picture, as it is put into the page. */
    static Html pictures(Figure.Pictures figure, byte[] png) {
        return figure("pictures", "png", png, figure.caption());
    }

    private static Html figure(String style, String type, byte[] image, String caption) {
        return Html.of(
                "<figure class=\"wide\"><img class=\"{}\" alt=\"{}\" src=\"data:image/{};base64,{}\"><figcaption>{}</figcaption></figure>",
                style,
                caption,
                type,
                Base64.getEncoder().encodeToString(image),
                caption);
    }

    private Html page(List<Published> sections) {
        return Html.of(
                """
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>{}</title>
                <style>{}</style>
                </head>
                <body><main>
                <h1>{}</h1>
                {}
                {}
                <h2>Settings</h2>
                <div class="columns">{}</div>
                <h2>Cost</h2>
                <div class="card"><p>{}.</p>{}</div>
                <footer>Figures are in <code>figures</code> and tables, as CSV and Parquet, in <code>tables</code> of the study folder; the
                images and latents behind them are in its <code>runs</code>.</footer>
                </main></body>
                </html>
                """,
                config.title(),
                Html.style(),
                config.title(),
                paragraphs(config.about(), "<p class=\"lead\">{}</p>"),
                Html.each(sections, StudyReport::section),
                settings(),
                cost,
                runs.isEmpty() ? Html.NONE : stages());
    }

    private static Html section(Published published) {
        StudySection section = published.section();
        return Html.of(
                "<h2>{}</h2>\n{}{}<div class=\"card\">{}</div>{}{}",
                section.title(),
                paragraphs(section.about(), "<p>{}</p>"),
                Html.each(section.notes(), note -> Html.of("<p>{}</p>", note)),
                Html.each(published.figures(), figure -> figure),
                Html.each(section.pivots(), StudyReport::pivot),
                Html.each(section.tables(), StudyReport::table));
    }

    private static Html paragraphs(String text, String template) {
        return Html.each(
                text.isBlank() ? List.of() : List.of(text.strip().split("\n\\s*\n")),
                paragraph -> Html.of(template, paragraph.replace('\n', ' ')));
    }

    private static Html pivot(Pivot pivot) {
        return Html.of(
                "<div class=\"card\"><h4>{}</h4><table><tr><th>{}</th>{}</tr>{}</table></div>",
                pivot.caption(),
                pivot.corner(),
                Html.each(pivot.columns(), column -> Html.of("<th class=\"n\">{}</th>", column)),
                Html.each(
                        pivot.rows(),
                        row -> Html.of(
                                "<tr><td>{}</td>{}</tr>",
                                row.label(),
                                Html.each(
                                        row.cells(),
                                        cell -> Html.of(
                                                cell.rank() == Pivot.Rank.BEST
                                                        ? "<td class=\"n\"><b>{}</b></td>"
                                                        : "<td class=\"n\">{}</td>",
                                                cell.text())))));
    }

    /** A table's rows, or the name of the file that has them where they are many. */
    private static <T extends Record> Html table(StudyTable<T> table) {
        if (table.rows().size() > MOST_ROWS) {
            return Html.of(
                    "<p class=\"soft\">{} {} rows in <code>tables/{}.csv</code>.</p>",
                    table.caption(),
                    table.rows().size(),
                    table.name());
        }
        return Html.of(
                "<details class=\"card\"><summary>{} <code>tables/{}.csv</code></summary><table><tr>{}</tr>{}</table></details>",
                table.caption(),
                table.name(),
                Html.each(table.columns(), column -> Html.of("<th>{}</th>", column)),
                Html.each(
                        table.rows(),
                        row -> Html.of(
                                "<tr>{}</tr>",
                                Html.each(table.values(row), value -> Html.of("<td>{}</td>", text(value))))));
    }

    private static String text(Object value) {
        return value instanceof Double number ? String.format(Locale.ROOT, "%.4g", number) : value.toString();
    }

    private Html settings() {
        RunConfig base = config.base();
        return Html.of(
                "{}{}{}",
                card("input", base.input()),
                Html.of("{}{}", card("model", base.model()), card("inversion", base.inversion())),
                Html.of("{}{}", card("generation", base.generation()), card("run", base.run())));
    }

    private static Html card(String name, Record values) {
        StudyTable<?> table = table(values);
        return Html.of("<div class=\"card\"><h3>{}</h3><table>{}</table></div>", name, pairs(table));
    }

    private static <T extends Record> StudyTable<T> table(T values) {
        @SuppressWarnings("unchecked") // a record's class is that of its type
        Class<T> type = (Class<T>) values.getClass();
        return new StudyTable<>("", "", type, List.of(values));
    }

    private static <T extends Record> Html pairs(StudyTable<T> table) {
        List<Object> values = table.values(table.rows().get(0));
        List<Html> rows = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) != null && !values.get(i).equals(List.of())) {
                rows.add(Html.of(
                        "<tr><th>{}</th><td><code>{}</code></td></tr>",
                        table.columns().get(i),
                        values.get(i)));
            }
        }
        return Html.each(rows, row -> row);
    }

    private Html stages() {
        record Stage(int run, StageSummary stage) {}
        List<Stage> stages = new ArrayList<>();
        for (StudyRuns.Done run : runs) {
            run.summary().stages().forEach(stage -> stages.add(new Stage(runs.indexOf(run) + 1, stage)));
        }
        return Html.of(
                """
                <table class="wide"><tr><th class="n">run</th><th>stage</th><th class="n">rows made now</th><th class="n">chunks that stood before</th>
                <th class="n">network evaluations</th><th class="n">seconds</th></tr>{}</table>
                """,
                Html.each(
                        stages,
                        row -> Html.of(
                                "<tr><td class=\"n\">{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                                row.run(),
                                row.stage().stage(),
                                row.stage().rows(),
                                row.stage().chunksDoneBefore(),
                                row.stage().networkEvaluations(),
                                String.format(Locale.ROOT, "%.1f", row.stage().seconds()))));
    }
}
