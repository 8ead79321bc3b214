package latentmix.notebook;

import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import scala.collection.Iterable;
import scala.jdk.javaapi.CollectionConverters;

/** The first rows of a dataset as an HTML table. */
final class HtmlTable {
    private static final int ROWS = 50;

    private HtmlTable() {}

    static String of(Dataset<?> data) {
        var rows = data.toDF().takeAsList(ROWS + 1);
        return "<table><tr>"
                + Stream.of(data.columns())
                        .map(name -> "<th>" + escaped(name) + "</th>")
                        .collect(Collectors.joining())
                + "</tr>"
                + rows.stream().limit(ROWS).map(HtmlTable::line).collect(Collectors.joining())
                + "</table>"
                + (rows.size() > ROWS ? "<p>the first " + ROWS + " rows</p>" : "");
    }

    private static String line(Row row) {
        return "<tr>"
                + IntStream.range(0, row.size())
                        .mapToObj(i -> "<td>" + escaped(text(row.get(i))) + "</td>")
                        .collect(Collectors.joining())
                + "</tr>";
    }

    private static String text(Object value) {
        if (value instanceof Number number && (value instanceof Double || value instanceof Float)) {
            return String.format(Locale.ROOT, "%.4g", number.doubleValue());
        }
        if (value instanceof byte[] bytes) {
            return bytes.length + " bytes";
        }
        if (value instanceof Iterable<?> values) {
            return CollectionConverters.asJava(values.toSeq()).stream()
                    .map(HtmlTable::text)
                    .collect(Collectors.joining(", "));
        }
        return value == null ? "" : value.toString();
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
