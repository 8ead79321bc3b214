package latentmix.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import latentmix.config.ConfigFile;
import latentmix.config.Demo;
import latentmix.config.RunConfig;
import latentmix.image.PixelScores;
import latentmix.latent.Degeneracy;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExitCode;
import latentmix.report.Gallery.Cell;
import latentmix.report.Gallery.Grid;
import latentmix.report.Gallery.Picture;
import latentmix.table.MetricRow;
import latentmix.work.CellScores;
import org.junit.jupiter.api.Test;

/** The page about a run, made without a run. */
class ReportTest {
    private static final String HOSTILE = "<script>alert('x')</script> & \"so\"";
    private static final String ESCAPED = "&lt;script&gt;alert('x')&lt;/script&gt; &amp; \"so\"";
    private static final RunConfig CONFIG = config();

    private static RunConfig config() {
        try {
            return ConfigFile.demo(Demo.FASHION, List.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Picture picture(int side, String text) {
        return new Picture(new byte[] {1, 2, 3}, side, text, text);
    }

    private static Gallery gallery(String name) {
        List<Cell> cells = List.of(
                new Cell("fix/0", "2", List.of(picture(32, name))),
                new Cell("nin/chm", "2", List.of()),
                new Cell("fix/0", "4", List.of()),
                new Cell("nin/chm", "4", List.of()));
        return new Gallery(
                new ClassLabel(name, 7, name, "a photo"),
                List.of(picture(128, name)),
                List.of(
                        new Grid("entry", "equal", true, cells),
                        new Grid("other", "equal", false, cells.subList(0, 1))));
    }

    private static CellScores scores(double norm, long generated) {
        return new CellScores(
                "entry",
                "fix/0",
                "2",
                4,
                3,
                1,
                0.25,
                Double.NaN,
                new Degeneracy(norm, 1, 1, 1, 1, 0, 0),
                generated,
                1,
                new PixelScores(7.5, 0.125, 0.5, 100));
    }

    private static RunSummary summary(Map<String, Map<String, Long>> rejected, List<CellScores> scores) {
        return new RunSummary(
                ExitCode.DONE,
                "",
                "",
                List.of(),
                new SettingsIds("aa", List.of("bb"), "cc", "", List.of()),
                new Counts(10, 9, 8, 6, 5, 4, rejected, Map.of(".txt", 12L), Map.of("images withdrawn", 3L), 0),
                Map.of("sandal", new ClassImages(9, 3), "coat", new ClassImages(20, 0)),
                List.of(new Adapted(
                        "5-sandal",
                        "sandal",
                        "<sandal-01234567>",
                        2,
                        4,
                        9,
                        0.25,
                        0.2,
                        List.of("adapted/x"),
                        List.of(0.4, 0.2, 0.1))),
                scores,
                List.of(),
                List.of(),
                List.of(
                        new StageSummary("invert", 2, 1, 8, 1, 400, 2.0, 2, 2, 4),
                        new StageSummary("mix", 0, 3, 0, 0, 0, 0.5, 0, 0, 0)),
                Map.of());
    }

    private static MetricRow metric(String metric, String scope, double value) {
        return new MetricRow("id", scope, "entry", "fix/0", 2, "equal", metric, value, 40, value - 1, value + 1);
    }

    private static String page(List<Gallery> galleries, List<MetricRow> metrics) {
        RunSummary summary = summary(
                Map.of("images", Map.of("not an image", 1L), "mix", Map.of("undefined", 1L)), List.of(scores(1.5, 4)));
        return new Report(CONFIG, summary, 3, 20, galleries, metrics).html();
    }

    private static String text(String html) {
        return html.replaceAll("<[^>]*>", " ").replaceAll("\\s+", " ");
    }

    @Test
    void aNameOfOddCharactersStaysTextWhereverItStands() {
        String html = page(List.of(gallery(HOSTILE)), List.of());
        assertThat(html)
                .doesNotContain("<script")
                .contains("<h3>" + ESCAPED)
                .contains("title=\"&lt;script>alert(&#39;x&#39;)&lt;/script> &amp; &#34;so&#34;\"")
                .contains("<figcaption>" + ESCAPED + "</figcaption>");
    }

    @Test
    void everyTagThatOpensCloses() {
        String html = page(List.of(gallery("sandal")), List.of(metric("kid", MetricRow.ALL, 2)));
        Set<String> empty = Set.of("meta", "img", "br");
        Deque<String> open = new ArrayDeque<>();
        Matcher tag = Pattern.compile("<(/?)([a-z][a-z0-9]*)[^>]*>").matcher(html);
        while (tag.find()) {
            if (!tag.group(1).isEmpty()) {
                assertThat(open.pop()).as("closed at %d", tag.start()).isEqualTo(tag.group(2));
            } else if (!empty.contains(tag.group(2))) {
                open.push(tag.group(2));
            }
        }
        assertThat(open).isEmpty();
    }

    @Test
    void thePageLoadsNothingFromElsewhere() {
        assertThat(page(List.of(gallery("sandal")), List.of()))
                .doesNotContain("http:")
                .doesNotContain("https:")
                .doesNotContain("<link")
                .doesNotContain("url(");
    }

    @Test
    void picturesAreInThePageAndSmallOnesEnlarged() {
        String png = Base64.getEncoder().encodeToString(new byte[] {1, 2, 3});
        assertThat(page(List.of(gallery("sandal")), List.of()))
                .contains("<figure style=\"--side: 72px\"><img class=\"tiny\" alt=\"\" title=\"sandal\""
                        + " src=\"data:image/png;base64," + png + "\">")
                .contains("<figure style=\"--side: 128px\">");
    }

    @Test
    void aGridHasMethodsAcrossAndInputCountsDown() {
        String text = text(page(List.of(gallery("sandal")), List.of()));
        assertThat(text)
                .contains("entry weights equal in the dataset fix/0 nin/chm 2 inputs sandal none 4 inputs none none")
                .contains("other weights equal sandal");
    }

    @Test
    void countsSayWhatWasRefusedAndWhy() {
        assertThat(text(page(List.of(), List.of())))
                .contains("images 10 files found 1 9 1 not an image")
                .contains("invert 9 images 0 8")
                .contains("mix 6 mixtures asked for 1 5 1 undefined")
                .contains("generate 5 mixtures 0 4")
                .contains("8 images inverted 4 images generated 3 in the dataset 2 refused 2.5 seconds in stages");
    }

    @Test
    void aShownClassHasItsImagesCountedAndTheSmallestAndTheLargestAreSaid() {
        assertThat(text(page(List.of(gallery("sandal")), List.of())))
                .contains("sandal label 7, folder sandal, 9 real, 3 made, 12 in all")
                .contains("With the real ones a class has 12 to 20 images, 32 in all.");
    }

    @Test
    void theLongestStageHasTheLongestBar() {
        assertThat(page(List.of(), List.of())).contains("width: 100.0%").contains("width: 25.0%");
    }

    @Test
    void scoresThatAreNoNumbersAreDashes() {
        RunSummary summary = summary(Map.of(), List.of(scores(Double.POSITIVE_INFINITY, 0)));
        assertThat(text(new Report(CONFIG, summary, 0, 1, List.of(), List.of()).html()))
                .contains("entry fix/0 2 3 of 4 1 0.25 – – 1.00 1.00 1.00 1.00 0.00 0.00 7.50 13 % 0.50 100 –");
    }

    @Test
    void metricsOfAllClassesHaveALineForEachKindOfImage() {
        String html = page(
                List.of(),
                List.of(
                        metric("kid", MetricRow.ALL, 2.5),
                        metric("kid", "3-dress", 99),
                        metric("fid", MetricRow.ALL, 12)));
        assertThat(text(html)).contains("images fid kid entry fix/0 2 40 12.00 11.00 – 13.00 2.50 1.50 – 3.50");
        assertThat(html).doesNotContain("99.00");
    }

    @Test
    void aRunThatWasNotMeasuredHasNoMetrics() {
        assertThat(page(List.of(), List.of())).doesNotContain("<h2>Metrics");
    }

    @Test
    void everySectionOfTheConfigurationIsShown() {
        String html = page(List.of(), List.of());
        assertThat(List.of("input", "model", "prompt", "inversion", "mixing", "generation", "export", "run"))
                .allSatisfy(section -> assertThat(html).contains("<h3>" + section + "</h3>"));
        assertThat(text(html)).contains("chunk " + CONFIG.run().chunk()).contains("max_rejected");
    }

    @Test
    void whatIsLeftToTheCheckpointIsShownAsAuto() {
        assertThat(text(page(List.of(), List.of())))
                .contains("inversion method auto")
                .contains("solver auto")
                .contains("device auto");
    }

    @Test
    void aListOfSettingsStandsBetweenCommas() {
        record Section(List<Integer> guidanceInterval, String leftOut) {}
        List<Setting> settings =
                Setting.of(new Section(IntStream.range(0, 3).boxed().toList(), null));
        assertThat(settings.get(0).name()).isEqualTo("guidance_interval");
        assertThat(settings.get(0).text()).isEqualTo("0, 1, 2");
        assertThat(settings.get(1).text()).isEmpty();
    }
}
