package latentmix.stage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Stream;
import latentmix.architecture.BackwardMemory;
import latentmix.architecture.Part;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Embedding;
import latentmix.checkpoint.Lora;
import latentmix.config.ConfigException;
import latentmix.config.Nearest;
import latentmix.config.RunConfig;
import latentmix.config.Spelled;
import latentmix.latent.Method;
import latentmix.model.ClassEncoder;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.InversionSettings;
import latentmix.plan.MixingEntry;
import latentmix.schedule.Scheduler;
import latentmix.source.Hidden;
import latentmix.source.ImageSource;
import latentmix.table.FileNames;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * What is refused before a network runs: a checkpoint, images, devices and memory that cannot serve the configuration.
 */
final class Preflight {
    private final RunConfig config;
    private final Configuration conf;
    private final Tasks tasks;
    private final ModelSource model;
    private final ModelSource invertingModel;

    Preflight(RunConfig config, Configuration conf, Tasks tasks, ModelSource model, ModelSource invertingModel) {
        this.config = config;
        this.conf = conf;
        this.tasks = tasks;
        this.model = model;
        this.invertingModel = invertingModel;
    }

    /** Refuses a run folder in the input, where its tables would be taken for images. */
    static void checkPlace(RunFolder run, RunConfig config) throws IOException {
        checkOutside(run, "input.root", config.input().root());
        if (config.evaluation() != null && config.evaluation().reference() != null) {
            checkOutside(run, "evaluation.reference", config.evaluation().reference());
        }
        for (String test : config.leakage().map(RunConfig.Leakage::test).orElse(List.of())) {
            checkOutside(run, "leakage.test", test);
        }
    }

    /**
     * Refuses files that are named from the driver's working folder: a cluster's executors have working folders of
     * their own.
     */
    static void checkFindable(RunConfig config) {
        Map<String, Stream<String>> locations = new LinkedHashMap<>();
        CheckpointSpec checkpoint = config.model().checkpoint();
        locations.put("input.root", Stream.of(config.input().root()));
        locations.put("model.checkpoint", Stream.of(checkpoint.location()));
        locations.put("model.vae", Stream.of(checkpoint.vae()));
        locations.put("model.loras", checkpoint.loras().stream().map(Lora::location));
        locations.put("model.embeddings", checkpoint.embeddings().stream().map(Embedding::location));
        if (config.evaluation() != null) {
            locations.put(
                    "evaluation.reference",
                    Stream.ofNullable(config.evaluation().reference()));
            locations.put("evaluation.classifier", Stream.of(config.evaluation().classifier()));
            locations.put(
                    "evaluation.clip", Stream.ofNullable(config.evaluation().clip()));
            locations.put(
                    "evaluation.inception",
                    Stream.ofNullable(config.evaluation().inception()).map(RunConfig.Inception::file));
        }
        locations.put(
                "leakage.test",
                config.leakage().map(RunConfig.Leakage::test).stream().flatMap(List::stream));
        List<String> problems = new ArrayList<>();
        locations.forEach((key, names) -> names.map(java.nio.file.Path::of)
                .filter(path -> !path.isAbsolute() && !path.toString().isEmpty() && Files.exists(path))
                .forEach(path -> problems.add(key + ": expected a place that executors find from folders of their own,"
                        + " got " + path + "; write " + path.toAbsolutePath().normalize())));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private static void checkOutside(RunFolder run, String key, String images) throws IOException {
        Path root = qualified(new Path(BuiltIn.located(images)), run.conf());
        Path at = qualified(new Path(run.root()), run.conf());
        while (at != null && !at.equals(root) && !Hidden.isFolder(at.getName())) {
            at = at.getParent();
        }
        if (root.equals(at)) {
            throw new ConfigException(List.of("--run: expected a folder outside of " + key + ", got " + run.root()
                    + " in " + images + ", where its tables would be taken for images; give another folder"));
        }
    }

    private static Path qualified(Path path, Configuration conf) throws IOException {
        return path.getFileSystem(conf).makeQualified(path);
    }

    /** The checkpoint, compiled for a run: its process has the solvers and steps that are asked for. */
    CheckpointFolder checkpoint(Preparation preparation) {
        CheckpointFolder checkpoint;
        try {
            checkpoint = model.open(conf);
            preparation.compile(checkpoint, config.model().dtype());
            if (invertingModel.dtype() != model.dtype()) {
                Dtype dtype = invertingModel.dtype();
                preparation.compile(checkpoint.component("vae"), Part.ENCODER, Models.dtype(checkpoint, "vae", dtype));
                preparation.compile(checkpoint.component(checkpoint.denoiser()), Part.DENOISER, dtype);
            }
            Scheduler.of(checkpoint.schedulerConfig());
        } catch (CheckpointException | IllegalArgumentException e) {
            throw new ConfigException(List.of("model.checkpoint: " + e.getMessage()));
        }
        Models.remarks(checkpoint).forEach(tasks.console()::warn);
        Scheduler.remarks(checkpoint.schedulerConfig()).forEach(tasks.console()::warn);
        List<String> problems = new ArrayList<>(Solving.problems(config, checkpoint.schedulerConfig()));
        Models.denoiserProblem(checkpoint).ifPresent(problem -> problems.add("inversion.method: " + problem));
        if (checkpoint.isDit()) {
            problems.addAll(needingWords());
        }
        config.model().checkpoint().distilled().ifPresent(name -> problems.addAll(distilled(name)));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        checkSize(checkpoint);
        return checkpoint;
    }

    /** What needs words, of which a network that is told classes by their numbers knows none. */
    private List<String> needingWords() {
        String words = ", but a DiT is told classes by their numbers, and has no text encoder; ";
        List<String> problems = new ArrayList<>();
        if (config.inversionMethod().needsGradients()) {
            problems.add("inversion.method: expected a method that optimises no prompt, got "
                    + config.inversionMethod() + ", which learns the embeddings of an empty text" + words
                    + "use ddim, fixed-point(5) or negative-prompt");
        }
        if (config.adapt().isPresent()) {
            problems.add("adapt: expected a checkpoint that prompts are told to, got "
                    + config.model().checkpoint().name() + words + "leave adapt out");
        }
        if (config.mixing().stream().anyMatch(entry -> !entry.contexts().isEmpty())) {
            problems.add("mixing.contexts: expected a checkpoint that prompts are told to, got "
                    + config.model().checkpoint().name() + words + "leave contexts out");
        }
        if (config.prompt().from() == RunConfig.PromptFrom.CAPTION) {
            problems.add("prompt.from: expected class, got caption" + words + "leave prompt.from out");
        }
        return problems;
    }

    /** Refuses prompts that tell no class to a checkpoint that is told classes by their numbers. */
    void checkPrompts(CheckpointFolder checkpoint, List<ClassLabel> classes) {
        ClassEncoder encoder = Models.classEncoder(checkpoint).orElse(null);
        if (encoder == null) {
            return;
        }
        List<String> problems = new ArrayList<>();
        for (ClassLabel label : classes) {
            noClass(
                            encoder,
                            label.prompt(),
                            "give {index} as prompt.template where input.classes counts as the checkpoint"
                                    + " does, or the class's number in prompt.classes")
                    .ifPresent(problem -> problems.add("prompt: class " + label.classId() + ": " + problem));
        }
        noClass(encoder, config.prompt().negative(), "leave it out: without it, it is the null class")
                .ifPresent(problem -> problems.add("prompt.negative: " + problem));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private static Optional<String> noClass(ClassEncoder encoder, String prompt, String remedy) {
        String problem = encoder.problem(prompt);
        return problem.isEmpty()
                ? Optional.empty()
                : Optional.of(problem + "; "
                        + Nearest.to(prompt, encoder.labels().keySet())
                                .map(label -> "did you mean " + label + "? Else ")
                                .orElse("")
                        + remedy);
    }

    /** What is mixed of inverted images by a network that was distilled to few steps. */
    private List<String> distilled(String name) {
        List<String> problems = new ArrayList<>();
        for (RunConfig.Mixing entry : config.mixing()) {
            entry.methods().stream()
                    .map(Spelled::value)
                    .filter(Method::readsInverted)
                    .findFirst()
                    .ifPresent(method -> problems.add("mixing." + entry.name()
                            + ".methods: expected prompt or sdedit with " + name + ", got " + method
                            + ", which mixes inverted images: by its name the network was distilled to sample in a few"
                            + " steps, and leads no image to its noise; take what it was distilled from"));
        }
        return problems;
    }

    /** Refuses images of a side that the checkpoint cannot take. */
    private void checkSize(CheckpointFolder checkpoint) {
        if (config.model().size() != null) {
            try {
                Models.checkImageSize(checkpoint, config.model().size());
            } catch (IllegalArgumentException e) {
                throw new ConfigException(List.of("model.size: " + e.getMessage()));
            }
        }
    }

    /** Refuses to invert with captions where there are none. */
    void checkCaptions(ImageSource source) {
        if (config.prompt().from() == RunConfig.PromptFrom.CAPTION && source.captions() == 0) {
            throw new ConfigException(List.of("prompt.from: expected images with captions, as Parquet and tar files and"
                    + " manifests may have them, but none at " + config.input().root()
                    + " has one; name their column by input.columns: {caption: …}, or leave prompt.from out"));
        }
    }

    /**
     * Refuses executors that cannot name files on disks of theirs: those of the input, and those of the run folder,
     * which have classes' names.
     */
    void checkNames(RunFolder run, List<ClassLabel> classes, ImagesStage images) throws IOException {
        List<String> places = List.of(BuiltIn.located(config.input().root()), run.root());
        boolean isOnDisks = false;
        for (String place : places) {
            isOnDisks |= isOnDisk(new Path(place));
        }
        if (!isOnDisks) {
            return;
        }
        SortedMap<String, List<String>> hosts = tasks.hostsByEncoding();
        hosts.remove(StandardCharsets.UTF_8.name());
        if (hosts.isEmpty()) {
            return;
        }
        List<String> names = Stream.concat(places.stream(), classes.stream().map(ClassLabel::classId))
                .filter(name -> !FileNames.isPlain(name))
                .toList();
        List<String> problems = unnameable(hosts, names);
        if (problems.isEmpty()) {
            problems = unnameable(hosts, images.unusualNames());
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    /** Refuses numbers of mixtures for classes that the input does not have. */
    void checkCounts(ImageSource source) throws IOException {
        List<String> classes = source.classIds(conf);
        List<String> problems = new ArrayList<>();
        for (RunConfig.Mixing entry : config.mixing()) {
            entry.count()
                    .problems(classes)
                    .forEach(problem -> problems.add("mixing." + entry.name() + ".count: " + problem));
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private boolean isOnDisk(Path place) throws IOException {
        return place.getFileSystem(conf).getUri().getScheme().equals("file");
    }

    private static List<String> unnameable(SortedMap<String, List<String>> hosts, List<String> names) {
        List<String> problems = new ArrayList<>();
        hosts.forEach((encoding, on) -> names.stream()
                .filter(name -> !FileNames.canName(encoding, name))
                .findFirst()
                .ifPresent(name -> problems.add(name + ": expected executors that can name this file, but"
                        + " sun.jnu.encoding is " + encoding + " on " + String.join(", ", on)
                        + "; start them with spark.executorEnv.LC_ALL=C.UTF-8")));
        return problems;
    }

    /**
     * Refuses a configuration that the images found cannot serve.
     *
     * @param entries the configuration's, in its order
     */
    void checkImages(List<Catalog> catalogs, List<MixingEntry> entries) {
        List<String> problems = new ArrayList<>(classesProblems(catalogs));
        for (Catalog catalog : catalogs) {
            String folder = catalog.label().classId();
            if (catalog.images() == 0) {
                problems.add("input.root: expected images in every class folder, but " + folder
                        + " has none; add some, or take the folder away");
                continue;
            }
            for (int i = 0; i < entries.size(); i++) {
                RunConfig.Mixing entry = config.mixing().get(i);
                long mixtures = entries.get(i).quota(folder);
                long tries = config.filter().map(RunConfig.Filter::tries).orElse(1);
                if (mixtures * tries > Integer.MAX_VALUE) {
                    problems.add("mixing." + entry.name() + ".count: expected at most " + Integer.MAX_VALUE
                            + " mixtures of a class, got " + mixtures + (tries == 1 ? "" : " × " + tries + " tries")
                            + " of " + folder + "; ask for fewer");
                }
                if (mixtures == 0) {
                    continue; // however few images there are
                }
                if (entry.across() == RunConfig.Across.CLASSES) {
                    continue; // of which an image is enough
                }
                entry.samplers().stream()
                        .flatMap(sampler -> sampler.poolError(Math.toIntExact(catalog.images())).stream())
                        .findFirst()
                        .ifPresent(
                                error -> problems.add("mixing." + entry.name() + ": class " + folder + ": " + error));
            }
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    /** What entries need more classes than there are for, whose inputs are each of another class. */
    private List<String> classesProblems(List<Catalog> catalogs) {
        List<String> problems = new ArrayList<>();
        for (RunConfig.Mixing entry : config.mixing()) {
            int needed = entry.across() == RunConfig.Across.CLASSES
                    ? entry.inputs().stream()
                            .mapToInt(count -> count.value().most())
                            .max()
                            .orElse(0)
                    : entry.isSoft() ? 2 : 0; // diff-mix: its own class and its source's
            if (needed > catalogs.size()) {
                problems.add("mixing." + entry.name() + ": expected " + needed
                        + " classes or more, since each input is of another class, got " + catalogs.size()
                        + "; use fewer inputs, or add classes");
            }
        }
        return problems;
    }

    /** Refuses executors whose devices or memory cannot serve these stages. */
    void checkExecutors(Set<StageName> stages, InversionSettings inversion) throws IOException {
        checkDevices(stages, inversion.device());
        if (stages.contains(StageName.INVERT) && config.inversionMethod().needsGradients()) {
            checkMemory(
                    inversion,
                    invertingModel,
                    new Backward(
                            inversion.method(),
                            BackwardMemory.Learnt.PROMPT,
                            "model.batch",
                            config.model().batch(),
                            ", or use negative-prompt"));
        }
    }

    /** Refuses executors whose memory cannot serve what is learnt of classes. */
    void checkAdapting(InversionSettings inversion, ModelSource adaptingModel) throws IOException {
        RunConfig.Adapt adapt = config.adapt().orElseThrow();
        checkMemory(
                inversion,
                adaptingModel,
                new Backward(
                        adapt.method().toString(),
                        adapt.method().learnsLora() ? BackwardMemory.Learnt.ADAPTER : BackwardMemory.Learnt.PROMPT,
                        "adapt.batch",
                        adapt.batch(),
                        ", or leave adapt out"));
    }

    /**
     * What leads gradients back.
     *
     * @param to what they are led to
     * @param key of its batch
     * @param instead what is done otherwise
     */
    private record Backward(String what, BackwardMemory.Learnt to, String key, int batch, String instead) {}

    /** Refuses GPUs that the executors' build of PyTorch does not compute on. */
    private void checkDevices(Set<StageName> stages, String device) {
        if (device.equals("gpu") && stages.stream().anyMatch(stage -> Needs.of(stage) == Needs.DEVICE)) {
            List<String> problems = tasks.onGpus().deviceProblems();
            if (!problems.isEmpty()) {
                throw new ConfigException(problems);
            }
        }
    }

    /** Refuses a backward pass that the executors have no memory for, before it is tried and the system kills one. */
    private void checkMemory(InversionSettings inversion, ModelSource source, Backward of) throws IOException {
        int batch = of.batch();
        CheckpointFolder checkpoint = source.open(conf);
        long weights = Models.weightBytes(checkpoint.component(checkpoint.denoiser()), source.dtype());
        long backward = Models.backwardBytes(checkpoint, of.to(), batch, inversion.size());
        if (inversion.device().equals("gpu")) {
            tasks.console()
                    .warn(String.format(
                            Locale.ROOT,
                            "%s: its backward pass takes about %.1f GB a task beside the weights; whether a GPU has"
                                    + " them is not known here; a smaller %s takes less",
                            of.what(),
                            backward / 1e9,
                            of.key()));
            return;
        }
        int slots = tasks.slotsPerExecutor();
        long available = tasks.availableMemory();
        long needed = weights + slots * backward;
        if (needed > available) {
            long fitting = Math.max(0, available - weights) / slots / Math.max(1, backward / batch);
            throw new ConfigException(List.of(String.format(
                    Locale.ROOT,
                    "%s: expected memory for the backward pass of %s, about %.1f GB for %d tasks of %d"
                            + " latents with the weights, but an executor has %.1f GB left; %s",
                    of.key(),
                    of.what(),
                    needed / 1e9,
                    slots,
                    batch,
                    available / 1e9,
                    fitting > 0
                            ? "set " + of.key() + " to at most " + fitting + ", or run fewer tasks at once"
                            : "run fewer tasks at once, on machines with more memory" + of.instead())));
        }
    }

    /**
     * Says where a class is so small that its mean holds much of every mixture's noise.
     *
     * @param entries the configuration's, in its order
     */
    void warn(List<Catalog> catalogs, List<MixingEntry> entries) {
        for (int i = 0; i < entries.size(); i++) {
            MixingEntry counted = entries.get(i);
            RunConfig.Mixing entry = config.mixing().get(i);
            catalogs.stream()
                    .filter(catalog -> counted.mixtures(catalog.label().classId()) > 0)
                    .mapToLong(Catalog::images)
                    .min()
                    .ifPresent(smallest -> entry.samplers().stream()
                            .flatMap(sampler -> sampler.poolWarning(Math.toIntExact(smallest)).stream())
                            .forEach(tasks.console()::warn));
        }
    }
}
