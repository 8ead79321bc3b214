package latentmix.plan;

import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.source.ImageSource;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * The classes of a run: the folders of the input root, with labels and names from a class TSV (columns index, folder,
 * name, with a header), else the rank of the sorted folder names and the names themselves.
 *
 * @param classes the classes that have a folder, sorted by folder
 * @param names every class name by label: what a ClassLabel feature lists
 */
public record ClassList(List<ClassLabel> classes, List<String> names) {
    public ClassList {
        classes = List.copyOf(classes);
        names = List.copyOf(names);
    }

    private record Named(int label, String name) {}

    /**
     * Reads the classes of a source.
     *
     * @throws ConfigException if there is no root, no class, or a folder that the TSV does not name
     */
    public static ClassList read(RunConfig.Input input, RunConfig.Prompt prompt, ImageSource source, Configuration conf)
            throws IOException {
        List<String> folders = source.classIds(conf);
        Map<String, Named> named = new HashMap<>();
        List<String> names = new ArrayList<>();
        if (input.classes() == null) {
            for (String folder : folders) {
                named.put(folder, new Named(names.size(), folder));
                names.add(folder);
            }
        } else {
            readTsv(new Path(BuiltIn.located(input.classes())), conf, named, names);
        }
        List<String> problems = new ArrayList<>();
        List<ClassLabel> classes = new ArrayList<>();
        for (String folder : folders) {
            Named name = named.get(folder);
            if (name == null) {
                problems.add("input.classes: expected a line for every class folder, but "
                        + input.classes() + " has none for " + folder
                        + "; add it, or take the folder out of the input root");
            } else {
                classes.add(new ClassLabel(folder, name.label(), name.name(), prompt(prompt, folder, name.name())));
            }
        }
        for (String wanted : input.folders()) {
            if (!folders.contains(wanted)) {
                problems.add("input.folders: expected class folders of the input root, " + String.join(", ", folders)
                        + ", got " + wanted + "; check the spelling");
            }
        }
        if (!input.folders().isEmpty()) {
            classes.removeIf(label -> !input.folders().contains(label.classId()));
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return new ClassList(classes, names);
    }

    private static String prompt(RunConfig.Prompt prompt, String folder, String name) {
        String own = prompt.classes().get(folder);
        return own == null ? prompt.template().replace("{class}", name) : own;
    }

    private static void readTsv(Path file, Configuration conf, Map<String, Named> named, List<String> names)
            throws IOException {
        Map<Integer, String> byLabel = new HashMap<>();
        List<String> problems = new ArrayList<>();
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(file.getFileSystem(conf).open(file), StandardCharsets.UTF_8))) {
            int number = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                number++;
                if (number == 1 || line.isBlank()) {
                    continue;
                }
                String[] columns = line.split("\t", -1);
                if (columns.length < 3 || !columns[0].strip().matches("\\d{1,9}")) {
                    problems.add("input.classes: expected index, folder and name between tabs in line " + number
                            + " of " + file + ", got: " + line);
                    continue;
                }
                int label = Integer.parseInt(columns[0].strip());
                if (byLabel.put(label, columns[2].strip()) != null
                        || named.put(columns[1].strip(), new Named(label, columns[2].strip())) != null) {
                    problems.add("input.classes: expected every index and folder once, but line " + number + " of "
                            + file + " repeats one: " + line);
                }
            }
        } catch (FileNotFoundException e) {
            problems.add("input.classes: expected a TSV of classes, but there is nothing at " + file);
        }
        for (int label = 0; label < byLabel.size() && problems.isEmpty(); label++) {
            String name = byLabel.get(label);
            if (name == null) {
                problems.add("input.classes: expected the indices 0 to " + (byLabel.size() - 1) + ", but " + label
                        + " is missing in " + file);
            } else {
                names.add(name);
            }
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }
}
