package latentmix.training;

import com.univocity.parsers.csv.CsvParser;
import com.univocity.parsers.csv.CsvParserSettings;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import latentmix.checkpoint.Fingerprint;
import latentmix.image.Pixels;
import latentmix.image.Resize;

/**
 * A CSV file with a header that names images and says things of each, such as the {@code manifest.csv} of
 * {@code latentmix dataset emoji}.
 *
 * @param file paths of its column {@code path} begin where it lies
 * @param rows text by column
 */
public record TrainingManifest(Path file, List<Map<String, String>> rows) {
    private static final String PATH = "path";
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\w+)}");
    private static final int SHOWN = 30;

    public TrainingManifest {
        rows = List.copyOf(rows);
    }

    /**
     * What is taken of a manifest.
     *
     * @param templates what is told of a row, <code>{column}</code> standing for the row's text there; the first says
     *     most, the others say less
     * @param where the accepted texts of some columns
     * @param mirrored the column that is {@code true} where a mirror image shows the same; none where null
     */
    public record Choice(List<String> templates, Map<String, List<String>> where, String mirrored) {
        public Choice {
            templates = List.copyOf(templates);
            where = Map.copyOf(where);
        }

        /** The same of fewer rows. */
        public Choice and(Map<String, List<String>> further) {
            Map<String, List<String>> both = new LinkedHashMap<>(where);
            both.putAll(further);
            return new Choice(templates, both, mirrored);
        }

        /** The same rows, told otherwise. */
        public Choice told(List<String> otherTemplates) {
            return new Choice(otherTemplates, where, mirrored);
        }
    }

    /** Reads a file. */
    public static TrainingManifest read(Path file) throws IOException {
        CsvParserSettings settings = new CsvParserSettings();
        settings.setLineSeparatorDetectionEnabled(true);
        settings.setEmptyValue("");
        settings.setNullValue("");
        List<Map<String, String>> rows = new ArrayList<>();
        try (Reader in = Files.newBufferedReader(file)) {
            CsvParser parser = new CsvParser(settings);
            parser.beginParsing(in);
            String[] names = parser.parseNext();
            for (String[] row = parser.parseNext(); row != null; row = parser.parseNext()) {
                Map<String, String> texts = new LinkedHashMap<>();
                for (int i = 0; i < Math.min(names.length, row.length); i++) {
                    texts.put(names[i], row[i]);
                }
                rows.add(texts);
            }
        }
        if (rows.isEmpty() || !rows.get(0).containsKey(PATH)) {
            throw new IllegalArgumentException("input.root: expected a CSV file with a header, a column path and a row"
                    + " for each image, got " + file + "; correct it");
        }
        return new TrainingManifest(file, rows);
    }

    /**
     * Reads the chosen images, in the file's order, as centre squares of the given side.
     *
     * @throws IllegalArgumentException if a column or a text is unknown, or an image cannot be read
     */
    public TrainingImages images(Choice choice, int size) throws IOException {
        choice.where().forEach(this::check);
        requireColumn("input.mirrored", choice.mirrored() == null ? PATH : choice.mirrored());
        List<Pixels> pixels = new ArrayList<>();
        Map<String, Integer> prompts = new LinkedHashMap<>(); // to their places
        List<Integer> prompt = new ArrayList<>();
        List<List<Integer>> shorter = new ArrayList<>();
        List<Boolean> mirrored = new ArrayList<>();
        MessageDigest digest = Fingerprint.sha256();
        for (Map<String, String> row : rows) {
            if (choice.where().entrySet().stream()
                    .allMatch(column -> column.getValue().contains(row.get(column.getKey())))) {
                Pixels square = Resize.square(TrainingImages.decode(file.resolveSibling(row.get(PATH))), size);
                boolean mirror = choice.mirrored() != null && Boolean.parseBoolean(row.get(choice.mirrored()));
                digest.update(square.rgb());
                digest.update((byte) (mirror ? 1 : 0));
                pixels.add(square);
                mirrored.add(mirror);
                List<Integer> told = choice.templates().stream()
                        .map(template -> filled(template, row))
                        .map(text -> prompts.computeIfAbsent(text, any -> prompts.size()))
                        .toList();
                prompt.add(told.get(0));
                shorter.add(told.subList(1, told.size()));
            }
        }
        if (pixels.isEmpty()) {
            throw new IllegalArgumentException("where: expected rows of " + file
                    + " that have all of these texts, got none: " + choice.where() + "; correct it");
        }
        return new TrainingImages(
                pixels,
                List.copyOf(prompts.keySet()),
                prompt,
                shorter,
                mirrored,
                HexFormat.of().formatHex(digest.digest()));
    }

    private String filled(String template, Map<String, String> row) {
        return PLACEHOLDER
                .matcher(template)
                .replaceAll(found -> Matcher.quoteReplacement(row.get(requireColumn("prompt.rows", found.group(1)))));
    }

    private String requireColumn(String key, String name) {
        Set<String> names = rows.get(0).keySet();
        if (!names.contains(name)) {
            throw new IllegalArgumentException(key + ": expected a column of " + file + ", one of "
                    + String.join(", ", names) + ", got " + name + "; correct it");
        }
        return name;
    }

    private void check(String column, List<String> accepted) {
        requireColumn("where", column);
        Set<String> texts =
                rows.stream().map(row -> row.get(column)).collect(Collectors.toCollection(LinkedHashSet::new));
        for (String text : accepted) {
            if (!texts.contains(text)) {
                throw new IllegalArgumentException("where." + column + ": expected texts that the column has, such as "
                        + texts.stream().limit(SHOWN).collect(Collectors.joining(", ")) + ", got " + text
                        + "; correct it");
            }
        }
    }
}
