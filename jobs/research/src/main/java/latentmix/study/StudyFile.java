package latentmix.study;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import latentmix.config.Block;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.Field;
import latentmix.config.MixtureCount;
import latentmix.config.RunConfig;
import latentmix.config.RunKeys;
import latentmix.config.Section;
import latentmix.config.Spelled;
import latentmix.latent.Recipe;
import latentmix.study.StudyConfig.Arm;
import latentmix.study.StudyConfig.Cells;
import latentmix.study.StudyConfig.Classifier;
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
    private static final Set<String> ONE_DATASET = Set.of("input.root", "input.classes", "input.folders");

    /** What the settings of a grid or of curves may say of all mixing entries. */
    private static final String MIXING = "mixing.";

    private static final List<String> OF_MIXING = List.of("neighbours", "contexts", "context_share", "guidance");

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
        return parse(ConfigFile.text(file), file.toString(), overrides);
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
        Section file = new Section("", tree, StudyKeys.STUDY, problems);
        String title = file.find(StudyKeys.TITLE).orElse("");
        String about = file.read(StudyKeys.ABOUT);
        ObjectNode base = JsonNodeFactory.instance.objectNode();
        if (tree.path("run") instanceof ObjectNode given) {
            base.setAll(given.deepCopy());
        } else if (file.has(StudyKeys.RUN)) {
            file.section(StudyKeys.RUN);
        }
        if (base.remove("mixing") != null) {
            problems.add("run.mixing: unknown key; a study's experiments say what is mixed; take it away");
        }
        RunConfig config = run(base, problems);
        StudyFile reader = new StudyFile(base, problems);
        List<Experiment> experiments = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Section section : file.sections(StudyKeys.EXPERIMENTS)) {
            Heading heading = heading(section);
            if (!names.add(heading.name())) {
                section.problem(
                        StudyKeys.NAME,
                        "a name of its own for each experiment",
                        heading.name(),
                        "rename one of the two");
            }
            reader.experiment(section, heading).ifPresent(experiments::add);
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems.stream().distinct().toList());
        }
        return new StudyConfig(title, about, config, experiments);
    }

    /** The run configuration of a tree without mixing. */
    private static RunConfig run(ObjectNode tree, List<String> problems) {
        return config(tree, problems).withMixing(List.of());
    }

    private static RunConfig config(ObjectNode tree, List<String> problems) {
        RunConfig config = ConfigFile.config(new Section("run", tree, RunKeys.RUN, problems));
        if (config.prompt().from() != RunConfig.PromptFrom.CLASS) {
            problems.add("run.prompt.from: expected class in a study, whose pools are inverted with one prompt, got "
                    + config.prompt().from() + "; leave it out, or make runs by ./latentmix run");
        }
        return config;
    }

    private static Heading heading(Section section) {
        String name = section.find(StudyKeys.NAME).orElse("");
        return new Heading(name, section.find(StudyKeys.HEADING).orElse(name), section.read(StudyKeys.CAPTION));
    }

    private Optional<Experiment> experiment(Section section, Heading heading) {
        String kind = section.read(StudyKeys.KIND);
        return switch (kind) {
            case "grid" -> Optional.of(grid(section, heading));
            case "downstream" -> Optional.of(downstream(section, heading));
            case "curves" -> Optional.of(curves(section, heading));
            default -> LatentExperiment.read(kind, section, heading, this::unmeasured);
        };
    }

    private Grid grid(Section section, Heading heading) {
        List<String> classes = section.find(StudyKeys.CLASSES).orElse(List.of());
        if (classes.isEmpty()) {
            section.problem(StudyKeys.CLASSES, "the folders whose pictures are shown", "none", "name some");
        }
        int examples = section.read(StudyKeys.EXAMPLES);
        ObjectNode unmeasured = run.deepCopy();
        unmeasured.remove("evaluation");
        return new Grid(heading, cells(section, heading, unmeasured, classes, examples), classes, examples);
    }

    private Curves curves(Section section, Heading heading) {
        List<String> classes = section.find(StudyKeys.CLASSES).orElse(List.of());
        int count = section.read(StudyKeys.COUNT);
        if (!run.has("evaluation")) {
            section.problem(
                    StudyKeys.KIND,
                    "run.evaluation beside curves, which are of metrics",
                    "none",
                    "say what is measured");
        }
        return new Curves(
                heading,
                cells(section, heading, run, classes, count),
                section.read(StudyKeys.X),
                section.read(StudyKeys.SCALE),
                section.find(StudyKeys.METRICS).orElse(List.of()),
                classes);
    }

    private Downstream downstream(Section section, Heading heading) {
        JsonNode changes = section.find(StudyKeys.SETTINGS).orElseGet(JsonNodeFactory.instance::objectNode);
        ObjectNode base = changed(section, "", run, changes, Set.of());
        Section classifier = section.section(StudyKeys.CLASSIFIER);
        List<Arm> arms = new ArrayList<>();
        for (Section arm : section.sections(StudyKeys.ARMS)) {
            arms.add(arm(arm, base));
        }
        Downstream experiment = new Downstream(
                heading,
                run(base, problems),
                section.find(StudyKeys.TEST).orElse(null),
                section.read(StudyKeys.VALIDATION),
                section.read(StudyKeys.SHOTS),
                section.find(StudyKeys.TAIL).orElse(0),
                section.find(StudyKeys.CORRUPTIONS).orElse(List.of()),
                section.read(StudyKeys.SEVERITY),
                section.read(StudyKeys.SEEDS),
                arms,
                section.read(StudyKeys.MULTIPLES),
                section.read(StudyKeys.SHARES),
                new Classifier(
                        classifier.read(StudyKeys.IMAGE_SIZE),
                        classifier.find(StudyKeys.FEATURES).orElse(null),
                        classifier.read(StudyKeys.VIEWS),
                        new ClassifierTraining.Settings(
                                classifier.read(StudyKeys.STEPS),
                                classifier.read(StudyKeys.BATCH),
                                classifier.read(StudyKeys.LEARNING_RATE),
                                classifier.read(StudyKeys.WEIGHT_DECAY),
                                classifier.read(StudyKeys.LABEL_SMOOTHING),
                                classifier.read(StudyKeys.MIXUP),
                                section.has(StudyKeys.TAIL))));
        int fewest = experiment.shots().stream().reduce(Integer.MAX_VALUE, Math::min);
        if (experiment.tail() > fewest) {
            section.problem(
                    StudyKeys.TAIL,
                    "at most the smallest number of shots, " + fewest,
                    experiment.tail(),
                    "lower it, or raise shots");
        }
        if (arms.stream().map(Arm::name).distinct().count() < arms.size()) {
            section.problem(
                    StudyKeys.ARMS,
                    "arms with different names",
                    arms.stream().map(Arm::name).toList(),
                    "rename one");
        }
        for (Arm arm : arms) {
            for (String method : arm.methods()) {
                for (int shots : experiment.shots()) {
                    try {
                        arm.entry(heading.name(), method, experiment.least(shots), experiment.made(shots));
                    } catch (IllegalArgumentException e) {
                        section.refuse(
                                StudyKeys.ARMS, "arm " + arm.name() + " with " + shots + " shots: " + e.getMessage());
                    }
                }
            }
        }
        return experiment;
    }

    private Arm arm(Section section, ObjectNode base) {
        JsonNode changes = section.find(StudyKeys.ARM_SETTINGS).orElseGet(JsonNodeFactory.instance::objectNode);
        ObjectNode tree = changed(section, "", base, changes, ONE_DATASET);
        Arm arm = new Arm(
                section.find(StudyKeys.ARM).orElse(""),
                run(tree, problems),
                texts(section.read(StudyKeys.MAKING_METHODS)),
                section.read(StudyKeys.TOGETHER),
                section.read(StudyKeys.MAKING_INPUTS).value(),
                new Arm.Drawing(
                        section.read(StudyKeys.MAKING_WEIGHTS).text(),
                        section.read(RunKeys.ACROSS),
                        section.find(RunKeys.INPUT_NEIGHBOURS).orElse(0),
                        section.find(RunKeys.CONTEXTS).orElse(List.of()),
                        section.read(RunKeys.CONTEXT_SHARE),
                        section.find(RunKeys.MIXTURE_GUIDANCE).orElse(List.of())));
        checkDrawing(arm, tree);
        return arm;
    }

    /** Notes what a run of an arm would refuse, were there images enough. */
    private void checkDrawing(Arm arm, ObjectNode tree) {
        List<RunConfig.Mixing> entries = new ArrayList<>();
        for (String method : arm.methods()) {
            try {
                entries.add(arm.entry(arm.name(), method, 2 * arm.inputs().most(), new MixtureCount.Fixed(1)));
            } catch (IllegalArgumentException e) {
                return; // said of the shots
            }
        }
        tree.set("mixing", mixing(entries, JsonNodeFactory.instance.objectNode()));
        config(tree, problems);
    }

    private static List<String> texts(List<? extends Spelled<?>> values) {
        return values.stream().map(Spelled::text).toList();
    }

    /**
     * The base configuration with a section's own values, on its classes alone or on all where it names none; nothing
     * is measured.
     */
    private RunConfig unmeasured(Section section) {
        List<String> classes = section.find(StudyKeys.CLASSES).orElse(List.of());
        JsonNode changes = section.find(StudyKeys.VALUES).orElseGet(JsonNodeFactory.instance::objectNode);
        ObjectNode tree = changed(section, "", run, changes, ONE_DATASET);
        tree.remove("evaluation");
        if (!classes.isEmpty()) {
            ArrayNode folders = tree.withObject("/input").putArray("folders");
            classes.forEach(folders::add);
        }
        return run(tree, problems);
    }

    private Cells cells(Section section, Heading heading, ObjectNode base, List<String> classes, int count) {
        String factor = section.read(StudyKeys.FACTOR);
        Map<String, JsonNode> values = new LinkedHashMap<>();
        section.find(StudyKeys.SETTINGS)
                .ifPresent(given -> given.properties().forEach(entry -> values.put(entry.getKey(), entry.getValue())));
        Cells cells = new Cells(
                factor,
                List.of(),
                texts(section.read(StudyKeys.METHODS)),
                texts(section.read(StudyKeys.INPUTS)),
                texts(section.read(StudyKeys.WEIGHTS)),
                section.read(StudyKeys.POOLS).stream()
                        .map(Recipe.Pool::toString)
                        .toList(),
                count);
        try {
            cells.entries(heading.name());
        } catch (IllegalArgumentException e) {
            section.refuse(StudyKeys.METHODS, e.getMessage());
            return cells;
        }
        if (values.size() > 1 && factor.isBlank()) {
            section.problem(
                    StudyKeys.FACTOR, "what differs between the settings", "nothing", "name it, such as guidance");
        }
        List<Setting> settings = new ArrayList<>();
        Map<String, JsonNode> all = values.isEmpty() ? Map.of("", JsonNodeFactory.instance.objectNode()) : values;
        for (Map.Entry<String, JsonNode> setting : all.entrySet()) {
            ObjectNode changes = JsonNodeFactory.instance.objectNode();
            ObjectNode ofMixing = JsonNodeFactory.instance.objectNode();
            setting.getValue().properties().forEach(change -> {
                String key = change.getKey();
                boolean mixing = key.startsWith(MIXING) && OF_MIXING.contains(key.substring(MIXING.length()));
                (mixing ? ofMixing : changes).set(mixing ? key.substring(MIXING.length()) : key, change.getValue());
            });
            ObjectNode tree = changed(
                    section,
                    setting.getKey(),
                    base,
                    setting.getValue().isObject() ? changes : setting.getValue(),
                    ONE_DATASET);
            if (!classes.isEmpty()) {
                ArrayNode folders = tree.withObject("/input").putArray("folders");
                classes.forEach(folders::add);
            }
            String name = ofMixing.isEmpty() ? heading.name() : heading.name() + " " + setting.getKey();
            tree.set("mixing", mixing(cells.entries(name), ofMixing));
            settings.add(new Setting(setting.getKey(), config(tree, problems), name));
        }
        return new Cells(factor, settings, cells.methods(), cells.inputs(), cells.weights(), cells.pools(), count);
    }

    /** The base configuration with other values by key path. */
    private static ObjectNode changed(
            Section section, String label, ObjectNode base, JsonNode changes, Set<String> fixed) {
        Field settings = label.isEmpty() ? StudyKeys.SETTINGS : Block.of("settings." + label, "");
        ObjectNode tree = base.deepCopy();
        if (!changes.isObject()) {
            section.problem(
                    settings, "key paths of run with values, such as generation.guidance: 4", changes, "write them");
        }
        for (Map.Entry<String, JsonNode> change : changes.properties()) {
            List<String> path = List.of(change.getKey().split("\\.", -1));
            if (fixed.contains(change.getKey())
                    || path.get(0).equals("mixing")
                    || !ConfigFile.set(tree, path, change.getValue())) {
                section.problem(
                        settings,
                        "a key path of run that may differ here",
                        change.getKey(),
                        "a study has one dataset, and its experiments say what is mixed, but for "
                                + String.join(
                                        ", ",
                                        OF_MIXING.stream()
                                                .map(key -> MIXING + key)
                                                .toList())
                                + " of a grid or of curves; check the path");
            }
        }
        return tree;
    }

    /** The entries as a run configuration has them. */
    private static ArrayNode mixing(List<RunConfig.Mixing> entries, ObjectNode more) {
        ArrayNode mixing = JsonNodeFactory.instance.arrayNode();
        for (RunConfig.Mixing entry : entries) {
            ObjectNode node = mixing.addObject()
                    .put("name", entry.name())
                    .put("weights", entry.weights().text())
                    .put("pool", entry.pool().toString())
                    .put("count", entry.count().number())
                    .put("export", entry.export());
            ArrayNode methods = node.putArray("methods");
            entry.methods().forEach(method -> methods.add(method.text()));
            ArrayNode inputs = node.putArray("inputs");
            entry.inputs().forEach(count -> inputs.add(count.text()));
            node.put("across", entry.across().toString()).put("context_share", entry.contextShare());
            if (entry.neighbours() > 0) {
                node.put("neighbours", entry.neighbours());
            }
            if (!entry.contexts().isEmpty()) {
                entry.contexts().forEach(node.putArray("contexts")::add);
            }
            if (!entry.guidance().isEmpty()) {
                entry.guidance().forEach(node.putArray("guidance")::add);
            }
            node.setAll(more);
        }
        return mixing;
    }
}
