package latentmix.study;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.table.RowFile;

/**
 * A table of a study: a record is a row, its components are the columns, named in snake_case. Published as CSV and
 * Parquet.
 *
 * @param name the name of its files, without an ending
 * @param caption a sentence that says what a row is
 * @param type a public record of texts and numbers
 */
public record StudyTable<T extends Record>(String name, String caption, Class<T> type, List<T> rows) {
    public StudyTable {
        rows = List.copyOf(rows);
    }

    /** The columns' names. */
    public List<String> columns() {
        return components().map(StudyTable::column).toList();
    }

    /** A row's values in the columns' order: texts, whole numbers, or doubles. */
    public List<Object> values(T row) {
        return components().map(component -> value(component, row)).toList();
    }

    /** Every row's values. */
    public List<List<Object>> values() {
        return rows.stream().map(this::values).toList();
    }

    /** Comma-separated values with a header, as RFC 4180 has them; lines end with a line feed. */
    public String csv() {
        return Stream.concat(Stream.of(columns()), values().stream())
                .map(values -> values.stream().map(StudyTable::quoted).collect(Collectors.joining(",", "", "\n")))
                .collect(Collectors.joining());
    }

    /** A Parquet file's bytes. */
    public byte[] parquet() {
        return RowFile.bytes(type, (Collection<T>) rows);
    }

    private Stream<RecordComponent> components() {
        return Arrays.stream(type.getRecordComponents());
    }

    private static String column(RecordComponent component) {
        return component.getName().replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    private static Object value(RecordComponent component, Record row) {
        try {
            return component.getAccessor().invoke(row);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(
                    "A table's rows must be public records, cannot be: " + row.getClass(), e);
        }
    }

    private static String quoted(Object value) {
        String text = value.toString();
        return text.matches("(?s).*[\",\r\n].*") ? '"' + text.replace("\"", "\"\"") + '"' : text;
    }
}
