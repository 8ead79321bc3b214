package latentmix.study;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.image.BufferedImage;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerException;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.study.StudyConfig.AxisScale;
import org.apache.batik.svggen.SVGGraphics2D;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTick;
import org.jfree.chart.axis.Tick;
import org.jfree.chart.axis.ValueAxis;
import org.jfree.chart.plot.ValueMarker;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.DeviationRenderer;
import org.jfree.chart.renderer.xy.XYErrorRenderer;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.text.TextUtils;
import org.jfree.chart.title.LegendTitle;
import org.jfree.chart.ui.RectangleAnchor;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.chart.ui.TextAnchor;
import org.jfree.data.Range;
import org.jfree.data.xy.XYIntervalSeries;
import org.jfree.data.xy.XYIntervalSeriesCollection;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * A chart of curves, points, bands and fitted lines over two axes, as SVG or PNG. Series differ by colour (Okabe and
 * Ito's set, which colour-blind people can tell apart), by marker and, past the eighth, by dashes.
 *
 * @param title the text above the drawing, or empty
 * @param references horizontal lines to compare with
 */
public record Chart(String title, Axis x, Axis y, List<Series> series, List<Reference> references) {
    private static final int WIDTH = 820;
    private static final int HEIGHT = 470;
    private static final int MOST_OWN_TICKS = 12; // more values than these make an axis unreadable
    private static final int MOST_LETTERS = 60; // more below an axis are turned, so as not to run into each other
    private static final Color GRID = new Color(0xdddddd);
    private static final Color INK = new Color(0x333333);
    private static final Color CLEAR = new Color(255, 255, 255, 0);
    /** The colours of Okabe and Ito, Color Universal Design, 2008; black is for references. */
    private static final List<Color> COLOURS = List.of(
            new Color(0x0072B2),
            new Color(0xD55E00),
            new Color(0x009E73),
            new Color(0xCC79A7),
            new Color(0xE69F00),
            new Color(0x56B4E9),
            new Color(0x8A8A00), // their yellow, darkened: lines of it are invisible on white
            new Color(0x555555));

    private static final List<float[]> DASHES =
            List.of(new float[] {1, 0}, new float[] {7, 4}, new float[] {2, 3}, new float[] {9, 3, 2, 3});

    /** The way a series is drawn. */
    public enum Mark {
        /** Joined points, with error bars where there are intervals. */
        LINE,
        /** Points alone, with error bars where there are intervals. */
        POINTS,
        /** Joined points in a shaded interval. */
        BAND,
        /** A line without points, such as a fitted one. */
        FIT
    }

    /**
     * An axis.
     *
     * @param ticks labels by value; empty for round numbers
     */
    public record Axis(String label, AxisScale scale, Map<Double, String> ticks) {
        public Axis {
            ticks = Collections.unmodifiableMap(
                    new TreeMap<>(ticks)); // in a fixed order, which decides the drawing's bytes
        }

        public Axis(String label, AxisScale scale) {
            this(label, scale, Map.of());
        }

        private double place(double value) {
            return switch (scale) {
                case LINEAR -> value;
                case LOG -> Math.log(value) / Math.log(2);
                case SQRT -> Math.sqrt(value);
            };
        }
    }

    /**
     * A point and its interval.
     *
     * @param low at most y; y itself where no interval is known
     * @param high at least y
     */
    public record Point(double x, double y, double low, double high) {
        public Point(double x, double y) {
            this(x, y, y, y);
        }
    }

    /** Points under one name in the legend. */
    public record Series(String name, Mark mark, List<Point> points) {
        public Series {
            points = List.copyOf(points);
        }
    }

    /** A horizontal line with its label. */
    public record Reference(String label, double y) {}

    public Chart {
        series = List.copyOf(series);
        references = List.copyOf(references);
    }

    /** An SVG document. */
    public byte[] svg() {
        Document document;
        try {
            document = DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .getDOMImplementation()
                    .createDocument("http://www.w3.org/2000/svg", "svg", null);
        } catch (ParserConfigurationException e) {
            throw new IllegalStateException("Every Java platform has an XML parser", e);
        }
        SVGGraphics2D graphics = new SVGGraphics2D(document);
        drawing().draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
        Element root = graphics.getRoot();
        root.setAttribute("viewBox", "0 0 " + WIDTH + " " + HEIGHT);
        root.setAttribute("width", String.valueOf(WIDTH));
        StringWriter out = new StringWriter();
        try { // not Batik's own writer, whose document type names a place in the net
            Transformer writer = TransformerFactory.newInstance().newTransformer();
            writer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
            writer.transform(new DOMSource(root), new StreamResult(out));
        } catch (TransformerException e) {
            throw new IllegalStateException("A drawing must be XML", e);
        }
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** A PNG file of twice the drawing's size. */
    public byte[] png() {
        BufferedImage image = new BufferedImage(2 * WIDTH, 2 * HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        graphics.scale(2, 2);
        drawing().draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
        graphics.dispose();
        return PngEncoder.encode(Pixels.ofImage(image));
    }

    static {
        TextUtils.setUseDrawRotatedStringWorkaround(false); // it draws outlines, which no one can search or select
    }

    private JFreeChart drawing() {
        XYPlot plot = new XYPlot(null, axis(x, Point::x, Point::x), axis(y, Point::low, Point::high), null);
        plot.setBackgroundPaint(Color.WHITE);
        plot.setOutlineVisible(false);
        plot.setDomainGridlinePaint(GRID);
        plot.setRangeGridlinePaint(GRID);
        plot.setAxisOffset(RectangleInsets.ZERO_INSETS);
        for (int i = 0; i < series.size(); i++) {
            plot.setDataset(i, data(series.get(i)));
            plot.setRenderer(i, renderer(i));
        }
        double lowest = references.stream().mapToDouble(Reference::y).min().orElse(0);
        for (Reference reference : references) {
            boolean below = references.size() > 1 && reference.y() == lowest; // lines may lie close together
            ValueMarker marker =
                    new ValueMarker(y.place(reference.y()), INK, new BasicStroke(1f, 0, 0, 1, DASHES.get(2), 0));
            marker.setLabel(reference.label());
            marker.setLabelFont(font(Font.PLAIN, 11));
            marker.setLabelPaint(INK);
            marker.setLabelBackgroundColor(CLEAR);
            marker.setLabelAnchor(below ? RectangleAnchor.BOTTOM_RIGHT : RectangleAnchor.TOP_RIGHT);
            marker.setLabelTextAnchor(below ? TextAnchor.TOP_RIGHT : TextAnchor.BOTTOM_RIGHT);
            plot.addRangeMarker(marker);
        }
        references.forEach(reference -> include(plot.getRangeAxis(), y.place(reference.y())));
        JFreeChart chart = new JFreeChart(title.isEmpty() ? null : title, font(Font.BOLD, 15), plot, false);
        chart.setBackgroundPaint(Color.WHITE);
        chart.setPadding(new RectangleInsets(8, 6, 6, 12));
        if (series.size() > 1) {
            LegendTitle legend = new LegendTitle(plot);
            legend.setItemFont(font(Font.PLAIN, 12));
            legend.setPosition(RectangleEdge.RIGHT);
            legend.setFrame(org.jfree.chart.block.BlockBorder.NONE);
            chart.addSubtitle(legend);
        }
        return chart;
    }

    /** Widens an axis so that a value is on it, with a margin for its label. */
    private static void include(ValueAxis axis, double place) {
        Range range = axis.getRange();
        double margin = 0.07 * range.getLength();
        if (!range.contains(place) || !range.contains(place + margin)) {
            axis.setRange(
                    Math.min(range.getLowerBound(), place - margin), Math.max(range.getUpperBound(), place + margin));
        }
    }

    private XYIntervalSeriesCollection data(Series one) {
        XYIntervalSeries data = new XYIntervalSeries(one.name());
        for (Point point : one.points()) {
            double at = x.place(point.x());
            data.add(at, at, at, y.place(point.y()), y.place(point.low()), y.place(point.high()));
        }
        XYIntervalSeriesCollection collection = new XYIntervalSeriesCollection();
        collection.addSeries(data);
        return collection;
    }

    private XYLineAndShapeRenderer renderer(int index) {
        Series one = series.get(index);
        boolean intervals = one.points().stream().anyMatch(point -> point.low() < point.high());
        boolean lines = one.mark() != Mark.POINTS;
        boolean shapes = one.mark() != Mark.FIT;
        XYLineAndShapeRenderer renderer;
        if (one.mark() == Mark.BAND) {
            DeviationRenderer band = new DeviationRenderer(true, true);
            band.setAlpha(0.18f);
            band.setSeriesFillPaint(0, colour(index));
            renderer = band;
        } else if (intervals && shapes) {
            XYErrorRenderer bars = new XYErrorRenderer();
            bars.setDrawXError(false);
            bars.setErrorPaint(colour(index));
            bars.setCapLength(5);
            renderer = bars;
        } else {
            renderer = new XYLineAndShapeRenderer();
        }
        renderer.setDefaultLinesVisible(lines);
        renderer.setDefaultShapesVisible(shapes);
        renderer.setDefaultShapesFilled(index % 2 == 0);
        renderer.setSeriesPaint(0, colour(index));
        renderer.setSeriesShape(0, marker(index));
        renderer.setSeriesStroke(
                0,
                new BasicStroke(
                        1.8f,
                        BasicStroke.CAP_BUTT,
                        BasicStroke.JOIN_ROUND,
                        1,
                        DASHES.get(index / COLOURS.size() % DASHES.size()),
                        0));
        return renderer;
    }

    private static Color colour(int index) {
        return COLOURS.get(index % COLOURS.size());
    }

    private static Shape marker(int index) {
        return switch (index % 4) {
            case 0 -> new Ellipse2D.Double(-3.5, -3.5, 7, 7);
            case 1 -> new Rectangle2D.Double(-3.2, -3.2, 6.4, 6.4);
            case 2 -> polygon(0, -4.4, 4.2, 3.4, -4.2, 3.4);
            default -> polygon(0, -4.8, 4.8, 0, 0, 4.8, -4.8, 0);
        };
    }

    private static Shape polygon(double... xy) {
        Path2D path = new Path2D.Double();
        path.moveTo(xy[0], xy[1]);
        for (int i = 2; i < xy.length; i += 2) {
            path.lineTo(xy[i], xy[i + 1]);
        }
        path.closePath();
        return path;
    }

    private NumberAxis axis(Axis axis, ToDoubleFunction<Point> low, ToDoubleFunction<Point> high) {
        NumberAxis drawn = new Scaled(axis, ticks(axis, low, high));
        drawn.setAutoRangeIncludesZero(false);
        drawn.setAutoRangeStickyZero(false);
        drawn.setLabelFont(font(Font.PLAIN, 13));
        drawn.setTickLabelFont(font(Font.PLAIN, 12));
        drawn.setLabelPaint(INK);
        drawn.setTickLabelPaint(INK);
        drawn.setAxisLinePaint(INK);
        return drawn;
    }

    /**
     * Labels by value: those given, else on scales that are not linear the series' own values where they are few, else
     * round ones.
     */
    private Map<Double, String> ticks(Axis axis, ToDoubleFunction<Point> low, ToDoubleFunction<Point> high) {
        if (!axis.ticks().isEmpty() || axis.scale() == AxisScale.LINEAR) {
            return axis.ticks();
        }
        TreeSet<Double> values = new TreeSet<>();
        for (Series one : series) {
            for (Point point : one.points()) {
                values.add(low.applyAsDouble(point));
                values.add(high.applyAsDouble(point));
            }
        }
        if (values.isEmpty()) {
            return Map.of();
        }
        Map<Double, String> ticks = new TreeMap<>();
        if (values.size() <= MOST_OWN_TICKS) {
            values.forEach(value -> ticks.put(value, plain(value)));
            return ticks;
        }
        for (double decade = Math.pow(10, Math.floor(Math.log10(values.first())));
                decade <= values.last();
                decade *= 10) {
            for (int digit : List.of(1, 2, 5)) {
                ticks.put(digit * decade, plain(digit * decade));
            }
        }
        return ticks;
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? String.format(Locale.ROOT, "%.0f", value) : Double.toString((float) value);
    }

    private static Font font(int style, int size) {
        return new Font(Font.SANS_SERIF, style, size);
    }

    /** An axis over places, labelled with the values that are there. */
    private static final class Scaled extends NumberAxis {
        private final transient Axis axis;
        private final transient Map<Double, String> ticks;

        Scaled(Axis axis, Map<Double, String> ticks) {
            super(axis.label());
            this.axis = axis;
            this.ticks = ticks;
        }

        @Override
        @SuppressWarnings("rawtypes") // as upstream declares it
        public List refreshTicks(
                Graphics2D graphics, org.jfree.chart.axis.AxisState state, Rectangle2D area, RectangleEdge edge) {
            if (ticks.isEmpty()) {
                return super.refreshTicks(graphics, state, area, edge);
            }
            boolean below = RectangleEdge.isTopOrBottom(edge);
            boolean upright = below && String.join("", ticks.values()).length() > MOST_LETTERS;
            setVerticalTickLabels(upright);
            TextAnchor anchor = below && !upright ? TextAnchor.TOP_CENTER : TextAnchor.CENTER_RIGHT;
            double angle = upright ? -Math.PI / 2 : 0;
            List<Tick> drawn = new ArrayList<>();
            ticks.forEach((value, label) -> {
                if (getRange().contains(axis.place(value))) {
                    drawn.add(new NumberTick(axis.place(value), label, anchor, anchor, angle));
                }
            });
            return drawn;
        }
    }
}
