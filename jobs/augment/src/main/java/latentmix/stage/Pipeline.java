package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.export.DatasetFeatures;
import latentmix.model.PromptCuts;
import latentmix.model.TextEncoder;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.plan.ExitCode;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.NetworkCost;
import latentmix.plan.RunSettings;
import latentmix.report.Counts;
import latentmix.report.RunSummary;
import latentmix.report.SettingsIds;
import latentmix.report.Speed;
import latentmix.report.StageLeft;
import latentmix.report.StageSummary;
import latentmix.table.Lease;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.CellScores;
import latentmix.work.Census;
import latentmix.work.ChunkResult;
import latentmix.work.ExportWork;
import latentmix.work.GenerationWork;
import latentmix.work.ImagesWork;
import latentmix.work.InversionWork;
import latentmix.work.MixingPlan;
import latentmix.work.MixingWork;
import latentmix.work.ModelOnDevice;
import latentmix.work.Prompts;
import latentmix.work.Remaining;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A run: images, invert, mix, generate, evaluate, export, each doing only what is missing.
 *
 * <p>The driver lists and plans; executors read, compute and publish; nothing is shuffled.
 */
public final class Pipeline {
    /** The version of the run folder's layout: another one is refused. */
    static final int FORMAT = 3;

    /** A Spark property: the time after which a run that gives no sign of life has lost its folder. */
    private static final String LEASE = "spark.latentmix.lease";

    private static final int PROMPTS_PER_TASK = 64;

    private final RunConfig config;
    private final RunFolder run;
    private final Tasks tasks;
    private final ModelSource model;
    private final ModelSource invertingModel;
    private final Preflight preflight;
    private final RunSettings settings;
    private final String input;
    private final ClassList classes;
    private final Evaluation evaluation; // null where nothing is to be measured
    private final Export export;
    private final CheckpointFolder checkpoint;
    private final double devicesPerTask;
    private final List<StageSummary> summaries = new ArrayList<>();
    private List<GenerationChunk> mixed; // null until it is asked for

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
        this.preflight = new Preflight(config, run.conf(), tasks, model, invertingModel);
        this.checkpoint = preflight.checkpoint(preparation);
        this.devicesPerTask = Tasks.devicesPerTask(spark.getConf());
        this.settings = RunSettings.of(config, checkpoint, device(spark), preparation::settings);
        this.input = BuiltIn.located(config.input().root());
        this.classes = ClassList.read(config.input(), config.prompt(), input, run.conf());
        this.evaluation = config.evaluation() == null
                ? null
                : new Evaluation(run, tasks, config, settings, classes, input, model, preparation);
        this.export = new Export(run, tasks, config, settings, classes, input);
    }

    /** The kind of device that tasks will have: their rounding differs, so it belongs to the settings. */
    private String device(JavaSparkContext spark) {
        return config.model().device() == RunConfig.Device.AUTO
                ? (Gpus.of(spark.getConf()).isPresent() ? "gpu" : "cpu")
                : config.model().device().toString();
    }

    /**
     * Runs the stages that are asked for.
     *
     * @return 0 done, 3 finished with more rejects than allowed
     * @throws ConfigException if the configuration does not fit the input, before any model runs
     */
    public static int run(JavaSparkContext spark, RunConfig config, String runFolder, List<StageName> stages)
            throws IOException {
        return summary(spark, config, runFolder, stages).exitCode().code();
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
            Tasks tasks = new Tasks(spark, runFolder, terms.console(), Optional.of(stop));
            return new Pipeline(spark, config, run, tasks, new Preparation.OfRun(run))
                    .run(EnumSet.copyOf(stages), stop, lease, terms);
        }
    }

    /** What is to do in a run folder; starts no model and writes nothing. */
    public static Plan plan(JavaSparkContext spark, RunConfig config, String runFolder) throws IOException {
        RunFolder run = folder(spark, runFolder);
        Pipeline pipeline =
                new Pipeline(spark, config, run, new Tasks(spark, runFolder, Console.SILENT), new Preparation.OfPlan());
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

    private RunSummary run(Set<StageName> stages, Stop stop, Lease lease, RunTerms terms) throws IOException {
        if (evaluation == null && stages.equals(EnumSet.of(StageName.EVALUATE))) {
            throw Evaluation.nothingAsked();
        }
        List<Catalog> catalogs = images(stages.contains(StageName.INVERT));
        preflight.checkImages(catalogs);
        preflight.checkDevices(stages, settings.inversion().device());
        if (stages.contains(StageName.INVERT) && config.inversionMethod().needsGradients()) {
            preflight.checkMemory(settings.inversion());
        }
        if (stages.contains(StageName.INVERT) || stages.contains(StageName.GENERATE)) {
            prompts();
        }
        if (terms.retryRejected()) {
            forgetRejected(stages, catalogs);
        }
        long exported = 0;
        for (StageName stage : stages) {
            if (tasks.isStopped()) {
                break;
            }
            switch (stage) {
                case IMAGES, PROMPTS -> {} // what the stages after them need is done before
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
        List<StageLeft> left = stopped ? left(stages) : List.of();
        Counts counts = count(catalogs);
        ExitCode exitCode = stopped
                ? ExitCode.TRY_AGAIN
                : counts.rejectedShare() > config.run().maxRejected() ? ExitCode.TOO_MANY_REJECTS : ExitCode.DONE;
        RunSummary summary = new RunSummary(
                exitCode,
                terms.label(),
                stop.reason(),
                left,
                settingsIds(catalogs),
                counts,
                scores(),
                summaries,
                RunSummary.measured(run, summaries));
        summary.publish(run);
        if (stopped) {
            terms.console().say(Ending.stopped(stop.reason(), left));
            return summary;
        }
        if (stages.contains(StageName.EXPORT)) {
            export.report(
                    inversionChunks(catalogs),
                    summary,
                    exported,
                    evaluation == null ? List.of() : evaluation.rows(catalogs));
        }
        boolean didNothing = summaries.stream().allMatch(stage -> stage.chunks() == 0);
        Ending.done(run, stages, counts, exported, didNothing, config.run().maxRejected())
                .forEach(terms.console()::say);
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

    private List<StageLeft> left(Set<StageName> stages) throws IOException {
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
                .map(method -> method.value().strength())
                .forEach(strength -> evaluations.computeIfAbsent(strength, cost::generation));
        Remaining.Asked asked = new Remaining.Asked(
                input,
                limit(),
                config.run().chunk(),
                settings.inversionId(),
                cost.inversion(),
                settings.mixing(),
                run.rejectedChunks(StageName.MIX),
                settings.generationId(),
                evaluations,
                config.mixing().stream().map(RunConfig.Mixing::export).toList(),
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

    private List<Catalog> images(boolean scan) {
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

    private void prompts() throws IOException {
        Prompts prompts = new Prompts(run, settings.inversion().checkpointFingerprint());
        Set<String> done = run.prompts();
        List<String> missing = Stream.concat(
                        classes.classes().stream().map(ClassLabel::prompt),
                        Stream.of(config.prompt().negative()))
                .distinct()
                .filter(text -> !done.contains(prompts.id(text)))
                .toList();
        PromptCuts.warnings(model.open(run.conf()), missing).forEach(tasks.console()::warn);
        List<List<String>> groups = new ArrayList<>();
        for (int from = 0; from < missing.size(); from += PROMPTS_PER_TASK) {
            groups.add(List.copyOf(missing.subList(from, Math.min(from + PROMPTS_PER_TASK, missing.size()))));
        }
        ModelSource source = model;
        String fingerprint = settings.inversion().checkpointFingerprint();
        tasks.run(Job.of(StageName.PROMPTS, "prompts", groups, List::size), groups, (folder, texts, progress) -> {
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

    private List<InversionChunk> inversionChunks(List<Catalog> catalogs) {
        List<InversionChunk> chunks = new ArrayList<>();
        for (Catalog catalog : catalogs) {
            for (Catalog.Chunk images : catalog.chunks()) {
                String id = InversionChunk.id(
                        settings.inversionId(), catalog.label().prompt(), images.id());
                chunks.add(new InversionChunk(id, catalog.label(), images.file(), images.id(), images.rows()));
            }
        }
        return chunks;
    }

    /**
     * Takes away the chunks of these stages that refused rows, and what was made of them, so that they are missing.
     * What is made of a chunk goes before it, and its rejected rows last: whenever this ends, nothing is lost and the
     * same command goes on.
     */
    private void forgetRejected(Set<StageName> stages, List<Catalog> catalogs) throws IOException {
        List<InversionChunk> inversions = stages.contains(StageName.INVERT)
                ? refusing(StageName.INVERT, inversionChunks(catalogs), InversionChunk::id)
                : List.of();
        List<GenerationChunk> generations = stages.contains(StageName.GENERATE)
                ? refusing(StageName.GENERATE, mixed(), GenerationChunk::id)
                : List.of();
        if (evaluation != null) {
            Set<String> again = Stream.concat(
                            inversions.stream().map(InversionChunk::id),
                            generations.stream().map(GenerationChunk::id))
                    .collect(Collectors.toSet());
            Set<String> refusing =
                    stages.contains(StageName.EVALUATE) ? run.rejectedChunks(StageName.EVALUATE) : Set.of();
            evaluation.forget(catalogs, inversionChunks(catalogs), mixed(), again, refusing);
        }
        export.forget(generations);
        tasks.map("forget refused inversions", inversions, (folder, chunk, progress) -> {
            folder.forget(Table.INVERTED, chunk.classId(), StageName.INVERT, chunk.id());
            return chunk.id();
        });
        tasks.map("forget refused images", generations, (folder, chunk, progress) -> {
            folder.forget(Table.GENERATED, chunk.classId(), StageName.GENERATE, chunk.id());
            return chunk.id();
        });
    }

    private <T> List<T> refusing(StageName stage, List<T> chunks, Function<T, String> id) throws IOException {
        Set<String> refusing = run.rejectedChunks(stage);
        return chunks.stream()
                .filter(chunk -> refusing.contains(id.apply(chunk)))
                .toList();
    }

    private void invert(List<Catalog> catalogs) throws IOException {
        long start = System.nanoTime();
        List<InversionChunk> all = inversionChunks(catalogs);
        Set<String> done = run.chunks(Table.INVERTED);
        List<InversionChunk> missing =
                all.stream().filter(chunk -> !done.contains(chunk.id())).toList();
        ModelSource source = invertingModel;
        String root = input;
        long maxPixels = config.input().maxPixels();
        var inversion = settings.inversion();
        String settingsId = settings.inversionId();
        List<ChunkResult> results = tasks.run(
                Job.of(StageName.INVERT, "images", missing, InversionChunk::rows),
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

    private void mix(List<Catalog> catalogs) throws IOException {
        preflight.warn(catalogs);
        long start = System.nanoTime();
        Set<String> inverted = run.chunks(Table.INVERTED);
        Map<ClassLabel, List<String>> pools = new LinkedHashMap<>();
        for (InversionChunk chunk : inversionChunks(catalogs)) {
            if (inverted.contains(chunk.id())) {
                pools.computeIfAbsent(chunk.label(), label -> new ArrayList<>()).add(chunk.id());
            }
        }
        int chunkRows = config.run().chunk();
        List<MixingEntry> entries = settings.mixing();
        Set<String> refusing = run.rejectedChunks(StageName.MIX);
        List<MixingChunk> missing = tasks.flatMap(
                "plan mixtures",
                List.copyOf(pools.keySet()),
                (folder, label, progress) -> new ArrayList<>(
                        new MixingPlan(folder, chunkRows).missing(label, pools.get(label), entries, refusing)));
        List<ChunkResult> results = tasks.run(
                Job.of(StageName.MIX, "mixtures", missing, chunk -> chunk.ks().size()),
                missing,
                (folder, chunk, progress) -> new MixingWork(folder, progress).mix(chunk));
        mixed = null;
        summarize(StageName.MIX, mixed().size() - missing.size(), results, start);
    }

    /** This configuration's chunks of the mixed table, of every class; looked for once, and again after mixing. */
    private List<GenerationChunk> mixed() {
        if (mixed == null) {
            mixed = listMixed();
        }
        return mixed;
    }

    private List<GenerationChunk> listMixed() {
        int chunkRows = config.run().chunk();
        List<MixingEntry> entries = settings.mixing();
        String settingsId = settings.generationId();
        return tasks.flatMap("list mixtures", classes.classes(), (folder, label, progress) -> {
            List<GenerationChunk> chunks = new ArrayList<>();
            for (MixedChunk mixed : new MixingPlan(folder, chunkRows).mixed(label, entries)) {
                chunks.add(new GenerationChunk(
                        GenerationChunk.id(settingsId, mixed.id()), label, mixed.id(), mixed.rows()));
            }
            return chunks;
        });
    }

    private void generate() throws IOException {
        long start = System.nanoTime();
        List<GenerationChunk> all = mixed();
        Set<String> done = run.chunks(Table.GENERATED);
        List<GenerationChunk> missing =
                all.stream().filter(chunk -> !done.contains(chunk.id())).toList();
        ModelSource source = model;
        var generation = settings.generation();
        String settingsId = settings.generationId();
        List<ChunkResult> results = tasks.run(
                Job.of(StageName.GENERATE, "images", missing, GenerationChunk::rows),
                missing,
                (folder, chunk, progress) -> new GenerationWork(
                                folder, source.onDevice(folder.conf()), generation, settingsId, progress)
                        .generate(chunk));
        summarize(StageName.GENERATE, all.size() - missing.size(), results, start);
    }

    private void evaluate(List<Catalog> catalogs) throws IOException {
        long start = System.nanoTime();
        Evaluation.Done done = evaluation.evaluate(catalogs, inversionChunks(catalogs), mixed());
        summarize(StageName.EVALUATE, done.doneBefore(), done.results(), start);
    }

    /** Brings the dataset up to date; returns its number of images. */
    private long export() throws IOException {
        long start = System.nanoTime();
        Export.Done done = export.export();
        summarize(StageName.EXPORT, done.doneBefore(), done.results(), start);
        return done.images();
    }

    private record ToCount(ClassLabel label, List<InversionChunk> inversions, List<GenerationChunk> generations)
            implements Serializable {}

    private Counts count(List<Catalog> catalogs) throws IOException {
        Map<String, ToCount> byClass = new LinkedHashMap<>();
        for (ClassLabel label : classes.classes()) {
            byClass.put(label.classId(), new ToCount(label, new ArrayList<>(), new ArrayList<>()));
        }
        inversionChunks(catalogs)
                .forEach(chunk ->
                        byClass.get(chunk.label().classId()).inversions().add(chunk));
        mixed().forEach(chunk ->
                byClass.get(chunk.label().classId()).generations().add(chunk));
        List<MixingEntry> entries = settings.mixing();
        Set<String> refusing = run.rejectedChunks(StageName.MIX);
        return Counts.of(tasks.map(
                "count rows",
                List.copyOf(byClass.values()),
                (folder, item, progress) ->
                        Census.of(folder, item.label(), item.inversions(), entries, item.generations(), refusing)));
    }

    /** How degenerate the mixtures of every cell are, over all classes. */
    private List<CellScores> scores() {
        List<String> names =
                config.mixing().stream().map(RunConfig.Mixing::name).toList();
        List<MixingEntry> entries = settings.mixing();
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

    private SettingsIds settingsIds(List<Catalog> catalogs) throws IOException {
        return new SettingsIds(
                settings.inversionId(),
                settings.mixing().stream().map(MixingEntry::settingsId).toList(),
                settings.generationId(),
                evaluation == null ? List.of() : evaluation.settingsIds(catalogs));
    }

    private void summarize(StageName stage, long doneBefore, List<ChunkResult> results, long start) {
        double devices = Needs.of(stage) == Needs.DEVICE ? devicesPerTask : 0;
        summaries.add(StageSummary.of(stage, doneBefore, results, (System.nanoTime() - start) / 1e9, devices));
    }
}
