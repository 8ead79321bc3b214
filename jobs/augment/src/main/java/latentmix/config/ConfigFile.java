package latentmix.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Arc;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Prompt;
import latentmix.latent.Sdedit;
import latentmix.latent.WeightSampler;
import latentmix.schedule.Solver;

/**
 * Reads a {@link RunConfig} from YAML and {@code --set} overrides. Every key but {@code input.root} and
 * {@code model.checkpoint} has a default; keys are written in snake_case; unknown ones are refused.
 */
public final class ConfigFile {
    private static final String DEMO = "/latentmix/conf/demo.yaml";

    private static final ObjectMapper YAML =
            new ObjectMapper(YAMLFactory.builder().build()).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    private static final int MOST = 1_000_000;
    private static final List<String> DTYPES = List.of("float32", "bfloat16", "float16");

    private static final List<String> SOLVERS = choices(
            Solver.DDIM, Solver.DPM_SOLVER_2M, Solver.DPM_SOLVER_3M, Solver.EULER, Solver.MIDPOINT, Solver.FIREFLOW);

    private ConfigFile() {}

    /**
     * Reads a file.
     *
     * @param overrides {@code key.path=value} each; a value is YAML; a list's entries are addressed by their position,
     *     or all at once without one
     * @throws ConfigException with every problem there is
     */
    public static RunConfig read(Path file, List<String> overrides) {
        try {
            return parse(Files.readString(file), file.toString(), overrides);
        } catch (IOException e) {
            throw new ConfigException(List.of(
                    "--config: expected a YAML file that can be read, got " + file + " (" + e + "); check the path"));
        }
    }

    /** The demo's configuration, which is inside the jar. */
    public static RunConfig demo(List<String> overrides) throws IOException {
        try (InputStream in = ConfigFile.class.getResourceAsStream(DEMO)) {
            if (in == null) {
                throw new FileNotFoundException("expected " + DEMO + " in the jar; build it again");
            }
            return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), DEMO, overrides);
        }
    }

    /**
     * Reads a text.
     *
     * @param source where it comes from, for messages
     * @throws ConfigException with every problem there is
     */
    public static RunConfig parse(String yaml, String source, List<String> overrides) {
        List<String> problems = new ArrayList<>();
        ObjectNode tree = tree(yaml, source);
        canonical(tree);
        for (String override : overrides) {
            override(tree, override, problems);
        }
        RunConfig config = config(new Section("", tree, problems));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return config;
    }

    /** The run configuration in this section, whose problems are noted with it. */
    public static RunConfig config(Section file) {
        RunConfig.Input input = input(file.section("input"));
        RunConfig.Model model = model(file.section("model"));
        RunConfig config = new RunConfig(
                input,
                model,
                prompt(file.section("prompt")),
                inversion(file.section("inversion")),
                mixing(file.sections("mixing")),
                generation(file.section("generation")),
                export(file.section("export")),
                file.has("evaluation") ? evaluation(file.section("evaluation")) : null,
                run(file.section("run"), model.batch()));
        checkStrengths(file, config);
        wayBack(config, file.section("inversion"));
        file.end();
        return config;
    }

    public static RunConfig.Input input(Section section) {
        RunConfig.Input input = new RunConfig.Input(
                section.text("root", ConfigFile::locate),
                section.textOrNull("classes", ConfigFile::locate),
                section.whole("max_pixels", 100_000_000, 1, Integer.MAX_VALUE),
                section.texts("folders", List.of(), folder -> {}),
                section.countOrNull("limit", 1, MOST, "leave it out for all"));
        section.end();
        return input;
    }

    private static RunConfig.Model model(Section section) {
        RunConfig.Model model = new RunConfig.Model(
                section.text("checkpoint", ConfigFile::locate),
                section.choice("dtype", "float32", DTYPES),
                section.count("batch", 32, 1, MOST),
                section.count("threads", 1, 1, 1024),
                section.choice("device", "auto", List.of("auto", "cpu", "gpu")),
                section.countOrNull("size", 8, 8192, "leave it out for the model's own"));
        if (model.dtype().equals("float16") && model.device().equals("cpu")) {
            section.problem(
                    "dtype",
                    "float32 or bfloat16 on a CPU, which computes float16 by converting every number",
                    model.dtype(),
                    "use bfloat16, or model.device: gpu");
        }
        section.end();
        return model;
    }

    public static RunConfig.Prompt prompt(Section section) {
        RunConfig.Prompt prompt = new RunConfig.Prompt(
                section.text("template", "a photo of a {class}"),
                section.textByKey("classes"),
                section.text("negative", ""));
        section.end();
        return prompt;
    }

    private static RunConfig.Inversion inversion(Section section) {
        RunConfig.Inversion inversion = new RunConfig.Inversion(
                section.text("method", RunConfig.AUTO, ConfigFile::inversionMethod),
                section.choiceOrNull("dtype", DTYPES),
                steps(section),
                guidance(section, 1));
        section.end();
        return inversion;
    }

    private static void inversionMethod(String spelling) {
        if (!spelling.equals(RunConfig.AUTO)) {
            InversionMethod.parse(spelling, 1);
        }
    }

    /** Notes where the inversion and the way back do not fit each other. */
    private static void wayBack(RunConfig config, Section section) {
        RunConfig.Inversion inversion = config.inversion();
        RunConfig.Generation generation = config.generation();
        InversionMethod method = config.inversionMethod();
        boolean nullText = method instanceof InversionMethod.NullText;
        if ((nullText || method instanceof InversionMethod.NegativePrompt) && inversion.guidance() > 1) {
            section.problem(
                    "guidance",
                    "1 with " + inversion.method() + ", which finds or replaces the unconditional branch afterwards",
                    inversion.guidance(),
                    "set it to 1; generation.guidance is another setting");
        }
        if (nullText && generation.guidance() <= 1) {
            section.problem(
                    "method",
                    "a generation.guidance above 1 with null-text, which finds embeddings for it",
                    generation.guidance(),
                    "set generation.guidance, or use ddim");
        }
        if (method instanceof InversionMethod.NullText stated
                && stated.guidance() != generation.guidance()
                && generation.guidance() > 1) {
            section.problem(
                    "method",
                    "the guidance of generation.guidance = " + generation.guidance(),
                    stated.guidance(),
                    "leave guidance= out");
        }
        if (method.hasCompanion() && inversion.steps() != generation.steps()) {
            section.problem(
                    "steps",
                    "generation.steps = " + generation.steps() + " with " + inversion.method()
                            + ", whose way back takes the same steps",
                    inversion.steps(),
                    "set both to one number");
        }
        if (nullText && !config.inversionDtype().equals("float32")) {
            section.problem(
                    "dtype",
                    "float32 with null-text, whose small gradients others lose",
                    config.inversionDtype(),
                    "set inversion.dtype: float32");
        }
        if (method.hasCompanion()
                && !List.of(RunConfig.AUTO, Solver.DDIM.toString()).contains(generation.solver())) {
            section.problem(
                    "method",
                    "generation.solver: ddim with " + inversion.method() + ", whose way back is DDIM's own steps",
                    generation.solver(),
                    "leave generation.solver out, or use another inversion");
        }
        if (!generation.guidanceInterval().isEmpty()
                && (nullText || method instanceof InversionMethod.NegativePrompt)) {
            section.problem(
                    "method",
                    "no generation.guidance_interval with " + inversion.method()
                            + ", which is for guidance in every step",
                    generation.guidanceInterval(),
                    "leave the interval out, or use another inversion");
        }
        if (method.hasCompanion()) {
            config.mixing().stream()
                    .flatMap(entry -> entry.methods().stream())
                    .map(Method::parse)
                    .filter(mixing -> mixing instanceof Sdedit || mixing instanceof Prompt || mixing instanceof Arc)
                    .distinct()
                    .forEach(mixing -> section.problem(
                            "method",
                            "no mixing by " + mixing + " with " + inversion.method()
                                    + ": what is kept beside each image's noise is mixed by the mixture's weights",
                            mixing,
                            "take it out of mixing, or use another inversion"));
        }
        if (method instanceof InversionMethod.Bdia
                && !config.inversionDtype().equals(config.model().dtype())) {
            section.problem(
                    "dtype",
                    "model.dtype = " + config.model().dtype()
                            + " with bdia, which is exact where both ways compute alike",
                    config.inversionDtype(),
                    "leave inversion.dtype out");
        }
        if (config.inversionDtype().equals("float16")
                && config.model().device().equals("cpu")
                && inversion.dtype() != null) {
            section.problem(
                    "dtype", "float32 or bfloat16 on a CPU", inversion.dtype(), "use float32, or model.device: gpu");
        }
    }

    private static RunConfig.Generation generation(Section section) {
        RunConfig.Generation generation = new RunConfig.Generation(
                steps(section),
                guidance(section, 7.5),
                section.interval("guidance_interval"),
                section.choice("solver", RunConfig.AUTO, SOLVERS));
        if (!generation.guidanceInterval().isEmpty() && generation.guidance() <= 1) {
            section.problem(
                    "guidance_interval",
                    "a generation.guidance above 1 beside it: at 1 no timestep is guided",
                    generation.guidanceInterval(),
                    "raise generation.guidance, or leave the interval out");
        }
        section.end();
        return generation;
    }

    /** Refuses methods that begin so late in the sampling table that no step is left. */
    private static void checkStrengths(Section file, RunConfig config) {
        for (int i = 0; i < config.mixing().size(); i++) {
            for (String method : config.mixing().get(i).methods()) {
                if (Method.parse(method).strength() * config.generation().steps() < 1) {
                    file.refuse(
                            "mixing." + i + ".methods",
                            "Method " + method
                                    + " must take at least 1 of the last sampling steps, cannot take its share"
                                    + " of generation.steps = "
                                    + config.generation().steps() + "; raise one of the two");
                }
            }
        }
    }

    private static List<RunConfig.Mixing> mixing(List<Section> sections) {
        List<RunConfig.Mixing> entries = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Section section : sections) {
            String name = section.text("name", "mixing-" + entries.size());
            List<String> methods = section.texts("methods", List.of("nin/chm"), Method::parse);
            List<String> inputs = section.texts("inputs", List.of("8"), InputCount::parse);
            for (String method : methods) {
                for (String count : inputs) {
                    Method.parse(method)
                            .inputError(InputCount.parse(count))
                            .ifPresent(error -> section.refuse("inputs", error));
                }
            }
            String weights = section.text("weights", "dirichlet(1)", spelling -> {
                WeightSampler sampler = WeightSampler.parse(spelling);
                inputs.forEach(count -> sampler.requireInputs(InputCount.parse(count)));
            });
            RunConfig.Mixing entry = new RunConfig.Mixing(
                    name,
                    methods,
                    inputs,
                    weights,
                    section.choice("pool", "all", List.of("all", "leave-inputs-out")),
                    Gate.parse(section.text("gate", "off", Gate::parse)).toString(),
                    section.count("count", 10, 1, 1_000_000_000),
                    section.onByDefault("export"));
            section.end();
            if (!entry.name().matches("[A-Za-z0-9_-]+")) {
                section.problem("name", "letters, digits, - and _", entry.name(), "rename the entry");
            }
            if (!names.add(entry.name())) {
                section.problem("name", "a name of its own for each entry", entry.name(), "rename one of the two");
            }
            entries.add(entry);
        }
        return entries;
    }

    private static RunConfig.Export export(Section section) {
        RunConfig.Export export = new RunConfig.Export(section.choice("format", "png", List.of("png")));
        section.end();
        return export;
    }

    private static RunConfig.Evaluation evaluation(Section section) {
        RunConfig.Evaluation evaluation = new RunConfig.Evaluation(
                section.textOrNull("reference", ConfigFile::locate),
                section.text("classifier", RunConfig.AUTO, ConfigFile::locate),
                section.textOrNull("clip", ConfigFile::locate),
                section.has("inception") ? inception(section.section("inception")) : null,
                section.count("sample", 2000, 2, 20_000),
                section.count("neighbours", 5, 1, 1000),
                section.count("batch", 64, 1, MOST));
        section.end();
        return evaluation;
    }

    private static RunConfig.Inception inception(Section section) {
        RunConfig.Inception inception = new RunConfig.Inception(
                section.text("file", ConfigFile::locate), section.text("sha256").toLowerCase(Locale.ROOT));
        if (!inception.sha256().matches("[0-9a-f]{64}")) {
            section.problem(
                    "sha256",
                    "the file's SHA-256, 64 hex digits: a TorchScript file is a program, and no other one is run",
                    inception.sha256(),
                    "take it from where the file is published, and compare it with sha256sum");
        }
        section.end();
        return inception;
    }

    private static RunConfig.Run run(Section section, int batch) {
        RunConfig.Run run = new RunConfig.Run(
                section.whole("seed", 0, Long.MIN_VALUE, Long.MAX_VALUE),
                section.count("chunk", 64, 1, MOST),
                section.number("max_rejected", 0.05, 0, 1));
        if (run.chunk() % batch != 0) {
            section.problem(
                    "chunk",
                    "whole micro-batches of model.batch = " + batch + " rows",
                    run.chunk(),
                    "set it to a multiple of model.batch");
        }
        section.end();
        return run;
    }

    private static List<String> choices(Solver... solvers) {
        return Stream.concat(Stream.of(RunConfig.AUTO), Stream.of(solvers).map(Solver::toString))
                .toList();
    }

    private static int steps(Section section) {
        return section.count("steps", 50, 1, 1000);
    }

    private static double guidance(Section section, double otherwise) {
        return section.number("guidance", otherwise, 0, 1000);
    }

    public static void locate(String location) {
        requireNoCredentials(location);
        if (!BuiltIn.resolvable(location)) {
            throw new IllegalArgumentException("expected a path or one of " + String.join(", ", BuiltIn.locations())
                    + ", got " + location + "; check the spelling");
        }
    }

    /** Refuses a location such as {@code s3a://key:secret@bucket}, which logs and reports would show. */
    public static void requireNoCredentials(String location) {
        if (location.matches("[A-Za-z][A-Za-z0-9+.-]*://[^/]*@.*")) {
            throw new IllegalArgumentException("expected a location without credentials, got some before an @; set"
                    + " fs.s3a.access.key and fs.s3a.secret.key, or the environment");
        }
    }

    public static ObjectNode tree(String yaml, String source) {
        try {
            JsonNode tree = YAML.readTree(yaml);
            if (tree.isMissingNode() || tree.isNull()) {
                return YAML.createObjectNode();
            }
            if (tree instanceof ObjectNode object) {
                return object;
            }
            throw new ConfigException(List.of(
                    source + ": expected keys with values, got " + tree + "; begin with `input:` and `model:`"));
        } catch (JsonProcessingException e) {
            throw new ConfigException(List.of(source + ": expected YAML, got " + e.getOriginalMessage() + " in line "
                    + e.getLocation().getLineNr() + "; correct that line"));
        }
    }

    /** Spells {@code mixing.method} as {@code mixing.methods}, so that both may be written. */
    public static void canonical(ObjectNode tree) {
        for (JsonNode entry : tree.path("mixing")) {
            if (entry instanceof ObjectNode object && object.has("method") && !object.has("methods")) {
                object.set("methods", object.remove("method"));
            }
        }
    }

    public static void override(ObjectNode tree, String override, List<String> problems) {
        int equals = override.indexOf('=');
        if (equals < 1) {
            problems.add("--set: expected key.path=value, got " + override + "; write for example generation.steps=20");
            return;
        }
        String key = override.substring(0, equals);
        List<String> path = new ArrayList<>(List.of(key.split("\\.", -1)));
        if (path.get(0).equals("mixing") && path.get(path.size() - 1).equals("method")) {
            path.set(path.size() - 1, "methods");
        }
        try {
            JsonNode value = YAML.readTree(override.substring(equals + 1));
            JsonNode given = value.isMissingNode() ? YAML.getNodeFactory().textNode("") : value;
            if (!set(tree, path, given)) {
                problems.add(key + ": expected a key or an entry that is there, got --set " + override
                        + "; check the path against the file");
            }
        } catch (JsonProcessingException e) {
            problems.add(key + ": expected YAML after the =, got --set " + override + "; quote it if it is a text");
        }
    }

    /** Sets a value below a node; {@code false} where the path leads nowhere. */
    public static boolean set(JsonNode node, List<String> path, JsonNode value) {
        String key = path.get(0);
        List<String> rest = path.subList(1, path.size());
        if (node instanceof ArrayNode array) {
            if (!key.matches("\\d{1,9}")) {
                boolean all = !array.isEmpty();
                for (JsonNode entry : array) {
                    all &= set(entry, path, value);
                }
                return all;
            }
            int index = Integer.parseInt(key);
            if (index >= array.size()) {
                return false;
            }
            if (rest.isEmpty()) {
                array.set(index, value);
                return true;
            }
            return set(array.get(index), rest, value);
        }
        if (!(node instanceof ObjectNode object)) {
            return false;
        }
        if (rest.isEmpty()) {
            object.set(key, value);
            return true;
        }
        JsonNode child = object.path(key);
        if (child.isMissingNode() || child.isNull()) {
            boolean list = key.equals("mixing");
            child = list ? object.putArray(key) : object.putObject(key);
            if (list) {
                ((ArrayNode) child).addObject();
            }
        }
        return set(child, rest, value);
    }
}
