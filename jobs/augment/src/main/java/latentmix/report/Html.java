package latentmix.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.function.Function;
import java.util.stream.Collectors;

/** A piece of HTML. Whatever is put into one is escaped, unless it is one itself. */
public record Html(String markup) {
    public static final Html NONE = new Html("");

    /** A template with {@code {}} where the values go, one after the other. */
    public static Html of(String template, Object... values) {
        StringBuilder markup = new StringBuilder();
        int from = 0;
        for (Object value : values) {
            int to = template.indexOf("{}", from);
            if (to < 0) {
                throw new IllegalArgumentException("There must be a {} for each of " + values.length + ": " + template);
            }
            markup.append(template, from, to).append(value instanceof Html html ? html.markup : escaped(value));
            from = to + 2;
        }
        return new Html(markup.append(template, from, template.length()).toString());
    }

    /** A piece for every item, in order. */
    public static <T> Html each(Collection<T> items, Function<T, Html> piece) {
        return new Html(items.stream().map(piece).map(Html::markup).collect(Collectors.joining("\n")));
    }

    /** The style sheet of every page. */
    public static Html style() {
        try (InputStream css = Html.class.getResourceAsStream("report.css")) {
            return new Html(new String(css.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("The jar must hold the report's style sheet", e);
        }
    }

    private static String escaped(Object value) {
        return value.toString()
                .replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;")
                .replace("'", "&#39;");
    }
}
