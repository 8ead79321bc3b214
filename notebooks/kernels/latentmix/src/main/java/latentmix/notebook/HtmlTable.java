package latentmix.notebook;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import scala.collection.Iterable;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The first rows of a dataset as an HTML table. Its markup is in {@code table.jte}.
 *
 * @param rows texts, in the order of the columns
 * @param isCut whether the dataset has more rows
 */
record HtmlTable(List<String> columns, List<List<String>> rows, boolean isCut) {
    private static final int ROWS = 50;
    private static final TemplateEngine TEMPLATES = TemplateEngine.createPrecompiled(
            null, ContentType.Html, HtmlTable.class.getClassLoader(), HtmlTable.class.getPackageName());

    HtmlTable {
        columns = List.copyOf(columns);
        rows = List.copyOf(rows);
    }

    static String of(Dataset<?> data) {
        var rows = data.toDF().takeAsList(ROWS + 1);
        var table = new HtmlTable(
                List.of(data.columns()),
                rows.stream().limit(ROWS).map(HtmlTable::texts).toList(),
                rows.size() > ROWS);
        var html = new StringOutput();
        TEMPLATES.render("table.jte", table, html);
        return html.toString();
    }

    private static List<String> texts(Row row) {
        return IntStream.range(0, row.size()).mapToObj(i -> text(row.get(i))).toList();
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
}
