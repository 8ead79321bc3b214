package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The pages of studies and trainings, made without a run. */
class StudyReportTest {
    private static final StudyConfig CONFIG = StudyFile.parse(
            """
            title: A <b>bold</b> study
            about: |
              First line
              of a paragraph.

              Second & last.
            run:
              input: {root: images}
              model: {checkpoint: "builtin:fashion"}
              evaluation: {}
            experiments:
              - {kind: grid, name: g, classes: [a, b], methods: [fix/0], inputs: [2], examples: 3}
            """,
            "test",
            List.of());

    /** A row with a text and a number. */
    public record Row(String name, double value) {}

    private static StudyTable<Row> table(int rows) {
        return new StudyTable<>(
                "scores", "A row is a cell.", Row.class, Collections.nCopies(rows, new Row("<i>", 0.5)));
    }

    private static String html(StudyTable<?> table) {
        Pivot pivot = new Pivot(
                "Which is best",
                "method",
                List.of("N = 2"),
                List.of(
                        new Pivot.Row("fix/0", List.of(new Pivot.Cell("0.91", Pivot.Rank.BEST))),
                        new Pivot.Row("nin/chm", List.of(new Pivot.Cell("0.72", Pivot.Rank.OTHER)))));
        StudySection section = new StudySection(
                "s", "Section", "What to see.", List.of("A < B."), List.of(), List.of(pivot), List.of(table));
        byte[] svg = "<svg/>".getBytes(StandardCharsets.UTF_8);
        PageImage image =
                new PageImage("chart", "image/svg+xml", Base64.getEncoder().encodeToString(svg), "Caption \"quoted\"");
        return new StudyReport(
                        CONFIG, "8 images", List.of(), List.of(new StudyReport.Published(section, List.of(image))))
                .html();
    }

    @Test
    void textsOfTheFileStayTexts() {
        assertThat(html(table(1)))
                .contains("<h1>A &lt;b&gt;bold&lt;/b&gt; study</h1>", "<td>&lt;i&gt;</td>", "<td>0.5000</td>")
                .contains("<p class=\"lead\">First line of a paragraph.</p>")
                .contains("<p class=\"lead\">Second &amp; last.</p>")
                .contains("<p>A &lt; B.</p>")
                .doesNotContain("<b>bold</b>", "<i>");
    }

    @Test
    void theBestOfAColumnIsBold() {
        assertThat(html(table(1))).contains("<td class=\"n\"><b>0.91</b></td>", "<td class=\"n\">0.72</td>");
    }

    @Test
    void figuresAreInThePageWithTheirCaptions() {
        assertThat(html(table(1)))
                .contains("alt=\"Caption &#34;quoted&#34;\" src=\"data:image/svg+xml;base64,PHN2Zy8+\">"
                        + "<figcaption>Caption \"quoted\"</figcaption>");
    }

    @Test
    void aLongTableIsNamedAndNotShown() {
        assertThat(html(table(41)))
                .contains("41 rows in <code>tables/scores.csv</code>")
                .doesNotContain("<details");
        assertThat(html(table(40))).contains("<details class=\"card\"><summary>A row is a cell.");
    }

    @Test
    void settingsThatAreLeftOutAreNotShown() {
        assertThat(html(table(1)))
                .contains("<h3>input</h3>", "<h3>run</h3>", "<th>checkpoint</th><td><code>builtin:fashion</code></td>")
                .doesNotContain("<th>folders</th>");
    }

    @Test
    void aTrainingsScoresHaveThreeDecimals() {
        String html = new TrainingPage(
                        20,
                        new StudyTable<>(
                                "scores",
                                "",
                                TrainingReport.Scores.class,
                                List.of(new TrainingReport.Scores(
                                        "<trained>",
                                        "held out",
                                        10,
                                        1.23456,
                                        Double.NaN,
                                        0.5,
                                        1,
                                        0.25,
                                        200,
                                        190,
                                        180))),
                        List.of())
                .html();
        assertThat(html).contains("<td>&lt;trained&gt;</td>", "<td>1.235</td>", "<td></td>", "and of the 20");
    }
}
