package latentmix.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Embedding;
import latentmix.checkpoint.Lora;
import latentmix.inversion.InversionMethod;
import latentmix.latent.Arc;
import latentmix.latent.DiffMix;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.MixturePrompt;
import latentmix.latent.Prompt;
import latentmix.latent.Sdedit;
import latentmix.latent.WeightSampler;
import latentmix.metric.Threshold;
import latentmix.model.Dtype;
import latentmix.schedule.Solver;

/**
 * Reads a {@link RunConfig} from YAML and {@code --set} overrides. Every key but {@code input.root} and
 * {@code model.checkpoint} has a default; keys are written in snake_case; unknown ones are refused.
 */
public final class ConfigFile {
    /** What a template may have between braces. */
    private static final List<String> PLACEHOLDERS = List.of("{class}", "{index}");

    /** What a context may have between braces. */
    private static final List<String> CONTEXT_PLACE = List.of("{prompt}");

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\s*\\w*\\s*}|\\{class\\b|\\bclass}");

    private ConfigFile() {}

    /**
     * Reads a file.
     *
     * @param overrides {@code key.path=value} each; a value is YAML; a list's entries are addressed by their position,
     *     or all at once without one
     * @throws ConfigException with every problem there is
     */
    public static RunConfig read(Path file, List<String> overrides) {
        return parse(text(file), file.toString(), overrides);
    }

    /**
     * The text of a configuration file.
     *
     * @throws ConfigException if it is none
     */
    public static String text(Path file) {
        if (Files.isDirectory(file)) {
            throw refused("got the folder " + file + "; name the file in it");
        }
        String text;
        try {
            text = Files.readString(file);
        } catch (CharacterCodingException e) {
            throw refused("got " + file + ", which is binary or not in UTF-8; check the path");
        } catch (NoSuchFileException e) {
            throw refused("got " + file + ", which is not there; check the path");
        } catch (IOException | SecurityException e) {
            throw refused("got " + file + " (" + e + "); check the path");
        }
        if (text.chars().anyMatch(c -> c < ' ' && !Character.isWhitespace(c))) {
            throw refused("got " + file + ", which is binary; check the path");
        }
        if (text.isBlank()) {
            throw refused("got the empty file " + file + "; docs/configuration.md lists the keys");
        }
        return text;
    }

    private static ConfigException refused(String got) {
        return new ConfigException(List.of("--config: expected a YAML file, " + got));
    }

    /** A demo's configuration, which is inside the jar. */
    public static RunConfig demo(Demo demo, List<String> overrides) throws IOException {
        try (InputStream in = ConfigFile.class.getResourceAsStream(demo.resource())) {
            if (in == null) {
                throw new FileNotFoundException("expected " + demo.resource() + " in the jar; build it again");
            }
            return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), demo.resource(), overrides);
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
        RunConfig config = config(new Section("", tree, RunKeys.RUN, problems));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return config;
    }

    /** The run configuration in this section of {@link RunKeys#RUN}; what is wrong is noted there. */
    public static RunConfig config(Section file) {
        RunConfig.Input input = input(file.section(RunKeys.INPUT));
        RunConfig.Model model = model(file.section(RunKeys.MODEL));
        RunConfig.Generation generation = generation(file.section(RunKeys.GENERATION));
        Section prompt = file.section(RunKeys.PROMPT);
        Section inversion = file.section(RunKeys.INVERSION);
        List<Section> entries = file.sections(RunKeys.MIXING);
        RunConfig.Evaluation evaluation =
                file.has(RunKeys.EVALUATION) ? evaluation(file.section(RunKeys.EVALUATION)) : null;
        RunConfig config = new RunConfig(
                input,
                model,
                captioned(prompt),
                file.has(RunKeys.ADAPT) ? Optional.of(adapt(file.section(RunKeys.ADAPT))) : Optional.empty(),
                inversion(inversion, generation.guidance()),
                mixing(entries),
                generation,
                file.has(RunKeys.FILTER) ? Optional.of(filter(file.section(RunKeys.FILTER))) : Optional.empty(),
                export(file.section(RunKeys.EXPORT)),
                evaluation,
                leakage(file, input, evaluation),
                run(file.section(RunKeys.WORK), model.batch()));
        checkMixturePrompt(config, prompt);
        checkSoft(file, entries, config);
        checkStrengths(entries, config);
        checkDrawn(entries, config);
        checkNetworks(file, config);
        wayBack(config, inversion);
        checkToken(config, prompt);
        return config;
    }

    private static RunConfig.Adapt adapt(Section section) {
        RunConfig.AdaptMethod method = section.read(RunKeys.ADAPT_METHOD);
        if (!method.learnsToken()) {
            leaveOut(section, method, "learns no token", RunKeys.ADAPT_VECTORS, RunKeys.ADAPT_RATE);
        }
        if (!method.learnsLora()) {
            leaveOut(
                    section,
                    method,
                    "learns no LoRA",
                    RunKeys.ADAPT_SCOPE,
                    RunKeys.ADAPT_RANK,
                    RunKeys.ADAPT_ALPHA,
                    RunKeys.ADAPT_LORA_RATE,
                    RunKeys.ADAPT_PROMPT_DROPOUT);
        }
        int rank = section.read(RunKeys.ADAPT_RANK);
        RunConfig.AdaptLora lora = new RunConfig.AdaptLora(
                rank,
                section.find(RunKeys.ADAPT_ALPHA).orElse((double) rank),
                section.read(RunKeys.ADAPT_LORA_RATE),
                section.read(RunKeys.ADAPT_PROMPT_DROPOUT));
        return new RunConfig.Adapt(
                method,
                section.read(RunKeys.ADAPT_SCOPE),
                section.find(RunKeys.ADAPT_VECTORS),
                section.read(RunKeys.ADAPT_STEPS),
                section.read(RunKeys.ADAPT_RATE),
                section.read(RunKeys.ADAPT_BATCH),
                section.read(RunKeys.ADAPT_MIN_SNR),
                section.read(RunKeys.ADAPT_FLIP),
                method.learnsLora() ? Optional.of(lora) : Optional.empty());
    }

    /** Notes keys that this method does not read. */
    private static void leaveOut(Section section, RunConfig.AdaptMethod method, String why, Key<?>... keys) {
        for (Key<?> key : keys) {
            if (section.has(key)) {
                section.problem(
                        key,
                        "no such key with method: " + method + ", which " + why,
                        "one",
                        "leave it out, or set method: both");
            }
        }
    }

    /** Notes prompts that have no place for what tells a network what is learnt. */
    private static void checkToken(RunConfig config, Section section) {
        if (config.adapt().isEmpty()) {
            return;
        }
        RunConfig.Prompt prompt = config.prompt();
        boolean token = config.adapt().get().method().learnsToken();
        if (token && !prompt.template().contains(PLACEHOLDERS.get(0))) {
            section.problem(
                    RunKeys.TEMPLATE,
                    "{class} with adapt, where the token of what is learnt stands",
                    prompt.template(),
                    "write {class} into it");
        }
        if (token && prompt.template().contains(PLACEHOLDERS.get(1))) {
            section.problem(
                    RunKeys.TEMPLATE,
                    "{class} alone with adapt, since a class's number is no part of what is learnt",
                    prompt.template(),
                    "take {index} out of it");
        }
        if (token && !prompt.classes().isEmpty()) {
            section.problem(
                    RunKeys.PROMPTS,
                    "no prompts of their own with adapt, in which the token of what is learnt has no place",
                    String.join(", ", prompt.classes().keySet()),
                    "leave them out, and name classes in input.classes");
        }
        if (prompt.from() == RunConfig.PromptFrom.CAPTION) {
            section.problem(
                    RunKeys.FROM,
                    "class with adapt: captions do not tell what is learnt",
                    RunConfig.PromptFrom.CAPTION,
                    "leave prompt.from out, or adapt");
        }
    }

    private static RunConfig.Export export(Section section) {
        return new RunConfig.Export(
                section.read(RunKeys.FORMAT),
                section.read(RunKeys.FORMATS),
                section.read(RunKeys.SHARD_MB),
                section.read(RunKeys.REAL),
                section.read(RunKeys.MARK),
                section.read(RunKeys.LICENSE),
                section.read(RunKeys.SOFT_LABELS));
    }

    /** What is in a section of {@link RunKeys#INPUT}. */
    public static RunConfig.Input input(Section section) {
        Map<String, String> columns = section.find(RunKeys.COLUMNS).orElse(Map.of());
        if (!Set.of("image", "label", "caption").containsAll(columns.keySet())) {
            section.problem(
                    RunKeys.COLUMNS,
                    "names for image, label and caption",
                    String.join(", ", columns.keySet()),
                    "write {image: …, label: …, caption: …}, or some of them");
        }
        return new RunConfig.Input(
                section.find(RunKeys.ROOT).orElse(""),
                section.find(RunKeys.CLASSES).orElse(null),
                section.read(RunKeys.MAX_PIXELS),
                section.find(RunKeys.FOLDERS).orElse(List.of()),
                section.find(RunKeys.LIMIT).orElse(null),
                section.read(RunKeys.CONFLICTS),
                section.read(RunKeys.INPUT_FORMAT),
                columns);
    }

    /**
     * A checkpoint that the command line names.
     *
     * @param overrides {@code model.key=value} each, of those keys that a checkpoint's parts have
     * @throws ConfigException with every problem there is
     */
    public static CheckpointSpec checkpoint(String location, List<String> overrides) {
        List<String> problems = new ArrayList<>();
        ObjectNode tree = YamlText.object();
        tree.putObject(RunKeys.PARTS.name()).put(RunKeys.CHECKPOINT.name(), location);
        overrides.forEach(override -> override(tree, override, problems));
        CheckpointSpec spec =
                checkpoint(new Section("", tree, Block.of("", "", RunKeys.PARTS), problems).section(RunKeys.PARTS));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return spec;
    }

    private static CheckpointSpec checkpoint(Section section) {
        CheckpointSpec published =
                CheckpointSpec.of(section.find(RunKeys.CHECKPOINT).orElse(""));
        CheckpointSpec spec = section.find(RunKeys.SCHEDULER)
                .map(published::withScheduler)
                .orElse(published)
                .withVae(section.find(RunKeys.VAE).orElse(""))
                .withVariant(section.find(RunKeys.VARIANT).orElse(""))
                .withLoras(entries(section, RunKeys.LORAS).stream()
                        .map(entry -> new Lora(entry.find(RunKeys.ADDED_FILE).orElse(""), entry.read(RunKeys.SCALE)))
                        .toList())
                .withEmbeddings(entries(section, RunKeys.EMBEDDINGS).stream()
                        .map(entry -> new Embedding(
                                entry.find(RunKeys.ADDED_FILE).orElse(""),
                                entry.find(RunKeys.TOKEN).orElse("")))
                        .toList());
        return section.find(RunKeys.TEXT_ENCODER_3).isPresent() ? spec.withoutT5() : spec;
    }

    /** The entries of a list that may be absent. */
    private static List<Section> entries(Section section, Entries entries) {
        return section.has(entries) ? section.sections(entries) : List.of();
    }

    private static RunConfig.Model model(Section section) {
        RunConfig.Model model = new RunConfig.Model(
                checkpoint(section),
                section.read(RunKeys.DTYPE),
                section.read(RunKeys.BATCH),
                section.read(RunKeys.THREADS),
                section.read(RunKeys.DEVICE),
                section.find(RunKeys.SIZE).orElse(null));
        if (model.dtype() == Dtype.FLOAT16 && model.device() == RunConfig.Device.CPU) {
            section.problem(
                    RunKeys.DTYPE,
                    "float32 or bfloat16 on a CPU, which computes float16 by converting every number",
                    model.dtype(),
                    "use bfloat16, or model.device: gpu");
        }
        return model;
    }

    private static RunConfig.Prompt captioned(Section section) {
        RunConfig.Prompt own = prompt(section);
        return new RunConfig.Prompt(
                own.template(),
                own.classes(),
                own.negative(),
                section.read(RunKeys.FROM),
                section.read(RunKeys.MIXTURE_PROMPT));
    }

    /** Notes mixtures' prompts of which there is only one to choose, or of which not all mixtures have one. */
    private static void checkMixturePrompt(RunConfig config, Section section) {
        MixturePrompt mixture = config.prompt().mixture();
        boolean across = config.mixing().stream().anyMatch(entry -> entry.across() == RunConfig.Across.CLASSES);
        if (config.prompt().from() == RunConfig.PromptFrom.CLASS
                && mixture != MixturePrompt.CLASS
                && !(across && mixture == MixturePrompt.MIX)) {
            section.problem(
                    RunKeys.MIXTURE_PROMPT,
                    "class without captions, which prompt.from: caption takes",
                    mixture,
                    "set prompt.from: caption, or leave prompt.mixture out");
        }
        if (across
                && mixture == MixturePrompt.MIX
                && config.adapt()
                        .filter(adapt -> adapt.method().learnsLora() && adapt.scope() == RunConfig.AdaptScope.CLASS)
                        .isPresent()) {
            section.problem(
                    RunKeys.MIXTURE_PROMPT,
                    "class with across: classes and a LoRA of each class, which have no sum",
                    mixture,
                    "leave prompt.mixture out, set adapt.scope: dataset, or set adapt.method: textual-inversion");
        }
        if (mixture != MixturePrompt.CLASS
                && config.mixing().stream()
                        .flatMap(entry -> entry.methods().stream())
                        .anyMatch(method -> method.value() instanceof DiffMix)) {
            section.problem(
                    RunKeys.MIXTURE_PROMPT,
                    "class with diff-mix, which tells an image of another class the mixture's own class",
                    mixture,
                    "leave prompt.mixture out, or diff-mix");
        }
    }

    /** Notes mixtures of several classes that a method, a sampler, the inversion or a format cannot serve. */
    private static void checkSoft(Section file, List<Section> sections, RunConfig config) {
        RunConfig.Export export = config.export();
        boolean folders = export.formats().contains(RunConfig.DatasetFormat.IMAGES);
        for (int i = 0; i < config.mixing().size(); i++) {
            RunConfig.Mixing entry = config.mixing().get(i);
            Section section = sections.get(i);
            if (entry.across() == RunConfig.Across.CLASSES) {
                checkAcross(section, entry);
            }
            if (entry.isSoft() && config.inversionMethod().hasCompanion()) {
                section.problem(
                        RunKeys.ACROSS,
                        "another inversion than " + config.inversionMethod()
                                + " with mixtures of several classes: what it keeps beside the noise is of one class",
                        entry.methods(),
                        "invert by ddim, or mix within classes");
            }
            for (Spelled<Method> method : entry.methods()) {
                if (method.value() instanceof DiffMix mix
                        && mix.ownShare() < 0.5
                        && entry.export()
                        && folders
                        && export.softLabels() == RunConfig.SoftLabels.HEAVIEST) {
                    section.problem(
                            RunKeys.METHODS,
                            "labels of which the own class has half or more, with export.soft_labels: heaviest",
                            method + ", whose own class has " + Math.round(100 * mix.ownShare()) + " %",
                            "raise its strength, or set export.soft_labels: leave-out");
                }
            }
        }
        if (config.hasSoftLabels() && folders && export.softLabels() == RunConfig.SoftLabels.REFUSE) {
            file.section(RunKeys.EXPORT)
                    .problem(
                            RunKeys.SOFT_LABELS,
                            "heaviest or leave-out with the format images, a folder a class, where mixtures are of"
                                    + " several classes",
                            export.softLabels(),
                            "set it, or set export.formats: [parquet]");
        }
    }

    private static void checkAcross(Section section, RunConfig.Mixing entry) {
        for (Spelled<Method> method : entry.methods()) {
            if (method.value().needsClassMean()) {
                section.problem(
                        RunKeys.METHODS,
                        "methods without a class's mean with across: classes, where inputs are of several",
                        method,
                        "use another split, such as chm, or leave across out");
            }
        }
        entry.inputs().stream()
                .filter(count -> count.value().least() < 2)
                .findFirst()
                .ifPresent(count -> section.problem(
                        RunKeys.INPUTS,
                        "2 inputs or more with across: classes, each of another class",
                        count,
                        "raise it, or leave across out"));
        if (entry.weights().value() instanceof WeightSampler.Path) {
            section.problem(
                    RunKeys.WEIGHTS,
                    "weights other than path(s) with across: classes, whose heaviest input is the own class's",
                    entry.weights(),
                    "use fixed(w1,w2), or leave across out");
        }
    }

    /** What is in a section of {@link RunKeys#CLASS_PROMPT}. */
    public static RunConfig.Prompt prompt(Section section) {
        RunConfig.Prompt prompt = new RunConfig.Prompt(
                section.read(RunKeys.TEMPLATE),
                section.find(RunKeys.PROMPTS).orElse(Map.of()),
                section.read(RunKeys.NEGATIVE));
        checkPlaceholders(section, RunKeys.TEMPLATE, prompt.template(), PLACEHOLDERS);
        prompt.classes().values().forEach(own -> checkPlaceholders(section, RunKeys.PROMPTS, own, List.of()));
        checkPlaceholders(section, RunKeys.NEGATIVE, prompt.negative(), List.of());
        return prompt;
    }

    /** Refuses what stands between braces in a prompt as if something took its place, where nothing does. */
    private static void checkPlaceholders(Section section, Field field, String prompt, List<String> known) {
        Matcher found = PLACEHOLDER.matcher(prompt);
        while (found.find()) {
            String placeholder = found.group();
            if (!known.contains(placeholder)) {
                section.problem(
                        field,
                        known.isEmpty()
                                ? "a prompt without placeholders, which prompt.template alone has"
                                : "no placeholder but " + String.join(", ", known),
                        placeholder,
                        Nearest.to(placeholder, known)
                                .map(word -> "did you mean " + word + "?")
                                .orElse("write the words themselves, without braces"));
            }
        }
    }

    private static RunConfig.Inversion inversion(Section section, double generationGuidance) {
        return new RunConfig.Inversion(
                section.read(RunKeys.INVERSION_METHOD)
                        .map(spelling ->
                                Spelled.parse(spelling, text -> InversionMethod.parse(text, generationGuidance))),
                section.find(RunKeys.INVERSION_DTYPE),
                section.read(RunKeys.INVERSION_STEPS),
                section.read(RunKeys.INVERSION_GUIDANCE),
                section.read(RunKeys.FORWARD_FIRST));
    }

    /** Notes where the inversion and the way back do not fit each other. */
    private static void wayBack(RunConfig config, Section section) {
        RunConfig.Inversion inversion = config.inversion();
        RunConfig.Generation generation = config.generation();
        InversionMethod method = config.inversionMethod();
        String spelling = inversion.method().map(Spelled::text).orElse(RunConfig.AUTO);
        boolean nullText = method instanceof InversionMethod.NullText;
        if ((nullText || method instanceof InversionMethod.NegativePrompt) && inversion.guidance() > 1) {
            section.problem(
                    RunKeys.INVERSION_GUIDANCE,
                    "1 with " + spelling + ", which finds or replaces the unconditional branch afterwards",
                    inversion.guidance(),
                    "set it to 1; generation.guidance is another setting");
        }
        if (method instanceof InversionMethod.NegativePrompt
                && config.prompt().from() == RunConfig.PromptFrom.CAPTION) {
            section.problem(
                    RunKeys.INVERSION_METHOD,
                    "prompt.from: class with negative-prompt, which is for mixtures sampled with the prompt of their"
                            + " inputs",
                    RunConfig.PromptFrom.CAPTION,
                    "use another inversion, or leave prompt.from out");
        }
        if (nullText && generation.guidance() <= 1) {
            section.problem(
                    RunKeys.INVERSION_METHOD,
                    "a generation.guidance above 1 with null-text, which finds embeddings for it",
                    generation.guidance(),
                    "set generation.guidance, or use ddim");
        }
        if (method instanceof InversionMethod.NullText stated
                && stated.guidance() != generation.guidance()
                && generation.guidance() > 1) {
            section.problem(
                    RunKeys.INVERSION_METHOD,
                    "the guidance of generation.guidance = " + generation.guidance(),
                    stated.guidance(),
                    "leave guidance= out");
        }
        if (method.hasCompanion() && inversion.steps() != generation.steps()) {
            section.problem(
                    RunKeys.INVERSION_STEPS,
                    "generation.steps = " + generation.steps() + " with " + spelling
                            + ", whose way back takes the same steps",
                    inversion.steps(),
                    "set both to one number");
        }
        if (inversion.forwardFirst() > 0 && !(method instanceof InversionMethod.Stepwise)) {
            section.problem(
                    RunKeys.FORWARD_FIRST,
                    "0 with " + spelling + ", which follows the image's own latent from the first step on",
                    inversion.forwardFirst(),
                    "leave it out, or invert by ddim, fixed-point(5) or negative-prompt");
        }
        if (inversion.forwardFirst() >= inversion.steps()) {
            section.problem(
                    RunKeys.FORWARD_FIRST,
                    "fewer than inversion.steps = " + inversion.steps() + ", of which some must invert",
                    inversion.forwardFirst(),
                    "lower it, or raise inversion.steps");
        }
        if (nullText && config.inversionDtype() != Dtype.FLOAT32) {
            section.problem(
                    RunKeys.INVERSION_DTYPE,
                    "float32 with null-text, whose small gradients others lose",
                    config.inversionDtype(),
                    "set inversion.dtype: float32");
        }
        if (method.hasCompanion()
                && generation.solver().filter(solver -> solver != Solver.DDIM).isPresent()) {
            section.problem(
                    RunKeys.INVERSION_METHOD,
                    "generation.solver: ddim with " + spelling + ", whose way back is DDIM's own steps",
                    generation.solver().orElseThrow(),
                    "leave generation.solver out, or use another inversion");
        }
        if (!generation.guidanceInterval().isEmpty()
                && (nullText || method instanceof InversionMethod.NegativePrompt)) {
            section.problem(
                    RunKeys.INVERSION_METHOD,
                    "no generation.guidance_interval with " + spelling + ", which is for guidance in every step",
                    generation.guidanceInterval(),
                    "leave the interval out, or use another inversion");
        }
        if (method.hasCompanion()) {
            config.mixing().stream()
                    .flatMap(entry -> entry.methods().stream())
                    .map(Spelled::value)
                    .filter(mixing -> mixing instanceof Sdedit || mixing instanceof Prompt || mixing instanceof Arc)
                    .distinct()
                    .forEach(mixing -> section.problem(
                            RunKeys.INVERSION_METHOD,
                            "no mixing by " + mixing + " with " + spelling
                                    + ": what is kept beside each image's noise is mixed by the mixture's weights",
                            mixing,
                            "take it out of mixing, or use another inversion"));
        }
        if (method instanceof InversionMethod.Bdia
                && config.inversionDtype() != config.model().dtype()) {
            section.problem(
                    RunKeys.INVERSION_DTYPE,
                    "model.dtype = " + config.model().dtype()
                            + " with bdia, which is exact where both ways compute alike",
                    config.inversionDtype(),
                    "leave inversion.dtype out");
        }
        if (inversion.dtype().equals(Optional.of(Dtype.FLOAT16))
                && config.model().device() == RunConfig.Device.CPU) {
            section.problem(
                    RunKeys.INVERSION_DTYPE,
                    "float32 or bfloat16 on a CPU",
                    Dtype.FLOAT16,
                    "use float32, or model.device: gpu");
        }
    }

    private static RunConfig.Generation generation(Section section) {
        RunConfig.Generation generation = new RunConfig.Generation(
                section.read(RunKeys.STEPS),
                section.read(RunKeys.GUIDANCE),
                section.find(RunKeys.GUIDANCE_INTERVAL).orElse(List.of()),
                section.read(RunKeys.SOLVER));
        if (!generation.guidanceInterval().isEmpty() && generation.guidance() <= 1) {
            section.problem(
                    RunKeys.GUIDANCE_INTERVAL,
                    "a generation.guidance above 1 beside it: at 1 no timestep is guided",
                    generation.guidanceInterval(),
                    "raise generation.guidance, or leave the interval out");
        }
        return generation;
    }

    /** Notes contexts, guidance scales and neighbours that other settings leave no place for. */
    private static void checkDrawn(List<Section> sections, RunConfig config) {
        InversionMethod inversion = config.inversionMethod();
        boolean isNegative = inversion instanceof InversionMethod.NegativePrompt;
        for (int i = 0; i < config.mixing().size(); i++) {
            RunConfig.Mixing entry = config.mixing().get(i);
            Section section = sections.get(i);
            if (!entry.contexts().isEmpty() && config.prompt().mixture() != MixturePrompt.CLASS) {
                section.problem(
                        RunKeys.CONTEXTS,
                        "prompt.mixture: class with contexts, which stand by the class's prompt",
                        config.prompt().mixture(),
                        "leave prompt.mixture out, or contexts");
            }
            if (!entry.contexts().isEmpty() && (isNegative || inversion.hasCompanion())) {
                section.problem(
                        RunKeys.CONTEXTS,
                        "another inversion than " + inversion + " with contexts, whose way back is for the prompt that"
                                + " images were inverted with",
                        inversion,
                        "invert by ddim or fixed-point(5), or leave contexts out");
            }
            if (entry.contexts().isEmpty() && entry.contextShare() < 1) {
                section.problem(
                        RunKeys.CONTEXT_SHARE,
                        "contexts beside it, which that share of the steps is told",
                        entry.contextShare(),
                        "write contexts, or leave it out");
            }
            if (!entry.guidance().isEmpty() && (isNegative || inversion instanceof InversionMethod.NullText)) {
                section.problem(
                        RunKeys.MIXTURE_GUIDANCE,
                        "no guidance of its own with " + inversion + ", which is for that of generation or for none",
                        entry.guidance(),
                        "leave it out, or use another inversion");
            }
            checkNeighbours(section, entry);
        }
    }

    private static void checkNeighbours(Section section, RunConfig.Mixing entry) {
        if (entry.neighbours() == 0) {
            return;
        }
        if (entry.isSoft()) {
            section.problem(
                    RunKeys.INPUT_NEIGHBOURS,
                    "inputs of one class with neighbours, which are the class's own",
                    entry.across() == RunConfig.Across.CLASSES ? "across: classes" : entry.methods(),
                    "leave neighbours out, or mix within classes");
        }
        for (Spelled<InputCount> count : entry.inputs()) {
            if (count.value().most() < 2 || count.value().most() - 1 > entry.neighbours()) {
                section.problem(
                        RunKeys.INPUTS,
                        "2 to " + (entry.neighbours() + 1L) + " inputs with neighbours: " + entry.neighbours()
                                + ", a first one and some of its neighbours",
                        count,
                        count.value().most() < 2 ? "leave neighbours out" : "raise neighbours, or use fewer inputs");
            }
        }
    }

    /** Refuses methods that begin so late in the sampling table that no step is left. */
    private static void checkStrengths(List<Section> entries, RunConfig config) {
        for (int i = 0; i < config.mixing().size(); i++) {
            for (Spelled<Method> method : config.mixing().get(i).methods()) {
                if (method.value().strength() * config.generation().steps() < 1) {
                    entries.get(i)
                            .refuse(
                                    RunKeys.METHODS,
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
            RunConfig.Mixing entry = new RunConfig.Mixing(
                    section.find(RunKeys.ENTRY).orElse("mixing-" + entries.size()),
                    section.read(RunKeys.METHODS),
                    section.read(RunKeys.INPUTS),
                    section.read(RunKeys.WEIGHTS),
                    section.read(RunKeys.POOL),
                    section.read(RunKeys.GATE),
                    section.read(RunKeys.ACROSS),
                    section.find(RunKeys.INPUT_NEIGHBOURS).orElse(0),
                    section.find(RunKeys.CONTEXTS).orElse(List.of()),
                    section.read(RunKeys.CONTEXT_SHARE),
                    section.find(RunKeys.MIXTURE_GUIDANCE).orElse(List.of()),
                    section.read(RunKeys.COUNT),
                    section.read(RunKeys.EXPORT_ENTRY));
            checkInputs(section, entry);
            entry.contexts().forEach(context -> checkPlaceholders(section, RunKeys.CONTEXTS, context, CONTEXT_PLACE));
            if (!names.add(entry.name())) {
                section.problem(
                        RunKeys.ENTRY, "a name of its own for each entry", entry.name(), "rename one of the two");
            }
            entries.add(entry);
        }
        return entries;
    }

    /** Notes the counts of inputs that a method or the weights do not take. */
    private static void checkInputs(Section section, RunConfig.Mixing entry) {
        for (Spelled<Method> method : entry.methods()) {
            for (Spelled<InputCount> count : entry.inputs()) {
                method.value().inputError(count.value()).ifPresent(error -> section.refuse(RunKeys.INPUTS, error));
            }
        }
        try {
            entry.inputs().forEach(count -> entry.weights().value().requireInputs(count.value()));
        } catch (IllegalArgumentException e) {
            section.refuse(RunKeys.WEIGHTS, e.getMessage());
        }
    }

    private static RunConfig.Filter filter(Section section) {
        RunConfig.Filter filter = new RunConfig.Filter(
                section.read(RunKeys.TRIES),
                section.has(RunKeys.CLASS_JUDGE)
                        ? Optional.of(classJudge(section.section(RunKeys.CLASS_JUDGE)))
                        : Optional.empty(),
                near(section, RunKeys.COPY),
                near(section, RunKeys.TWIN),
                section.has(RunKeys.TEXT_JUDGE)
                        ? Optional.of(section.section(RunKeys.TEXT_JUDGE).read(RunKeys.TEXT_THRESHOLD))
                        : Optional.empty(),
                section.has(RunKeys.BLANK) ? Optional.of(blank(section.section(RunKeys.BLANK))) : Optional.empty());
        if (Stream.of(filter.ofClass(), filter.copy(), filter.twin(), filter.text(), filter.blank())
                .allMatch(Optional::isEmpty)) {
            section.problem(
                    RunKeys.COPY,
                    "a judge, one of class, copy, twin, text and blank",
                    "none",
                    "write for example `copy: {}`, or leave filter out");
        }
        return filter;
    }

    private static RunConfig.ClassJudge classJudge(Section section) {
        RunConfig.ClassBy by = section.read(RunKeys.CLASS_BY);
        RunConfig.Features features = section.read(RunKeys.CLASS_FEATURES);
        if (by == RunConfig.ClassBy.CLASSIFIER && features != RunConfig.Features.CLASSIFIER) {
            section.problem(
                    RunKeys.CLASS_FEATURES,
                    "classifier with by: classifier, which alone names a class",
                    features,
                    "leave it out, or set by: mean");
        }
        return new RunConfig.ClassJudge(
                by,
                features,
                section.read(RunKeys.CLASS_NEIGHBOURS),
                section.find(RunKeys.CLASS_THRESHOLD)
                        .orElseGet(() -> new Threshold.Fixed(by == RunConfig.ClassBy.NEIGHBOURS ? 0.5 : 0)));
    }

    private static Optional<RunConfig.NearJudge> near(Section filter, Block judge) {
        if (!filter.has(judge)) {
            return Optional.empty();
        }
        Section section = filter.section(judge);
        return Optional.of(new RunConfig.NearJudge(
                section.read(RunKeys.HASH), section.find(RunKeys.NEAR_FEATURES), section.read(RunKeys.DISTANCE)));
    }

    private static RunConfig.BlankJudge blank(Section section) {
        return new RunConfig.BlankJudge(
                bounds(section, RunKeys.ENTROPY),
                bounds(section, RunKeys.SATURATION),
                bounds(section, RunKeys.SHARPNESS));
    }

    private static Threshold bounds(Section section, Key<Threshold> key) {
        Threshold threshold = section.read(key);
        if (threshold instanceof Threshold.Quantile quantile && quantile.share() > 0.5) {
            section.problem(
                    key, "a quantile from 0 to 0.5, of which there is one at either end", threshold, "lower it");
        }
        return threshold;
    }

    /** Notes the networks that judges look by and the evaluation does not name. */
    private static void checkNetworks(Section file, RunConfig config) {
        for (RunConfig.Features network :
                config.filter().map(RunConfig.Filter::networks).orElse(Set.of())) {
            boolean named = config.evaluation() != null
                    && switch (network) {
                        case CLASSIFIER ->
                            config.evaluation()
                                            .classifier(
                                                    config.model().checkpoint().location())
                                    != null;
                        case CLIP -> config.evaluation().clip() != null;
                        case INCEPTION -> config.evaluation().inception() != null;
                    };
            if (!named) {
                file.problem(
                        RunKeys.FILTER,
                        "an evaluation that names the network that a judge looks by, evaluation." + network,
                        "none",
                        network == RunConfig.Features.CLASSIFIER
                                ? "write `evaluation: {}` for the built-in model's own, or name a classifier there"
                                : "name it there, or judge by other features");
            }
        }
    }

    private static RunConfig.Evaluation evaluation(Section section) {
        return new RunConfig.Evaluation(
                section.find(RunKeys.REFERENCE).orElse(null),
                section.read(RunKeys.CLASSIFIER),
                section.find(RunKeys.CLIP).orElse(null),
                section.has(RunKeys.INCEPTION) ? inception(section.section(RunKeys.INCEPTION)) : null,
                section.read(RunKeys.SAMPLE),
                section.read(RunKeys.NEIGHBOURS),
                section.read(RunKeys.EVALUATION_BATCH));
    }

    private static Optional<RunConfig.Leakage> leakage(
            Section file, RunConfig.Input input, RunConfig.Evaluation evaluation) {
        if (!file.has(RunKeys.LEAKAGE) && !file.has(RunKeys.FILTER)) {
            return Optional.empty();
        }
        Section section = file.section(RunKeys.LEAKAGE);
        List<String> test = section.find(RunKeys.TEST)
                .orElseGet(() -> evaluation == null
                        ? List.of()
                        : Stream.ofNullable(evaluation.reference())
                                .filter(reference -> !reference.equals(input.root()))
                                .toList());
        if (test.contains(input.root())) {
            section.problem(
                    RunKeys.TEST, "images other than those of input.root", input.root(), "name those kept for tests");
        }
        return Optional.of(new RunConfig.Leakage(test, section.read(RunKeys.LEAKAGE_HASH)));
    }

    private static RunConfig.Inception inception(Section section) {
        return new RunConfig.Inception(
                section.find(RunKeys.FILE).orElse(""),
                section.find(RunKeys.SHA256).orElse(""));
    }

    private static RunConfig.Run run(Section section, int batch) {
        RunConfig.Run run = new RunConfig.Run(
                section.read(RunKeys.SEED), section.read(RunKeys.CHUNK), section.read(RunKeys.MAX_REJECTED));
        if (run.chunk() % batch != 0) {
            section.problem(
                    RunKeys.CHUNK,
                    "whole micro-batches of model.batch = " + batch + " rows",
                    run.chunk(),
                    "set it to a multiple of model.batch");
        }
        return run;
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
            JsonNode tree = YamlText.read(yaml);
            if (tree.isMissingNode() || tree.isNull()) {
                return YamlText.object();
            }
            if (tree instanceof ObjectNode object) {
                return object;
            }
            throw new ConfigException(List.of(
                    source + ": expected keys with values, got " + tree + "; begin with `input:` and `model:`"));
        } catch (YamlText.RefusedException e) {
            throw new ConfigException(
                    List.of(source + ": expected YAML, got " + e.getMessage() + "; correct that line"));
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
            JsonNode value = YamlText.read(override.substring(equals + 1));
            JsonNode given = value.isMissingNode() ? TextNode.valueOf("") : value;
            if (!set(tree, path, given)) {
                problems.add(key + ": expected a key or an entry that is there, got --set " + override
                        + "; check the path against the file");
            }
        } catch (YamlText.RefusedException e) {
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
