package latentmix.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.config.Section;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Recipe;
import latentmix.latent.WeightSampler;
import latentmix.study.StudyConfig.Axis;
import latentmix.study.StudyConfig.AxisScale;
import latentmix.study.StudyConfig.Cells;
import latentmix.study.StudyConfig.Closer;
import latentmix.study.StudyConfig.Curves;
import latentmix.study.StudyConfig.Downstream;
import latentmix.study.StudyConfig.Experiment;
import latentmix.study.StudyConfig.Grid;
import latentmix.study.StudyConfig.Heading;
import latentmix.study.StudyConfig.Setting;
import latentmix.training.ClassifierTraining;

/**
 * Reads a {@link StudyConfig} from YAML and {@code --set} overrides. {@code run} is a run configuration without mixing;
 * each of {@code experiments} has a {@code kind}; unknown keys are refused, with all problems at once.
 */
public final class StudyFile {
    private static final int MOST_SHOTS = 99_999;
    private static final List<String> ONE_DATASET = List.of("input.root", "input.classes", "input.folders");

    private final ObjectNode run;
    private final List<String> problems;

    private StudyFile(ObjectNode run, List<String> problems) {
        this.run = run;
        this.problems = problems;
    }

    /**
     * Reads a file.
     *
     * @param overrides {@code key.path=value} each, such as {@code run.generation.steps=20} or
     *     {@code experiments.0.count=2}
     * @throws ConfigException with every problem there is
     */
    public static StudyConfig read(Path file, List<String> overrides) {
        try {
            return parse(Files.readString(file), file.toString(), overrides);
        } catch (IOException e) {
            throw new ConfigException(List.of(
                    "--config: expected a YAML file that can be read, got " + file + " (" + e + "); check the path"));
        }
    }

    /**
     * Reads a text.
     *
     * @param source where it comes from, for messages
     * @throws ConfigException with every problem there is
     */
    public static StudyConfig parse(String yaml, String source, List<String> overrides) {
        List<String> problems = new ArrayList<>();
        ObjectNode tree = ConfigFile.tree(yaml, source);
        overrides.forEach(override -> ConfigFile.override(tree, override, problems));
        Section file = new Section("", tree, problems);
        String title = file.text("title");
        String about = file.text("about", "");
        Section run = file.section("run");
        ObjectNode base =
                tree.path("run") instanceof ObjectNode given ? given.deepCopy() : JsonNodeFactory.instance.objectNode();
        if (base.remove("mixing") != null) {
            run.refuse("mixing", "unknown key; a study's experiments say what is mixed; take it away");
        }
        RunConfig config = ConfigFile.config(new Section("run", base, problems)).withMixing(List.of());
        StudyFile reader = new StudyFile(base, problems);
        List<Experiment> experiments = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Section section : file.sections("experiments")) {
            Heading heading = heading(section);
            if (!names.add(heading.name())) {
                section.problem(
                        "name", "a name of its own for each experiment", heading.name(), "rename one of the two");
            }
            reader.experiment(section, heading).ifPresent(experiments::add);
            section.end();
        }
        file.end();
        if (!problems.isEmpty()) {
            throw new ConfigException(problems.stream().distinct().toList());
        }
        return new StudyConfig(title, about, config, experiments);
    }

    private static Heading heading(Section section) {
        String name = section.text("name");
        if (!name.matches("[A-Za-z0-9_-]*")) {
            section.problem("name", "letters, digits, - and _", name, "rename the experiment");
        }
        return new Heading(name, section.text("title", name), section.text("about", ""));
    }

    private Optional<Experiment> experiment(Section section, Heading heading) {
        List<String> kinds = new ArrayList<>(List.of("grid", "curves", "downstream"));
        kinds.addAll(LatentExperiment.KINDS);
        String kind = section.choice("kind", "curves", kinds);
        return switch (kind) {
            case "grid" -> Optional.of(grid(section, heading));
            case "downstream" -> Optional.of(downstream(section, heading));
            case "curves" -> Optional.of(curves(section, heading));
            default -> LatentExperiment.read(kind, section, heading, this::onClasses);
        };
    }

    private Grid grid(Section section, Heading heading) {
        List<String> classes = section.texts("classes", List.of(), folder -> {});
        if (classes.isEmpty()) {
            section.problem("classes", "the folders whose pictures are shown", "none", "name some");
        }
        int examples = section.count("examples", 1, 1, 100);
        ObjectNode unmeasured = run.deepCopy();
        unmeasured.remove("evaluation");
        return new Grid(heading, cells(section, heading, unmeasured, classes, examples), classes, examples);
    }

    private Curves curves(Section section, Heading heading) {
        List<String> classes = section.texts("classes", List.of(), folder -> {});
        int count = section.count("count", 100, 1, 1_000_000);
        if (!run.has("evaluation")) {
            section.problem(
                    "kind", "run.evaluation beside curves, which are of metrics", "none", "say what is measured");
        }
        return new Curves(
                heading,
                cells(section, heading, run, classes, count),
                word(section, "x", Axis.INPUTS),
                word(section, "scale", AxisScale.LOG),
                section.texts("metrics", List.of(), metric -> {}),
                classes);
    }

    private Downstream downstream(Section section, Heading heading) {
        JsonNode changes = JsonNodeFactory.instance.objectNode().setAll(section.values("settings"));
        Section closer = section.section("closer");
        Section classifier = section.section("classifier");
        Downstream experiment = new Downstream(
                heading,
                ConfigFile.config(new Section("run", changed(section, "settings", run, changes), problems))
                        .withMixing(List.of()),
                section.text("test"),
                counts(section, "shots", List.of("5", "10", "20", "50")),
                section.count("seeds", 5, 1, 1000),
                section.texts("methods", List.of("fix/0", "nin/chm", "fix/cmm"), Method::parse),
                InputCount.parse(section.text("inputs", "2..8", InputCount::parse)),
                section.text("weights", "dirichlet(1)", WeightSampler::parse),
                section.count("multiple", 5, 1, 1000),
                new Closer(closer.count("shots", 0, 0, MOST_SHOTS), counts(closer, "multiples", List.of("1", "10"))),
                new ClassifierTraining.Settings(
                        classifier.count("steps", 300, 1, 1_000_000),
                        classifier.count("batch", 64, 1, 10_000),
                        classifier.number("learning_rate", 0.002, 1e-9, 10),
                        classifier.number("weight_decay", 0.05, 0, 10),
                        classifier.number("label_smoothing", 0.1, 0, 0.99),
                        classifier.number("made_share", 0.5, 0, 1)));
        closer.end();
        classifier.end();
        for (int shot : experiment.shots()) {
            try {
                experiment.entries(shot);
            } catch (IllegalArgumentException e) {
                section.refuse("methods", "with " + shot + " shots: " + e.getMessage());
            }
        }
        return experiment;
    }

    private static List<Integer> counts(Section section, String key, List<String> otherwise) {
        return section
                .texts(key, otherwise, text -> {
                    if (!text.matches("[1-9]\\d{0,4}")) {
                        throw new IllegalArgumentException(
                                "expected counts from 1 to " + MOST_SHOTS + ", got " + text + "; write whole numbers");
                    }
                })
                .stream()
                .map(Integer::valueOf)
                .toList();
    }

    /** The base configuration on these classes alone, or on all where none are named; nothing is measured. */
    private RunConfig onClasses(List<String> classes) {
        ObjectNode tree = run.deepCopy();
        tree.remove("evaluation");
        if (!classes.isEmpty()) {
            ArrayNode folders = tree.withObject("/input").putArray("folders");
            classes.forEach(folders::add);
        }
        return ConfigFile.config(new Section("run", tree, problems)).withMixing(List.of());
    }

    private static <E extends Enum<E>> E word(Section section, String key, E otherwise) {
        List<String> words = Stream.of(otherwise.getDeclaringClass().getEnumConstants())
                .map(value -> value.name().toLowerCase(Locale.ROOT))
                .toList();
        String word = section.choice(key, otherwise.name().toLowerCase(Locale.ROOT), words);
        return Enum.valueOf(otherwise.getDeclaringClass(), word.toUpperCase(Locale.ROOT));
    }

    private Cells cells(Section section, Heading heading, ObjectNode base, List<String> classes, int count) {
        String factor = section.text("factor", "");
        Map<String, JsonNode> values = section.values("settings");
        Cells cells = new Cells(
                factor,
                List.of(),
                section.texts("methods", List.of("nin/chm"), Method::parse),
                section.texts("inputs", List.of("64"), InputCount::parse),
                section.texts("weights", List.of("equal"), WeightSampler::parse),
                section.texts("pool", List.of("all"), Recipe.Pool::parse),
                count);
        List<RunConfig.Mixing> entries = List.of();
        try {
            entries = cells.entries(heading.name());
        } catch (IllegalArgumentException e) {
            section.refuse("methods", e.getMessage());
        }
        if (values.size() > 1 && factor.isBlank()) {
            section.problem("factor", "what differs between the settings", "nothing", "name it, such as guidance");
        }
        List<Setting> settings = new ArrayList<>();
        Map<String, JsonNode> all = values.isEmpty() ? Map.of("", JsonNodeFactory.instance.objectNode()) : values;
        for (Map.Entry<String, JsonNode> setting : all.entrySet()) {
            ObjectNode tree = changed(section, "settings." + setting.getKey(), base, setting.getValue());
            if (!classes.isEmpty()) {
                ArrayNode folders = tree.withObject("/input").putArray("folders");
                classes.forEach(folders::add);
            }
            tree.set("mixing", mixing(entries));
            settings.add(new Setting(setting.getKey(), ConfigFile.config(new Section("run", tree, problems))));
        }
        return new Cells(factor, settings, cells.methods(), cells.inputs(), cells.weights(), cells.pools(), count);
    }

    /** The base configuration with other values by key path. */
    private static ObjectNode changed(Section section, String key, ObjectNode base, JsonNode changes) {
        ObjectNode tree = base.deepCopy();
        if (!changes.isObject()) {
            section.problem(key, "key paths of run with values, such as generation.guidance: 4", changes, "write them");
        }
        for (Map.Entry<String, JsonNode> change : changes.properties()) {
            List<String> path = List.of(change.getKey().split("\\.", -1));
            if (ONE_DATASET.contains(change.getKey())
                    || path.get(0).equals("mixing")
                    || !ConfigFile.set(tree, path, change.getValue())) {
                section.problem(
                        key,
                        "a key path of run that may differ between cells",
                        change.getKey(),
                        "a study has one dataset, and its experiments say what is mixed; check the path");
            }
        }
        return tree;
    }

    /** The entries as a run configuration has them. */
    private static ArrayNode mixing(List<RunConfig.Mixing> entries) {
        ArrayNode mixing = JsonNodeFactory.instance.arrayNode();
        for (RunConfig.Mixing entry : entries) {
            ObjectNode node = mixing.addObject()
                    .put("name", entry.name())
                    .put("weights", entry.weights())
                    .put("pool", entry.pool())
                    .put("count", entry.count())
                    .put("export", entry.export());
            entry.methods().forEach(node.putArray("methods")::add);
            entry.inputs().forEach(node.putArray("inputs")::add);
        }
        return mixing;
    }
}
