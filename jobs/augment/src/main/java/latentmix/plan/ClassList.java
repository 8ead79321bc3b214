package latentmix.plan;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.source.ImageSource;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The classes of a run: the folders of the input root, with labels and names from a class TSV (columns index, folder,
 * name, with a header), else the rank of the sorted folder names and the names themselves. A folder is found under its
 * name however its accents are spelt (NFC, NFD).
 *
 * @param classes the classes that have a folder, sorted by folder
 * @param names every class name by label: what a ClassLabel feature lists; each stands once, a repeated one numbered
 * @param warnings what a person should know of them
 */
public record ClassList(List<ClassLabel> classes, List<String> names, List<String> warnings) {
    private static final String HEADER = "index\tfolder\tname";
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    public ClassList {
        classes = List.copyOf(classes);
        names = List.copyOf(names);
        warnings = List.copyOf(warnings);
    }

    /**
     * A line of the list.
     *
     * @param name as it stands there
     */
    private record Line(int label, String name) {}

    /**
     * Reads the classes of a source.
     *
     * @throws ConfigException if there is no root, no class, a folder that the TSV does not name, or no list in the TSV
     */
    public static ClassList read(RunConfig.Input input, RunConfig.Prompt prompt, ImageSource source, Configuration conf)
            throws IOException {
        List<String> folders = source.classIds(conf);
        Map<String, Line> lines = new HashMap<>();
        if (input.classes() == null) {
            source.classes(conf)
                    .forEach(one -> lines.put(RunConfig.composed(one.id()), new Line(lines.size(), one.name())));
        } else {
            lines.putAll(readTsv(new Path(BuiltIn.located(input.classes())), conf));
        }
        List<String> warnings = new ArrayList<>();
        List<String> names = names(lines, warnings);
        List<String> problems = new ArrayList<>();
        List<ClassLabel> classes = new ArrayList<>();
        for (String folder : folders) {
            Line line = lines.get(RunConfig.composed(folder));
            if (line == null) {
                problems.add("input.classes: expected a line for every class folder, but "
                        + input.classes() + " has none for " + folder
                        + "; add it, or take the folder out of the input root");
            } else {
                classes.add(
                        new ClassLabel(folder, line.label(), names.get(line.label()), prompt(prompt, folder, line)));
            }
        }
        Set<String> known = new HashSet<>();
        folders.forEach(folder -> known.add(RunConfig.composed(folder)));
        Set<String> wanted = new HashSet<>();
        for (String folder : input.folders()) {
            wanted.add(RunConfig.composed(folder));
            if (!known.contains(RunConfig.composed(folder))) {
                problems.add("input.folders: expected class folders of the input root, " + String.join(", ", folders)
                        + ", got " + folder + "; check the spelling");
            }
        }
        if (!wanted.isEmpty()) {
            classes.removeIf(label -> !wanted.contains(RunConfig.composed(label.classId())));
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return new ClassList(classes, names, warnings);
    }

    /** The folders that a configuration's class list has, by index; none without a list. */
    public static Map<Integer, String> folders(RunConfig.Input input, Configuration conf) throws IOException {
        Map<Integer, String> folders = new TreeMap<>();
        if (input.classes() != null) {
            readTsv(new Path(BuiltIn.located(input.classes())), conf)
                    .forEach((folder, line) -> folders.put(line.label(), folder));
        }
        return folders;
    }

    private static String prompt(RunConfig.Prompt prompt, String folder, Line line) {
        return prompt.classes().entrySet().stream()
                .filter(own -> RunConfig.composed(own.getKey()).equals(RunConfig.composed(folder)))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseGet(() -> prompt.template()
                        .replace("{index}", Integer.toString(line.label()))
                        .replace("{class}", line.name()));
    }

    /** The names by label. A ClassLabel feature takes each once: of ImageNet's two cranes one is "crane (2)". */
    private static List<String> names(Map<String, Line> lines, List<String> warnings) {
        Map<Integer, String> byLabel = new TreeMap<>();
        lines.values().forEach(line -> byLabel.put(line.label(), line.name()));
        Set<String> taken = new HashSet<>(byLabel.values());
        Set<String> seen = new HashSet<>();
        List<String> names = new ArrayList<>();
        byLabel.forEach((label, name) -> {
            String own = name;
            for (int number = 2; !seen.add(own); number++) {
                String numbered = name + " (" + number + ")";
                own = taken.contains(numbered) ? own : numbered;
            }
            if (!own.equals(name)) {
                warnings.add("input.classes: more than one class is called " + name + "; that of index " + label
                        + " is " + own + " in the dataset, and " + name + " in its prompt");
            }
            names.add(own);
        });
        return names;
    }

    /** The lines of a list by composed folder, whose labels are 0 to n-1. */
    private static Map<String, Line> readTsv(Path file, Configuration conf) throws IOException {
        List<String> problems = new ArrayList<>();
        Map<String, Line> byFolder = new HashMap<>();
        Map<Integer, String> byLabel = new HashMap<>();
        int number = 0;
        for (String line : text(file, conf).lines().toList()) {
            number++;
            String[] columns = line.split("\t", -1);
            boolean indexed = columns[0].strip().matches("\\d{1,9}");
            if (number == 1) {
                if (indexed) {
                    problems.add("input.classes: expected the header " + HEADER.replace("\t", " ")
                            + " between tabs in line 1 of " + file + ", got: " + shown(line)
                            + "; put it above that line");
                }
                continue;
            }
            if (line.isBlank()) {
                continue;
            }
            if (columns.length < 3 || !indexed || columns[1].isBlank() || columns[2].isBlank()) {
                problems.add("input.classes: expected index, folder and name between tabs in line " + number + " of "
                        + file + ", got: " + shown(line) + "; correct that line");
                continue;
            }
            int label = Integer.parseInt(columns[0].strip());
            String folder = RunConfig.composed(columns[1].strip());
            String name = columns[2].strip();
            if (byLabel.put(label, name) != null || byFolder.put(folder, new Line(label, name)) != null) {
                problems.add("input.classes: expected every index and folder once, but line " + number + " of " + file
                        + " repeats one: " + shown(line) + "; correct or remove that line");
            }
        }
        if (byLabel.isEmpty() && problems.isEmpty()) {
            problems.add("input.classes: expected the header " + HEADER.replace("\t", " ")
                    + " and a line for each class, but " + file + " has no class; add them");
        }
        for (int label = 0; label < byLabel.size() && problems.isEmpty(); label++) {
            if (!byLabel.containsKey(label)) {
                problems.add("input.classes: expected the indices 0 to " + (byLabel.size() - 1) + ", but " + label
                        + " is missing in " + file + "; count from 0 without a gap");
            }
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return byFolder;
    }

    /** A line without the tabs, which a terminal does not show. */
    private static String shown(String line) {
        return line.replace("\t", " | ");
    }

    /** The text of a file in UTF-8, with or without a byte order mark. */
    private static String text(Path file, Configuration conf) throws IOException {
        byte[] bytes;
        try (var in = file.getFileSystem(conf).open(file)) {
            bytes = in.readAllBytes();
        } catch (FileNotFoundException e) {
            throw new ConfigException(List.of(
                    "input.classes: expected a TSV of classes, but there is no file at " + file + "; check the path"));
        }
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder(); // reports what is malformed
        if (decoder.decode(in, out, true).isError()) {
            long line = 1;
            for (int i = 0; i < in.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new ConfigException(List.of("input.classes: expected UTF-8, but line " + line + " of " + file
                    + " has other bytes; save it as UTF-8"));
        }
        String text = out.flip().toString();
        return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
    }
}
