package latentmix.study;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.report.Pages;
import latentmix.report.Setting;
import latentmix.report.StageSummary;

/**
 * A study as one self-contained page: what was done, figures and tables, settings, cost. The page loads nothing from
 * elsewhere. Its markup is in {@code study.jte}.
 *
 * @param cost what was said before the study began
 */
record StudyReport(StudyConfig config, String cost, List<StudyRuns.Done> runs, List<Published> sections) {
    /** The pages of this package. */
    static final Pages PAGES = new Pages(StudyReport.class);

    private static final int MOST_ROWS = 40;

    /** A section and its figures, in their order. */
    record Published(StudySection section, List<PageImage> figures) {
        Published {
            figures = List.copyOf(figures);
        }
    }

    /** The summary of one stage of a run; runs count from 1. */
    record RunStage(int run, StageSummary stage) {}

    StudyReport {
        runs = List.copyOf(runs);
        sections = List.copyOf(sections);
    }

    /** The page. */
    String html() {
        return PAGES.html("study.jte", this);
    }

    /** A text's paragraphs, which empty lines part, each on one line. */
    static List<String> paragraphs(String text) {
        return text.isBlank()
                ? List.of()
                : Stream.of(text.strip().split("\n\\s*\n"))
                        .map(paragraph -> paragraph.replace('\n', ' '))
                        .toList();
    }

    /** Says whether a table has too many rows for the page. */
    static boolean isLong(StudyTable<?> table) {
        return table.rows().size() > MOST_ROWS;
    }

    /** A table's value as the page shows it. */
    static String text(Object value) {
        return value instanceof Double number ? String.format(Locale.ROOT, "%.4g", number) : value.toString();
    }

    /** The cards of settings, a column after the other: each has sections by name, without the keys that are empty. */
    List<Map<String, List<Setting>>> settings() {
        RunConfig base = config.base();
        Map<String, List<Setting>> network = new LinkedHashMap<>();
        network.put("model", filled("model", base.model()));
        network.put("inversion", filled("inversion", base.inversion()));
        Map<String, List<Setting>> output = new LinkedHashMap<>();
        output.put("generation", filled("generation", base.generation()));
        output.put("run", filled("run", base.run()));
        return List.of(Map.of("input", filled("input", base.input())), network, output);
    }

    private static List<Setting> filled(String name, Record section) {
        return Setting.of(name, section).stream()
                .filter(setting -> !setting.text().isEmpty())
                .toList();
    }

    List<RunStage> stages() {
        return IntStream.range(0, runs.size())
                .boxed()
                .flatMap(i -> runs.get(i).summary().stages().stream().map(stage -> new RunStage(i + 1, stage)))
                .toList();
    }
}
