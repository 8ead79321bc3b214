package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.study.Chart.Axis;
import latentmix.study.Chart.Mark;
import latentmix.study.Chart.Point;
import latentmix.study.Chart.Reference;
import latentmix.study.Chart.Series;
import latentmix.study.StudyConfig.AxisScale;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

class ChartTest {
    private static Chart chart(AxisScale scale, Series... series) {
        return new Chart(
                "Title",
                new Axis("N", scale),
                new Axis("distance <lower>", AxisScale.LINEAR),
                List.of(series),
                List.of(new Reference("real", 0.25)));
    }

    private static Series series(String name, Mark mark) {
        return new Series(
                name,
                mark,
                Stream.of(1, 4, 16).map(n -> new Point(n, n, n - 0.5, n + 0.5)).toList());
    }

    private record Text(String content, double x) {}

    private static List<Text> texts(byte[] svg) throws Exception {
        Document document =
                DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(svg));
        NodeList nodes = document.getElementsByTagName("text");
        List<Text> texts = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            Element text = (Element) nodes.item(i);
            texts.add(new Text(text.getTextContent(), Double.parseDouble(text.getAttribute("x"))));
        }
        return texts;
    }

    private static double x(List<Text> texts, String content) {
        return texts.stream()
                .filter(text -> text.content().equals(content))
                .findFirst()
                .orElseThrow()
                .x();
    }

    @Test
    void anSvgSaysEverythingInTextAndNamesNoPlaceInTheNet() throws Exception {
        byte[] svg = chart(AxisScale.LOG, series("fix/0", Mark.LINE), series("nin/chm", Mark.BAND))
                .svg();

        assertThat(texts(svg))
                .extracting(Text::content)
                .contains("Title", "N", "distance <lower>", "fix/0", "nin/chm", "real", "1", "4", "16");
        assertThat(new String(svg, java.nio.charset.StandardCharsets.UTF_8))
                .doesNotContain("DOCTYPE")
                .doesNotContain("href");
    }

    @Test
    void equalRatiosAreEqualStepsOnALogarithmicAxisAndRootsOnARootAxis() throws Exception {
        List<Text> log = texts(chart(AxisScale.LOG, series("a", Mark.POINTS)).svg());
        assertThat(x(log, "16") - x(log, "4")).isCloseTo(x(log, "4") - x(log, "1"), within(8.0)); // labels are centred
        List<Text> root = texts(chart(AxisScale.SQRT, series("a", Mark.POINTS)).svg());
        assertThat((x(root, "16") - x(root, "4")) / (x(root, "4") - x(root, "1")))
                .isCloseTo(2, within(0.05));
    }

    @Test
    void givenLabelsReplaceNumbers() throws Exception {
        Chart chart = new Chart(
                "",
                new Axis("class", AxisScale.LINEAR, Map.of(1.0, "sandal", 4.0, "bag")),
                new Axis("accuracy", AxisScale.LINEAR),
                List.of(series("a", Mark.POINTS)),
                List.of());
        assertThat(texts(chart.svg())).extracting(Text::content).contains("sandal", "bag");
    }

    @Test
    void aPngHasTheSeriesColour() throws Exception {
        Pixels png = ImageDecoder.decode(
                chart(AxisScale.LINEAR, series("a", Mark.FIT)).png(), Integer.MAX_VALUE);
        int blue = 0;
        for (int i = 0; i < png.rgb().length; i += 3) {
            if (png.rgb()[i] == 0 && png.rgb()[i + 1] == 0x72 && png.rgb()[i + 2] == (byte) 0xB2) {
                blue++;
            }
        }
        assertThat(blue).isGreaterThan(500);
    }
}
