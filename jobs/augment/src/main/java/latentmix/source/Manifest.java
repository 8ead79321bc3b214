package latentmix.source;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.univocity.parsers.common.TextParsingException;
import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import latentmix.config.ConfigException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * A file that names images: CSV with a header, or JSON objects, one a line or in a list. A path of the images table is
 * as the file spells it: relative to the file, absolute or a location.
 */
record Manifest(Columns columns) implements ShardFormat {
    private static final int LONGEST_VALUE = 1 << 20;
    private static final int MOST_COLUMNS = 4096;
    private static final ObjectMapper JSON = new ObjectMapper();

    static final List<String> PATHS =
            List.of("path", "file_name", "file", "filename", "filepath", "file_path", "image", "image_path", "img");

    /** Whether a file's first line names a path and a label. */
    boolean fits(Path file, Configuration conf) throws IOException {
        List<String> names = header(file, conf);
        return columns.image().among(names).isPresent()
                && columns.label().among(names).isPresent();
    }

    /** The names of the columns. */
    List<String> header(Path file, Configuration conf) throws IOException {
        try (InputStream in = file.getFileSystem(conf).open(file)) {
            if (isCsv(file)) {
                CsvParser parser = parser();
                parser.beginParsing(new InputStreamReader(in, StandardCharsets.UTF_8));
                List<String> names = names(parser.parseNext());
                parser.stopParsing();
                return names;
            }
            MappingIterator<JsonNode> objects = JSON.readerFor(JsonNode.class).readValues(in);
            if (!objects.hasNextValue()) {
                return List.of();
            }
            return objects.nextValue().properties().stream()
                    .map(Map.Entry::getKey)
                    .toList();
        } catch (JsonParseException | TextParsingException e) {
            return List.of();
        }
    }

    private static boolean isCsv(Path file) {
        return file.getName().toLowerCase(Locale.ROOT).endsWith(".csv");
    }

    private static CsvParser parser() {
        CsvParserSettings settings = new CsvParserSettings();
        settings.setLineSeparatorDetectionEnabled(true);
        settings.setMaxCharsPerColumn(LONGEST_VALUE);
        settings.setMaxColumns(MOST_COLUMNS);
        settings.setSkipEmptyLines(true);
        return new CsvParser(settings);
    }

    /** Refuses a manifest without the columns that are needed; returns the names of those that are of no use. */
    List<String> check(Path file, Configuration conf) throws IOException {
        List<String> names = header(file, conf);
        Optional<String> path = columns.image().among(names);
        Optional<String> label = columns.label().among(names);
        if (path.isEmpty() || label.isEmpty()) {
            throw new ConfigException(List.of("input.root: expected a manifest with a column for the path (one of "
                    + columns.image() + ") and one for the label (" + columns.label() + "), but " + file + " has "
                    + (names.isEmpty() ? "none" : String.join(", ", names))
                    + "; rename them, or name them by input.columns: {image: …, label: …}"));
        }
        Optional<String> caption = columns.caption().among(names);
        return names.stream()
                .filter(name -> !name.isEmpty()
                        && !name.equals(path.get())
                        && !name.equals(label.get())
                        && !caption.equals(Optional.of(name)))
                .toList();
    }

    @Override
    public void read(Path base, Shard shard, Extent extent, Configuration conf, Visitor visitor) throws IOException {
        Path file = new Path(base, shard.path());
        try (InputStream in = file.getFileSystem(conf).open(file)) {
            if (isCsv(file)) {
                readCsv(new InputStreamReader(in, StandardCharsets.UTF_8), visitor);
            } else {
                readJson(in, visitor);
            }
        } catch (JsonParseException | TextParsingException e) {
            visitor.visit(new Refused(
                    shard.path(),
                    "damaged manifest",
                    "expected " + (isCsv(file) ? "CSV" : "JSON objects, one a line")
                            + ", but the rest cannot be read: "
                            + e.getMessage().lines().findFirst().orElse("") + "; correct the file"));
        }
    }

    private void readCsv(InputStreamReader in, Visitor visitor) throws IOException {
        CsvParser parser = parser();
        parser.beginParsing(in);
        List<String> names = names(parser.parseNext());
        int path = columns.image().among(names).map(names::indexOf).orElseThrow();
        int label = columns.label().among(names).map(names::indexOf).orElseThrow();
        int caption = columns.caption().among(names).map(names::indexOf).orElse(Integer.MAX_VALUE);
        for (String[] row = parser.parseNext(); row != null; row = parser.parseNext()) {
            visit(
                    value(row, path),
                    value(row, label),
                    value(row, caption),
                    "line " + parser.getContext().currentLine(),
                    visitor);
        }
    }

    private static List<String> names(String[] row) {
        return row == null
                ? List.of()
                : Arrays.stream(row)
                        .map(name ->
                                name == null ? "" : name.replace("\uFEFF", "").strip())
                        .toList();
    }

    private static String value(String[] row, int column) {
        return column < row.length && row[column] != null ? row[column].strip() : "";
    }

    private void readJson(InputStream in, Visitor visitor) throws IOException {
        MappingIterator<JsonNode> objects = JSON.readerFor(JsonNode.class).readValues(in);
        for (int number = 1; objects.hasNextValue(); number++) {
            JsonNode row = objects.nextValue();
            visit(
                    columns.image().text(row),
                    columns.label().text(row).strip(),
                    columns.caption().text(row).strip(),
                    "object " + number,
                    visitor);
        }
    }

    private static void visit(String path, String label, String caption, String where, Visitor visitor)
            throws IOException {
        visitor.visit(
                path.isEmpty()
                        ? new Refused(where, "no path", "expected the path of an image in " + where + ", got none")
                        : new Image(path, label, new byte[0], caption));
    }

    @Override
    public boolean namesFiles() {
        return true;
    }

    @Override
    public byte[] image(Path base, String path, Configuration conf) throws IOException {
        Path file = file(base, path);
        try (InputStream in = file.getFileSystem(conf).open(file)) {
            return in.readAllBytes();
        }
    }

    /** Where a path leads. */
    static Path file(Path base, String path) {
        return new Path(base, new Path(path));
    }

    @Override
    public String settings() {
        return "manifest " + columns;
    }
}
