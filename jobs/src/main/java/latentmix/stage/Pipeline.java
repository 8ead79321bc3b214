package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.architecture.Part;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointCache;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.export.DatasetFeatures;
import latentmix.latent.Method;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptCuts;
import latentmix.model.TextEncoder;
import latentmix.plan.ClassList;
import latentmix.plan.Lease;
import latentmix.plan.NetworkCost;
import latentmix.plan.Plan;
import latentmix.plan.RowBytes;
import latentmix.plan.RunSettings;
import latentmix.plan.Speed;
import latentmix.report.Album;
import latentmix.report.Gallery;
import latentmix.report.Report;
import latentmix.schedule.Scheduler;
import latentmix.table.MetricRow;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.work.CellScores;
import latentmix.work.Census;
import latentmix.work.ChunkResult;
import latentmix.work.ClassLabel;
import latentmix.work.ExportWork;
import latentmix.work.GenerationWork;
import latentmix.work.ImagesWork;
import latentmix.work.InversionWork;
import latentmix.work.MixingPlan;
import latentmix.work.MixingWork;
import latentmix.work.ModelOnDevice;
import latentmix.work.Prompts;
import latentmix.work.Remaining;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A run: images, invert, mix, generate, evaluate, export, each doing only what is missing.
 *
 * <p>The driver lists and plans; executors read, compute and publish; nothing is shuffled.
 */
public final class Pipeline {
    /** The version of the run folder's layout: another one is refused. */
    static final int FORMAT = 3;

    /** What a run that is to be run again ends with. */
    private static final int TRY_AGAIN = 75;

    /** A Spark property: the time after which a run that gives no sign of life has lost its folder. */
    private static final String LEASE = "spark.latentmix.lease";

    private static final int PROMPTS_PER_TASK = 64;
    private static final int CLASSES_IN_REPORT = 10;

    private final RunConfig config;
    private final RunFolder run;
    private final Tasks tasks;
    private final ModelSource model;
    private final ModelSource invertingModel;
    private final RunSettings settings;
    private final String input;
    private final ClassList classes;
    private final Evaluation evaluation; // null where nothing is to be measured
    private final CheckpointFolder checkpoint;
    private final double devicesPerTask;
    private final List<StageSummary> summaries = new ArrayList<>();
    private List<GenerationWork.Chunk> mixed; // null until it is asked for

    /** The checkpoint as tasks open it: by its location, on the device Spark gave them. */
    record ModelSource(String checkpoint, String dtype, int threads) implements Serializable {
        private static final Map<String, CheckpointFolder> OPEN = new ConcurrentHashMap<>(); // once per JVM

        CheckpointFolder open(Configuration conf) {
            return OPEN.computeIfAbsent(
                    checkpoint, location -> CheckpointFolder.open(CheckpointCache.located(location, conf)));
        }

        ModelOnDevice onDevice(Configuration conf) {
            return new ModelOnDevice(open(conf), TaskDevice.current(), Dtype.parse(dtype));
        }
    }

    private Pipeline(JavaSparkContext spark, RunConfig config, RunFolder run, Tasks tasks, Preparation preparation)
            throws IOException {
        this.config = config;
        this.run = run;
        this.tasks = tasks;
        this.model = new ModelSource(
                config.model().checkpoint(),
                config.model().dtype(),
                config.model().threads());
        this.invertingModel = new ModelSource(
                model.checkpoint(), config.inversionDtype(), model.threads()); // of another number format perhaps
        this.checkpoint = checked(preparation);
        checkSize(checkpoint);
        this.devicesPerTask = Tasks.devicesPerTask(spark.getConf());
        this.settings = RunSettings.of(config, checkpoint, device(spark), preparation::settings);
        this.input = BuiltIn.located(config.input().root());
        this.classes = ClassList.read(config.input(), config.prompt(), input, run.conf());
        this.evaluation = config.evaluation() == null
                ? null
                : new Evaluation(run, tasks, config, settings, classes, input, model, preparation);
    }

    /** The checkpoint, compiled for a run: its process has the solvers and steps that are asked for. */
    private CheckpointFolder checked(Preparation preparation) {
        CheckpointFolder checkpoint;
        try {
            checkpoint = model.open(run.conf());
            preparation.compile(checkpoint, Dtype.parse(config.model().dtype()));
            if (!invertingModel.dtype().equals(model.dtype())) {
                Dtype dtype = Dtype.parse(invertingModel.dtype());
                preparation.compile(checkpoint.component("vae"), Part.ENCODER, dtype);
                preparation.compile(checkpoint.component(checkpoint.denoiser()), Part.DENOISER, dtype);
            }
            Scheduler.of(checkpoint.schedulerConfig());
        } catch (CheckpointException | IllegalArgumentException e) {
            throw new ConfigException(List.of("model.checkpoint: " + e.getMessage()));
        }
        List<String> problems = Solving.problems(config, checkpoint.schedulerConfig());
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return checkpoint;
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

    /** The kind of device that tasks will have: their rounding differs, so it belongs to the settings. */
    private String device(JavaSparkContext spark) {
        return config.model().device().equals("auto")
                ? (Gpus.of(spark.getConf()).isPresent() ? "gpu" : "cpu")
                : config.model().device();
    }

    /**
     * Runs the stages that are asked for.
     *
     * @return 0 done, 3 finished with more rejects than allowed
     * @throws ConfigException if the configuration does not fit the input, before any model runs
     */
    public static int run(JavaSparkContext spark, RunConfig config, String runFolder, List<StageName> stages)
            throws IOException {
        return summary(spark, config, runFolder, stages).exitCode();
    }

    /** The same; returns what {@code run_summary.json} says. */
    public static RunSummary summary(JavaSparkContext spark, RunConfig config, String runFolder, List<StageName> stages)
            throws IOException {
        return summary(spark, config, runFolder, stages, RunTerms.NONE);
    }

    /**
     * The same under terms.
     *
     * @return whose exit code may be 75, too: stopped before the end, and to be run again
     * @throws Lease.HeldException if another run holds the folder
     */
    public static RunSummary summary(
            JavaSparkContext spark, RunConfig config, String runFolder, List<StageName> stages, RunTerms terms)
            throws IOException {
        RunFolder run = folder(spark, runFolder);
        Duration time = Duration.ofSeconds(spark.getConf().getTimeAsSeconds(LEASE, "30s"));
        try (Stop stop = new Stop(spark, run, terms.gpuHours());
                Lease lease = Lease.take(run, time, () -> stop.stop("another run took the folder over"))) {
            checkFormat(run);
            run.clean();
            Tasks tasks = new Tasks(spark, runFolder, Optional.of(stop));
            return new Pipeline(spark, config, run, tasks, new Preparation.OfRun(run))
                    .run(EnumSet.copyOf(stages), stop, lease, terms.label());
        }
    }

    /** What is to do in a run folder; starts no model and writes nothing. */
    public static Plan plan(JavaSparkContext spark, RunConfig config, String runFolder) throws IOException {
        RunFolder run = folder(spark, runFolder);
        Pipeline pipeline = new Pipeline(spark, config, run, new Tasks(spark, runFolder), new Preparation.OfPlan());
        Remaining remaining = pipeline.remaining();
        return new Plan(
                Plan.stages(remaining),
                RowBytes.of(pipeline.checkpoint, pipeline.settings.inversion(), config.inversionMethod())
                        .sizes(run, remaining),
                pipeline.classes.classes().size());
    }

    /** How fast each stage was when it last did something in a run folder. */
    public static Map<String, Speed> measured(JavaSparkContext spark, String runFolder) throws IOException {
        return RunSummary.measured(folder(spark, runFolder));
    }

    private RunSummary run(Set<StageName> stages, Stop stop, Lease lease, String label) throws IOException {
        if (evaluation == null && stages.equals(EnumSet.of(StageName.EVALUATE))) {
            throw Evaluation.nothingAsked();
        }
        List<ImagesWork.Catalog> catalogs = images(stages.contains(StageName.INVERT));
        check(catalogs);
        checkDevices(stages);
        if (stages.contains(StageName.INVERT) && config.inversionMethod().needsGradients()) {
            checkMemory();
        }
        if (stages.contains(StageName.INVERT) || stages.contains(StageName.GENERATE)) {
            prompts();
        }
        long exported = 0;
        for (StageName stage : stages) {
            if (tasks.isStopped()) {
                break;
            }
            switch (stage) {
                case INVERT -> invert(catalogs);
                case MIX -> mix(catalogs);
                case GENERATE -> generate();
                case EVALUATE -> {
                    if (evaluation != null) {
                        evaluate(catalogs);
                    }
                }
                case EXPORT -> exported = export();
            }
        }
        lease.check();
        boolean stopped = tasks.isStopped();
        List<Plan.Stage> left = stopped ? left(stages) : List.of();
        Counts counts = count(catalogs);
        int exitCode =
                stopped ? TRY_AGAIN : counts.rejectedShare() > config.run().maxRejected() ? 3 : 0;
        RunSummary summary = new RunSummary(
                exitCode,
                label,
                stop.reason(),
                left,
                settingsIds(catalogs),
                counts,
                scores(),
                summaries,
                RunSummary.measured(run, summaries));
        summary.publish(run);
        if (stopped) {
            System.out.println("Stopped: " + stop.reason() + "; the same command goes on where this run stopped. Left: "
                    + left.stream()
                            .map(stage -> stage.stage() + " " + stage.rows() + " rows")
                            .collect(Collectors.joining(", ")));
        } else if (stages.contains(StageName.EXPORT)) {
            report(catalogs, summary, exported);
        }
        return summary;
    }

    private static RunFolder folder(JavaSparkContext spark, String location) {
        try {
            ConfigFile.requireNoCredentials(location);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(List.of("--run: " + e.getMessage()));
        }
        return new RunFolder(location, spark.hadoopConfiguration());
    }

    private List<Plan.Stage> left(Set<StageName> stages) throws IOException {
        Set<String> asked = stages.stream().map(StageName::text).collect(Collectors.toSet());
        return Plan.stages(remaining()).stream()
                .filter(stage -> stage.rows() > 0 && asked.contains(stage.stage()))
                .toList();
    }

    private Remaining remaining() throws IOException {
        NetworkCost cost = NetworkCost.of(config, checkpoint.schedulerConfig());
        Map<Double, Long> evaluations = new HashMap<>();
        config.mixing().stream()
                .flatMap(entry -> entry.methods().stream())
                .map(method -> Method.parse(method).strength())
                .forEach(strength -> evaluations.computeIfAbsent(strength, cost::generation));
        Remaining.Asked asked = new Remaining.Asked(
                input,
                limit(),
                config.run().chunk(),
                settings.inversionId(),
                cost.inversion(),
                settings.mixing(),
                run.rejectedChunks(MixingWork.STAGE),
                settings.generationId(),
                evaluations,
                config.mixing().stream().map(RunConfig.MixingEntry::export).toList(),
                run.files(ExportWork.PARQUET),
                DatasetFeatures.json(classes.names()),
                evaluation == null ? new Remaining.Measured(List.of(), null) : evaluation.measured());
        return tasks
                .map(
                        "find what is left",
                        classes.classes(),
                        (folder, label, progress) -> Remaining.of(folder, label, asked))
                .stream()
                .reduce(Remaining::plus)
                .orElseThrow();
    }

    private static void checkFormat(RunFolder run) throws IOException {
        var file = run.path("format.json");
        String expected = "{\"format\": " + FORMAT + "}\n";
        boolean isThere = file.getFileSystem(run.conf()).exists(file);
        String found = isThere ? new String(run.read(file), StandardCharsets.UTF_8) : expected;
        if (!found.equals(expected)) {
            throw new ConfigException(List.of("--run: expected a run folder of format " + FORMAT + ", but " + file
                    + " says " + found.strip() + "; use a new folder, or the version that made this one"));
        }
        if (!isThere) {
            run.publish(file, expected.getBytes(StandardCharsets.UTF_8));
        }
    }

    private List<ImagesWork.Catalog> images(boolean scan) {
        String root = input;
        int chunk = config.run().chunk();
        long limit = limit();
        return tasks.map("find images", classes.classes(), (folder, label, progress) -> {
            ImagesWork images = new ImagesWork(folder, root, chunk, limit);
            return scan ? images.scan(label) : images.catalog(label);
        });
    }

    private long limit() {
        return config.input().limit() == null ? Long.MAX_VALUE : config.input().limit();
    }

    /** Refuses a configuration that the images found cannot serve. */
    private void check(List<ImagesWork.Catalog> catalogs) {
        List<String> problems = new ArrayList<>();
        for (ImagesWork.Catalog catalog : catalogs) {
            String folder = catalog.label().classId();
            if (catalog.images() == 0) {
                problems.add("input.root: expected images in every class folder, but " + folder
                        + " has none; add some, or take the folder away");
                continue;
            }
            if (config.input().limit() != null
                    && catalog.images() > config.input().limit()) {
                problems.add("input.limit: expected at least the " + catalog.images() + " images that class " + folder
                        + " has in this run folder, got " + config.input().limit() + "; use another run folder");
            }
            for (RunConfig.MixingEntry entry : config.mixing()) {
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

    /** Refuses GPUs that the executors' build of PyTorch does not compute on. */
    private void checkDevices(Set<StageName> stages) {
        if (settings.inversion().device().equals("gpu")
                && !Collections.disjoint(stages, Set.of(StageName.INVERT, StageName.GENERATE, StageName.EVALUATE))) {
            List<String> problems = tasks.onGpus().deviceProblems();
            if (!problems.isEmpty()) {
                throw new ConfigException(problems);
            }
        }
    }

    /** Refuses a backward pass that the executors have no memory for, before it is tried and the system kills one. */
    private void checkMemory() throws IOException {
        int batch = config.model().batch();
        long weights = Files.size(Models.compile(
                invertingModel
                        .open(run.conf())
                        .component(invertingModel.open(run.conf()).denoiser()),
                Part.DENOISER,
                Dtype.parse(invertingModel.dtype())));
        long backward = Models.backwardBytes(
                invertingModel.open(run.conf()), batch, settings.inversion().size());
        if (settings.inversion().device().equals("gpu")) {
            System.err.printf(
                    Locale.ROOT,
                    "%s: its backward pass takes about %.1f GB a task beside the weights; whether a GPU has them is"
                            + " not known here; a smaller model.batch takes less%n",
                    config.inversion().method(),
                    backward / 1e9);
            return;
        }
        int slots = tasks.slotsPerExecutor();
        long available = tasks.availableMemory();
        long needed = weights + slots * backward;
        if (needed > available) {
            long fitting = Math.max(0, available - weights) / slots / Math.max(1, backward / batch);
            throw new ConfigException(List.of(String.format(
                    Locale.ROOT,
                    "model.batch: expected memory for the backward pass of %s, about %.1f GB for %d tasks of %d"
                            + " latents with the weights, but an executor has %.1f GB left; %s",
                    config.inversion().method(),
                    needed / 1e9,
                    slots,
                    batch,
                    available / 1e9,
                    fitting > 0
                            ? "set model.batch to at most " + fitting + ", or run fewer tasks at once"
                            : "run fewer tasks at once, on machines with more memory, or use negative-prompt")));
        }
    }

    private void prompts() throws IOException {
        Prompts prompts = new Prompts(run, settings.inversion().checkpointFingerprint());
        Set<String> done = run.prompts();
        List<String> missing = Stream.concat(
                        classes.classes().stream().map(ClassLabel::prompt),
                        Stream.of(config.prompt().negative()))
                .distinct()
                .filter(text -> !done.contains(prompts.id(text)))
                .toList();
        PromptCuts.warnings(model.open(run.conf()), missing).forEach(System.err::println);
        List<List<String>> groups = new ArrayList<>();
        for (int from = 0; from < missing.size(); from += PROMPTS_PER_TASK) {
            groups.add(List.copyOf(missing.subList(from, Math.min(from + PROMPTS_PER_TASK, missing.size()))));
        }
        ModelSource source = model;
        String fingerprint = settings.inversion().checkpointFingerprint();
        tasks.run(
                new Tasks.Job("prompts", "prompts", missing.size(), Tasks.Needs.DEVICE),
                groups,
                (folder, texts, progress) -> {
                    ModelOnDevice model = source.onDevice(folder.conf()).expecting(fingerprint);
                    Prompts table = new Prompts(folder, fingerprint);
                    try (TextEncoder encoder = model.textEncoder()) {
                        for (String text : texts) {
                            table.encode(text, encoder);
                            progress.accept(1);
                        }
                    }
                    return texts.size();
                });
    }

    private List<InversionWork.Chunk> inversionChunks(List<ImagesWork.Catalog> catalogs) {
        List<InversionWork.Chunk> chunks = new ArrayList<>();
        for (ImagesWork.Catalog catalog : catalogs) {
            for (ImagesWork.Catalog.Chunk images : catalog.chunks()) {
                String id = InversionWork.Chunk.id(
                        settings.inversionId(), catalog.label().prompt(), images.id());
                chunks.add(new InversionWork.Chunk(id, catalog.label(), images.file(), images.id(), images.rows()));
            }
        }
        return chunks;
    }

    private void invert(List<ImagesWork.Catalog> catalogs) throws IOException {
        long start = System.nanoTime();
        List<InversionWork.Chunk> all = inversionChunks(catalogs);
        Set<String> done = run.chunks(Table.INVERTED);
        List<InversionWork.Chunk> missing =
                all.stream().filter(chunk -> !done.contains(chunk.id())).toList();
        ModelSource source = invertingModel;
        String root = input;
        long maxPixels = config.input().maxPixels();
        var inversion = settings.inversion();
        String settingsId = settings.inversionId();
        List<ChunkResult> results = tasks.run(
                job(StageName.INVERT, "images", rows(missing, InversionWork.Chunk::rows)),
                missing,
                (folder, chunk, progress) -> new InversionWork(
                                folder,
                                source.onDevice(folder.conf()),
                                root,
                                maxPixels,
                                inversion,
                                settingsId,
                                progress)
                        .invert(chunk));
        summarize(StageName.INVERT, all.size() - missing.size(), results, start);
    }

    /** Says where a class is so small that its mean holds much of every mixture's noise. */
    private void warn(List<ImagesWork.Catalog> catalogs) {
        catalogs.stream().mapToLong(ImagesWork.Catalog::images).min().ifPresent(smallest -> config.mixing().stream()
                .flatMap(entry -> entry.samplers().stream())
                .flatMap(sampler -> sampler.poolWarning(Math.toIntExact(smallest)).stream())
                .forEach(System.err::println));
    }

    private void mix(List<ImagesWork.Catalog> catalogs) throws IOException {
        warn(catalogs);
        long start = System.nanoTime();
        Set<String> inverted = run.chunks(Table.INVERTED);
        Map<ClassLabel, List<String>> pools = new LinkedHashMap<>();
        for (InversionWork.Chunk chunk : inversionChunks(catalogs)) {
            if (inverted.contains(chunk.id())) {
                pools.computeIfAbsent(chunk.label(), label -> new ArrayList<>()).add(chunk.id());
            }
        }
        int chunkRows = config.run().chunk();
        List<MixingPlan.Entry> entries = settings.mixing();
        Set<String> refusing = run.rejectedChunks(MixingWork.STAGE);
        List<MixingWork.Chunk> missing = flat(tasks.map(
                "plan mixtures",
                List.copyOf(pools.keySet()),
                (folder, label, progress) -> new ArrayList<>(
                        new MixingPlan(folder, chunkRows).missing(label, pools.get(label), entries, refusing))));
        List<ChunkResult> results = tasks.run(
                job(StageName.MIX, "mixtures", rows(missing, chunk -> chunk.ks().size())),
                missing,
                (folder, chunk, progress) -> new MixingWork(folder, progress).mix(chunk));
        mixed = null;
        summarize(StageName.MIX, mixed().size() - missing.size(), results, start);
    }

    /** This configuration's chunks of the mixed table, of every class; looked for once, and again after mixing. */
    private List<GenerationWork.Chunk> mixed() {
        if (mixed == null) {
            mixed = listMixed();
        }
        return mixed;
    }

    private List<GenerationWork.Chunk> listMixed() {
        int chunkRows = config.run().chunk();
        List<MixingPlan.Entry> entries = settings.mixing();
        String settingsId = settings.generationId();
        return flat(tasks.map("list mixtures", classes.classes(), (folder, label, progress) -> {
            List<GenerationWork.Chunk> chunks = new ArrayList<>();
            for (MixingPlan.Mixed mixed : new MixingPlan(folder, chunkRows).mixed(label, entries)) {
                chunks.add(new GenerationWork.Chunk(
                        GenerationWork.Chunk.id(settingsId, mixed.id()), label, mixed.id(), mixed.rows()));
            }
            return chunks;
        }));
    }

    private void generate() throws IOException {
        long start = System.nanoTime();
        List<GenerationWork.Chunk> all = mixed();
        Set<String> done = run.chunks(Table.GENERATED);
        List<GenerationWork.Chunk> missing =
                all.stream().filter(chunk -> !done.contains(chunk.id())).toList();
        ModelSource source = model;
        var generation = settings.generation();
        String settingsId = settings.generationId();
        List<ChunkResult> results = tasks.run(
                job(StageName.GENERATE, "images", rows(missing, GenerationWork.Chunk::rows)),
                missing,
                (folder, chunk, progress) -> new GenerationWork(
                                folder, source.onDevice(folder.conf()), generation, settingsId, progress)
                        .generate(chunk));
        summarize(StageName.GENERATE, all.size() - missing.size(), results, start);
    }

    private void evaluate(List<ImagesWork.Catalog> catalogs) throws IOException {
        long start = System.nanoTime();
        Evaluation.Done done = evaluation.evaluate(catalogs, inversionChunks(catalogs), mixed());
        summarize(StageName.EVALUATE, done.doneBefore(), done.results(), start);
    }

    /** Brings the dataset up to date; returns its number of images. */
    private long export() throws IOException {
        long start = System.nanoTime();
        String features = DatasetFeatures.json(classes.names());
        List<ExportWork.Chunk> all = exported(features);
        Set<String> ids = all.stream().map(chunk -> chunk.id() + ".parquet").collect(Collectors.toSet());
        Set<String> present = run.files(ExportWork.PARQUET);
        for (String file : present) {
            if (!ids.contains(file)) { // gone before its images may change: a Parquet file vouches for them
                run.delete(ExportWork.PARQUET + "/" + file);
            }
        }
        List<ExportWork.Chunk> missing = all.stream()
                .filter(chunk -> !present.contains(chunk.id() + ".parquet"))
                .toList();
        List<ChunkResult> results = tasks.run(
                job(StageName.EXPORT, "images", rows(missing, ExportWork.Chunk::rows)),
                missing,
                (folder, chunk, progress) -> new ExportWork(folder).export(chunk, features, progress));
        Map<ClassLabel, ArrayList<ExportWork.Chunk>> byClass = new LinkedHashMap<>();
        all.forEach(chunk -> byClass.computeIfAbsent(chunk.label(), label -> new ArrayList<>())
                .add(chunk));
        List<Integer> exported = tasks.map(
                "describe classes", List.copyOf(byClass.values()), (folder, chunks, progress) -> new ExportWork(folder)
                        .finish(chunks.get(0).label(), chunks));
        Set<String> folders = byClass.keySet().stream().map(ClassLabel::classId).collect(Collectors.toSet());
        for (String folder : run.folders(ExportWork.IMAGES)) {
            if (!folders.contains(folder)) {
                run.delete(ExportWork.IMAGES + "/" + folder);
            }
        }
        summarize(StageName.EXPORT, all.size() - missing.size(), results, start);
        return exported.stream().mapToLong(Integer::longValue).sum();
    }

    /** The generated chunks that enter the dataset: those of the entries with {@code export: true}. */
    private List<ExportWork.Chunk> exported(String features) throws IOException {
        int chunkRows = config.run().chunk();
        String settingsId = settings.generationId();
        List<MixingPlan.Entry> entries = IntStream.range(0, config.mixing().size())
                .filter(i -> config.mixing().get(i).export())
                .mapToObj(settings.mixing()::get)
                .toList();
        Set<String> generated = run.chunks(Table.GENERATED);
        return flat(tasks.map("list mixtures", classes.classes(), (folder, label, progress) -> {
                    List<ExportWork.Chunk> chunks = new ArrayList<>();
                    for (MixingPlan.Mixed mixed : new MixingPlan(folder, chunkRows).mixed(label, entries)) {
                        String id = GenerationWork.Chunk.id(settingsId, mixed.id());
                        chunks.add(ExportWork.Chunk.of(label, id, mixed, features));
                    }
                    return chunks;
                }))
                .stream()
                .filter(chunk -> generated.contains(chunk.generated()))
                .toList();
    }

    /** Replaces {@code report.html}, with pictures of some classes. */
    private void report(List<ImagesWork.Catalog> catalogs, RunSummary summary, long exported) throws IOException {
        Map<ClassLabel, ArrayList<String>> inverted = new LinkedHashMap<>();
        classes.classes().forEach(label -> inverted.put(label, new ArrayList<>()));
        inversionChunks(catalogs).forEach(chunk -> inverted.get(chunk.label()).add(chunk.id()));
        int shown = Math.min(CLASSES_IN_REPORT, classes.classes().size());
        List<ClassLabel> labels = IntStream.range(0, shown)
                .mapToObj(i -> classes.classes()
                        .get((int) ((long) i * classes.classes().size() / shown)))
                .toList();
        Album album = new Album(
                input,
                config.input().maxPixels(),
                IntStream.range(0, config.mixing().size())
                        .mapToObj(i -> new Album.Entry(
                                config.mixing().get(i).name(),
                                config.mixing().get(i).export(),
                                settings.mixing().get(i)))
                        .toList(),
                settings.generationId(),
                config.run().chunk());
        List<Gallery> galleries = tasks.map(
                "open the report's pictures",
                labels,
                (folder, label, progress) -> album.open(folder, label, inverted.get(label)));
        List<MetricRow> metrics = evaluation == null ? List.of() : evaluation.rows(catalogs);
        String html = Report.html(
                config, RunFolder.json(summary), exported, classes.classes().size(), galleries, metrics);
        run.publish(run.path("report.html"), html.getBytes(StandardCharsets.UTF_8));
    }

    private record ToCount(
            ClassLabel label, List<InversionWork.Chunk> inversions, List<GenerationWork.Chunk> generations)
            implements Serializable {}

    private Counts count(List<ImagesWork.Catalog> catalogs) throws IOException {
        Map<String, ToCount> byClass = new LinkedHashMap<>();
        for (ClassLabel label : classes.classes()) {
            byClass.put(label.classId(), new ToCount(label, new ArrayList<>(), new ArrayList<>()));
        }
        inversionChunks(catalogs)
                .forEach(chunk ->
                        byClass.get(chunk.label().classId()).inversions().add(chunk));
        mixed().forEach(chunk ->
                byClass.get(chunk.label().classId()).generations().add(chunk));
        List<MixingPlan.Entry> entries = settings.mixing();
        Set<String> refusing = run.rejectedChunks(MixingWork.STAGE);
        return Counts.of(tasks.map(
                "count rows",
                List.copyOf(byClass.values()),
                (folder, item, progress) ->
                        Census.of(folder, item.label(), item.inversions(), entries, item.generations(), refusing)));
    }

    /** How degenerate the mixtures of every cell are, over all classes. */
    private List<CellScores> scores() {
        List<String> names =
                config.mixing().stream().map(RunConfig.MixingEntry::name).toList();
        List<MixingPlan.Entry> entries = settings.mixing();
        String settingsId = settings.generationId();
        return tasks
                .map("score mixtures", classes.classes(), (folder, label, progress) -> {
                    ArrayList<CellScores> cells = new ArrayList<>();
                    for (int i = 0; i < names.size(); i++) {
                        cells.addAll(CellScores.of(folder, label, names.get(i), entries.get(i), settingsId));
                    }
                    return cells;
                })
                .stream()
                .reduce((one, other) -> IntStream.range(0, one.size())
                        .mapToObj(cell -> one.get(cell).plus(other.get(cell)))
                        .collect(Collectors.toCollection(ArrayList::new)))
                .orElseGet(ArrayList::new);
    }

    private Map<String, Object> settingsIds(List<ImagesWork.Catalog> catalogs) throws IOException {
        Map<String, Object> ids = new TreeMap<>(Map.of(
                "invert", settings.inversionId(),
                "mix",
                        settings.mixing().stream()
                                .map(MixingPlan.Entry::settingsId)
                                .toList(),
                "generate", settings.generationId()));
        if (evaluation != null) {
            ids.put("evaluate", evaluation.settingsIds(catalogs));
        }
        return ids;
    }

    private static Tasks.Job job(StageName stage, String unit, long rows) {
        return new Tasks.Job(stage.text(), unit, rows, stage.needs());
    }

    private static <T> long rows(List<T> chunks, ToIntFunction<T> rows) {
        return chunks.stream().mapToLong(rows::applyAsInt).sum();
    }

    private static <T> List<T> flat(List<List<T>> lists) {
        return lists.stream().flatMap(Collection::stream).toList();
    }

    private void summarize(StageName stage, long doneBefore, List<ChunkResult> results, long start) {
        summaries.add(StageSummary.of(stage, doneBefore, results, (System.nanoTime() - start) / 1e9, devicesPerTask));
    }
}
