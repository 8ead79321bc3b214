package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.plan.Asked;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.plan.ClassPool;
import latentmix.plan.ClassVerdicts;
import latentmix.plan.ExitCode;
import latentmix.plan.FeatureChunk;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.Kept;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.NetworkCost;
import latentmix.plan.RunSettings;
import latentmix.plan.Tally;
import latentmix.report.Adapted;
import latentmix.report.ClassImages;
import latentmix.report.Counts;
import latentmix.report.FilterSummary;
import latentmix.report.Leakage;
import latentmix.report.RunStart;
import latentmix.report.RunSummary;
import latentmix.report.SettingsIds;
import latentmix.report.Speed;
import latentmix.report.StageLeft;
import latentmix.report.StageSummary;
import latentmix.source.ImageSource;
import latentmix.table.Lease;
import latentmix.table.MetricRow;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import latentmix.work.CellScores;
import latentmix.work.Census;
import latentmix.work.ExportWork.ClassCount;
import latentmix.work.ImagesWork;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A run: images, invert, mix, generate, filter, evaluate, export, each doing only what is missing. Mix, generate and
 * filter go on until a filter has kept as many images as are asked for, or has had all its tries.
 *
 * <p>The driver lists and plans; executors read, compute and publish; nothing is shuffled.
 */
public final class Pipeline {
    /** The version of the run folder's layout: another one is refused. */
    static final int FORMAT = 3;

    private static final String FORMAT_FILE = "format.json";
    private static final String FORMAT_TEXT = "{\"format\": " + FORMAT + "}\n";

    /** A Spark property: the time after which a run that gives no sign of life has lost its folder. */
    private static final String LEASE = "spark.latentmix.lease";

    private final RunConfig config;
    private final RunFolder run;
    private final Tasks tasks;
    private final Preflight preflight;
    private final RunSettings settings;
    private final ImageSource source;
    private final ClassList classes;
    private final RunContext context;
    private final ImagesStage images;
    private final Optional<AdaptStage> adapt; // empty where classes are told their names alone
    private final PromptsStage prompts;
    private final InvertStage invert;
    private final GenerateStage generate;
    private final Optional<EvaluateStage> evaluate; // empty where nothing is to be measured
    private final Optional<FilterStage> filter; // empty where every image is kept
    private final Optional<LookStage> looks; // empty where nobody asks what real images look like
    private final Optional<LeakageStage> leakage; // empty where nobody asks how near images come to real ones
    private final ExportStage export;
    private final CheckpointFolder checkpoint;
    private final double devicesPerTask;
    private final List<StageSummary> summaries = new ArrayList<>();

    private Pipeline(JavaSparkContext spark, RunConfig config, RunFolder run, Tasks tasks, Preparation preparation)
            throws IOException {
        this.config = config;
        this.run = run;
        this.tasks = tasks;
        ModelSource model = new ModelSource(
                config.model().checkpoint(),
                config.model().dtype(),
                config.model().threads());
        ModelSource invertingModel = new ModelSource(model.checkpoint(), config.inversionDtype(), model.threads());
        this.preflight = new Preflight(config, run.conf(), tasks, model, invertingModel);
        this.checkpoint = preflight.checkpoint(preparation);
        this.devicesPerTask = Tasks.devicesPerTask(spark.getConf());
        this.settings = RunSettings.of(config, checkpoint, device(spark), preparation::settings);
        this.source = IndexStage.known(
                ImageSource.of(config.input(), ClassList.folders(config.input(), run.conf()), run.conf()),
                run,
                tasks,
                preparation);
        preflight.checkCaptions(source);
        this.classes = ClassList.read(config.input(), config.prompt(), source, run.conf());
        preflight.checkPrompts(checkpoint, classes.classes());
        preflight.checkCounts(source);
        this.context = new RunContext(run, tasks, config, settings, classes, source, model, invertingModel);
        this.images = new ImagesStage(context);
        this.adapt = config.adapt().isEmpty()
                ? Optional.empty()
                : Optional.of(new AdaptStage(context, checkpoint, preparation));
        this.prompts = new PromptsStage(context);
        this.invert = new InvertStage(context);
        this.generate = new GenerateStage(context);
        this.evaluate =
                config.evaluation() == null ? Optional.empty() : Optional.of(new EvaluateStage(context, preparation));
        this.looks = config.leakage().isEmpty() ? Optional.empty() : Optional.of(new LookStage(context, preparation));
        this.filter = config.filter().isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new FilterStage(context, preparation, evaluate.stream().toList(), looks.orElseThrow()));
        this.leakage = config.leakage().isEmpty()
                ? Optional.empty()
                : Optional.of(new LeakageStage(context, preparation, looks.orElseThrow()));
        this.export = new ExportStage(context);
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

    /**
     * A run that ended.
     *
     * @param summary what {@code run_summary.json} says
     * @param inverted the chunks of the inverted table that are the configuration's and stand
     * @param pools what mixtures that count are drawn from, by class
     * @param kept which mixtures are kept, where there is a filter and it ran
     */
    public record Finished(RunSummary summary, List<InversionChunk> inverted, List<ClassPool> pools, Kept kept) {
        public Finished {
            inverted = List.copyOf(inverted);
            pools = List.copyOf(pools);
        }
    }

    /** The same; returns what {@code run_summary.json} says. */
    public static RunSummary summary(JavaSparkContext spark, RunConfig config, String runFolder, List<StageName> stages)
            throws IOException {
        return summary(spark, config, runFolder, stages, RunTerms.NONE);
    }

    /** The same under terms. */
    public static RunSummary summary(
            JavaSparkContext spark, RunConfig config, String runFolder, List<StageName> stages, RunTerms terms)
            throws IOException {
        return finished(spark, config, runFolder, stages, terms).summary();
    }

    /**
     * The same; says which images count, too.
     *
     * @return whose exit code may be 75: stopped before the end, and to be run again
     * @throws Lease.HeldException if another run holds the folder
     */
    public static Finished finished(
            JavaSparkContext spark, RunConfig config, String runFolder, List<StageName> stages, RunTerms terms)
            throws IOException {
        RunFolder run = folder(spark, config, runFolder);
        Duration time = Duration.ofSeconds(spark.getConf().getTimeAsSeconds(LEASE, "30s"));
        try (Stop stop = new Stop(spark, run, terms.gpuHours());
                Lease lease = Lease.take(run, time, () -> stop.stop("another run took the folder over"))) {
            if (!saysFormat(run)) {
                run.publish(run.path(FORMAT_FILE), FORMAT_TEXT.getBytes(StandardCharsets.UTF_8));
            }
            run.clean();
            Tasks tasks = new Tasks(spark, run.root(), terms.console(), Optional.of(stop));
            Pipeline pipeline;
            try {
                pipeline = new Pipeline(spark, config, run, tasks, new Preparation.OfRun(run, terms));
            } catch (IOException e) {
                lease.check(); // which says why, where the folder is lost
                throw e;
            }
            return pipeline.run(EnumSet.copyOf(stages), stop, lease, terms);
        }
    }

    /**
     * What is to do in a run folder; starts no model and writes nothing.
     *
     * @throws ConfigException if the configuration does not fit the input, as for a run
     */
    public static Plan plan(JavaSparkContext spark, RunConfig config, String runFolder) throws IOException {
        RunFolder run = folder(spark, config, runFolder);
        saysFormat(run);
        List<String> warnings = new ArrayList<>();
        Tasks tasks = new Tasks(spark, run.root(), Console.warning(warnings::add));
        Pipeline pipeline = new Pipeline(spark, config, run, tasks, new Preparation.OfPlan());
        List<Catalog> catalogs = pipeline.catalogs(ImagesWork.Look.FORESEE);
        MixStage mix = pipeline.mix(catalogs);
        pipeline.checkExecutors(EnumSet.allOf(StageName.class), catalogs);
        pipeline.preflight.warn(catalogs, mix.entries());
        List<StageLeft> left = pipeline.left(catalogs, mix);
        List<Map<String, Long>> others = Stream.concat(
                        Stream.of(mix.leftOut(pipeline.invert.chunks(catalogs))),
                        pipeline.images.others(mix.entries()).stream().map(Census::leftOut))
                .toList();
        return new Plan(
                left,
                RowBytes.of(
                                pipeline.checkpoint,
                                pipeline.settings.inversion(),
                                config.inversionMethod(),
                                config.prompt().from())
                        .sizes(run, left),
                Plan.Found.of(
                        catalogs,
                        pipeline.source.unreadFiles(),
                        pipeline.images.ignored(catalogs),
                        others,
                        mix.entries(),
                        config.filter(),
                        warnings));
    }

    /**
     * Where a made image comes from; starts no model and writes nothing.
     *
     * @throws ConfigException if it is no mixture of this configuration
     */
    public static Trace trace(JavaSparkContext spark, RunConfig config, String runFolder, String mixId)
            throws IOException {
        RunFolder run = folder(spark, config, runFolder);
        saysFormat(run);
        Pipeline pipeline = new Pipeline(
                spark, config, run, new Tasks(spark, run.root(), Console.SILENT), new Preparation.OfPlan());
        List<Catalog> catalogs = pipeline.told(pipeline.images.catalogs(ImagesWork.Look.STANDING));
        MixStage mix = new MixStage(pipeline.context, pipeline.invert, catalogs);
        List<InversionChunk> inversions = pipeline.invert.chunks(catalogs);
        List<ClassVerdicts> verdicts = pipeline.verdicts(catalogs, inversions, mix);
        return Trace.of(
                spark,
                pipeline.context,
                mix.entries(),
                mix.chunks(inversions),
                pipeline.invert.pools(inversions),
                verdicts,
                pipeline.adapted(catalogs),
                mixId);
    }

    /** How fast each stage was when it last did something in a run folder. */
    public static Map<String, Speed> measured(JavaSparkContext spark, String runFolder) throws IOException {
        return RunSummary.measured(folder(spark, runFolder));
    }

    /** The images of every class; warns of what a person should know of them. */
    private List<Catalog> catalogs(ImagesWork.Look look) throws IOException {
        Stream.concat(source.remarks().stream(), classes.warnings().stream()).forEach(tasks.console()::warn);
        preflight.checkNames(run, classes.classes(), images);
        List<Catalog> catalogs = images.catalogs(look);
        ImagesStage.warnings(catalogs).forEach(tasks.console()::warn);
        return told(catalogs);
    }

    /** The images of every class, which is told what is learnt of it where that is asked for. */
    private List<Catalog> told(List<Catalog> catalogs) {
        return adapt.map(stage -> stage.told(catalogs)).orElse(catalogs);
    }

    /** What was learnt of these classes. */
    private List<Adapted> adapted(List<Catalog> catalogs) throws IOException {
        return adapt.isPresent() ? adapt.get().results(catalogs) : List.of();
    }

    /** Refuses executors that cannot serve these stages. */
    private void checkExecutors(Set<StageName> stages, List<Catalog> catalogs) throws IOException {
        preflight.checkExecutors(stages, settings.inversion());
        if (adapt.isPresent()
                && adapts(stages)
                && !adapt.get().missing(catalogs).isEmpty()) {
            preflight.checkAdapting(settings.inversion(), adapt.get().model());
        }
    }

    /** Whether these stages need what is learnt of classes: prompts are encoded with it. */
    private static boolean adapts(Set<StageName> stages) {
        return Stream.of(StageName.ADAPT, StageName.INVERT, StageName.GENERATE).anyMatch(stages::contains);
    }

    /** What is mixed of these images; refuses what they cannot serve. */
    private MixStage mix(List<Catalog> catalogs) {
        MixStage mix = new MixStage(context, invert, catalogs);
        preflight.checkImages(catalogs, mix.entries());
        adapt.ifPresent(stage -> stage.checkImages(catalogs));
        Asked.warnings(mix.entries(), catalogs).forEach(tasks.console()::warn);
        return mix;
    }

    /**
     * What a filter has said so far; the mixtures go on as far as that takes. Nothing without a filter.
     *
     * @param inversions this configuration's chunks of the inverted table, done or not
     */
    private List<ClassVerdicts> verdicts(List<Catalog> catalogs, List<InversionChunk> inversions, MixStage mix)
            throws IOException {
        if (filter.isEmpty()) {
            return List.of();
        }
        List<MixingEntry> entries = settings.counted(catalogs);
        List<ClassVerdicts> verdicts = filter.get().verdicts(catalogs, invert.pools(inversions), entries);
        mix.reach(ClassVerdicts.reaching(entries, verdicts, Tally::reach));
        return verdicts;
    }

    /** Which mixtures are kept. */
    private Kept kept(List<Catalog> catalogs, MixStage mix, List<ClassVerdicts> verdicts) throws IOException {
        return filter.isEmpty() ? Kept.all(mix.entries()) : filter.get().kept(settings.counted(catalogs), verdicts);
    }

    /** The chunks of the mixed table with what of them enters the dataset. */
    private List<MixedChunk> exported(List<InversionChunk> inversions, MixStage mix, List<ClassVerdicts> verdicts)
            throws IOException {
        return filter.isEmpty() ? mix.chunks(inversions) : FilterStage.judged(mix.chunks(inversions), verdicts);
    }

    private Finished run(Set<StageName> stages, Stop stop, Lease lease, RunTerms terms) throws IOException {
        if (evaluate.isEmpty() && stages.equals(EnumSet.of(StageName.EVALUATE))) {
            throw EvaluateStage.nothingAsked();
        }
        if (adapt.isEmpty() && stages.equals(EnumSet.of(StageName.ADAPT))) {
            throw AdaptStage.nothingAsked();
        }
        boolean scan = stages.contains(StageName.INVERT) || stages.contains(StageName.ADAPT);
        List<Catalog> catalogs = catalogs(scan ? ImagesWork.Look.SCAN : ImagesWork.Look.STANDING);
        Map<String, Long> ignored = scan ? images.ignored(catalogs) : Map.of();
        MixStage mix = mix(catalogs);
        checkExecutors(stages, catalogs);
        RunStart.of(
                        config,
                        settings,
                        filter.map(FilterStage::settingsId).orElse(""),
                        catalogs,
                        settings.counted(catalogs))
                .publish(run);
        if (adapt.isPresent() && adapts(stages)) {
            long start = System.nanoTime();
            summarize(StageName.ADAPT, adapt.get().run(catalogs), start);
        }
        if (!tasks.isStopped() && (stages.contains(StageName.INVERT) || stages.contains(StageName.GENERATE))) {
            prompts.run(catalogs);
        }
        List<InversionChunk> inversions = invert.chunks(catalogs);
        if (terms.retryRejected()) {
            forgetRejected(stages, catalogs, inversions, mix);
            inversions = invert.chunks(catalogs);
        }
        ExportStage.Done exported = ExportStage.Done.NOTHING;
        List<Leakage> near = List.of();
        List<ClassVerdicts> verdicts = List.of();
        for (StageName stage : stages) {
            if (tasks.isStopped()) {
                break;
            }
            long start = System.nanoTime();
            if (stage.compareTo(StageName.INVERT) > 0) {
                verdicts = verdicts(catalogs, inversions, mix);
            }
            switch (stage) {
                case IMAGES, ADAPT, PROMPTS -> {} // done before, where a stage that is asked for needs them
                case INVERT -> summarize(stage, invert.run(inversions), start);
                case MIX -> {
                    preflight.warn(catalogs, mix.entries());
                    summarize(stage, mix.run(inversions), start);
                }
                case GENERATE -> summarize(stage, generate.run(generate.chunks(mix.chunks(inversions))), start);
                case FILTER -> {
                    if (filter.isPresent()) {
                        summarize(stage, filter.get().run(catalogs, verdicts, settings.counted(catalogs)), start);
                        verdicts = verdicts(catalogs, inversions, mix);
                        if (stages.containsAll(List.of(StageName.MIX, StageName.GENERATE))) {
                            verdicts = fill(catalogs, inversions, mix, verdicts);
                        }
                        warnOfUnfilled(verdicts);
                    }
                }
                case EVALUATE -> {
                    if (evaluate.isPresent()) {
                        warnOfUnjudged(verdicts);
                        summarize(
                                stage,
                                evaluate.get()
                                        .run(
                                                catalogs,
                                                inversions,
                                                generate.chunks(mix.chunks(inversions)),
                                                kept(catalogs, mix, verdicts)),
                                start);
                    }
                }
                case EXPORT -> {
                    if (!stages.contains(StageName.EVALUATE)) {
                        warnOfUnjudged(verdicts);
                    }
                    List<MixedChunk> dataset = exported(inversions, mix, verdicts);
                    exported = export.run(dataset, inversions);
                    summarize(stage, exported.stage(), start);
                    if (leakage.isPresent() && !tasks.isStopped()) {
                        near = leakage.get().run(catalogs, export.made(dataset));
                    }
                }
            }
        }
        lease.check();
        boolean stopped = tasks.isStopped();
        List<StageLeft> left = stopped ? left(stages) : List.of();
        long uncaptioned = catalogs.stream().mapToLong(Catalog::uncaptioned).sum();
        Counts counts = count(catalogs, inversions, mix, ignored, uncaptioned);
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
                images(catalogs, exported),
                adapted(catalogs),
                scores(inversions, mix),
                filtered(verdicts),
                near,
                summaries,
                RunSummary.measured(run, summaries));
        summary.publish(run);
        Finished finished = new Finished(
                summary,
                invert.standing(inversions),
                invert.pools(inversions),
                stages.contains(StageName.FILTER) ? kept(catalogs, mix, verdicts) : Kept.all(mix.entries()));
        if (stopped) {
            terms.ending().say(Ending.stopped(stop.reason(), left));
            return finished;
        }
        if (stages.contains(StageName.EXPORT)) {
            List<MetricRow> metrics =
                    evaluate.isEmpty() ? List.of() : evaluate.get().rows(catalogs);
            export.describe(exported, summary, metrics);
            export.report(
                    invert.pools(classes.classes(), inversions),
                    summary,
                    kept(catalogs, mix, verdicts),
                    exported.images(),
                    metrics);
        }
        boolean didNothing = summaries.stream().allMatch(stage -> stage.chunks() == 0);
        Ending.done(
                        run,
                        stages,
                        counts,
                        exported.images(),
                        didNothing,
                        config.run().maxRejected())
                .forEach(terms.ending()::say);
        return finished;
    }

    /** The run folder; refuses one that is no place for a run of this configuration. */
    private static RunFolder folder(JavaSparkContext spark, RunConfig config, String location) throws IOException {
        RunFolder run = folder(spark, location);
        Preflight.checkPlace(run, config);
        if (!spark.isLocal()) {
            Preflight.checkFindable(config);
        }
        return run;
    }

    /** Makes and judges further mixtures while a class lacks some that it may still have. */
    private List<ClassVerdicts> fill(
            List<Catalog> catalogs, List<InversionChunk> inversions, MixStage mix, List<ClassVerdicts> verdicts)
            throws IOException {
        List<ClassVerdicts> so = verdicts;
        while (!tasks.isStopped()
                && so.stream().flatMap(of -> of.tallies().stream()).anyMatch(Tally::open)) {
            List<MixingEntry> before = mix.entries();
            long start = System.nanoTime();
            summarize(StageName.MIX, mix.run(inversions), start);
            start = System.nanoTime();
            so = verdicts(catalogs, inversions, mix);
            summarize(StageName.GENERATE, generate.run(generate.chunks(mix.chunks(inversions))), start);
            start = System.nanoTime();
            summarize(StageName.FILTER, filter.get().run(catalogs, so, settings.counted(catalogs)), start);
            so = verdicts(catalogs, inversions, mix);
            if (mix.entries().equals(before) && !tasks.isStopped()) {
                break; // what is open waits for what this run does not make
            }
        }
        return so;
    }

    /** What a filter made of each entry's mixtures; nothing without a filter. */
    private List<FilterSummary> filtered(List<ClassVerdicts> verdicts) {
        return verdicts.isEmpty()
                ? List.of()
                : IntStream.range(0, settings.mixing().size())
                        .mapToObj(entry -> FilterSummary.of(verdicts.stream()
                                .map(of -> of.tallies().get(entry))
                                .toList()))
                        .toList();
    }

    /** Says how many images could not be had in all tries. */
    private void warnOfUnfilled(List<ClassVerdicts> verdicts) {
        int tries = filter.orElseThrow().tries();
        filtered(verdicts).stream().flatMap(of -> of.lack(tries).stream()).forEach(tasks.console()::warn);
    }

    /** Says how many images are not measured and not exported since no one has judged them. */
    private void warnOfUnjudged(List<ClassVerdicts> verdicts) throws IOException {
        if (filter.isPresent()) {
            long images = filter.get().unjudged(verdicts);
            if (images > 0) {
                tasks.console()
                        .warn("filter: " + images + " images are not judged yet and are left out; run"
                                + " latentmix filter");
            }
        }
    }

    /** Where the run lies for every process: a cluster's executors have working folders of their own. */
    private static RunFolder folder(JavaSparkContext spark, String location) throws IOException {
        try {
            ConfigFile.requireNoCredentials(location);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(List.of("--run: " + e.getMessage()));
        }
        Configuration conf = spark.hadoopConfiguration();
        Path path = new Path(location);
        boolean relative = path.toUri().getScheme() == null && !path.isAbsolute();
        return new RunFolder(
                relative && !spark.isLocal()
                        ? path.getFileSystem(conf)
                                .makeQualified(path)
                                .toString()
                                .replaceFirst("^file:", "")
                        : location,
                conf);
    }

    /** What these stages have still to do. */
    private List<StageLeft> left(Set<StageName> stages) throws IOException {
        Set<String> asked = stages.stream().map(StageName::text).collect(Collectors.toSet());
        List<Catalog> catalogs = images.catalogs(ImagesWork.Look.FORESEE);
        return left(catalogs, new MixStage(context, invert, catalogs)).stream()
                .filter(stage -> stage.rows() > 0 && asked.contains(stage.stage()))
                .toList();
    }

    /**
     * What each stage would find missing once those before it are done. It is exact where every image is inverted and
     * every mixture drawn; before that it counts files, of which some may be refused.
     */
    private List<StageLeft> left(List<Catalog> catalogs, MixStage mix) throws IOException {
        NetworkCost cost = NetworkCost.of(config, checkpoint.schedulerConfig());
        Map<MixedTable.Effort, Long> evaluations = new HashMap<>();
        settings.mixing().stream()
                .flatMap(entry -> entry.settings().efforts().stream())
                .forEach(effort -> evaluations.computeIfAbsent(effort, cost::generation));

        List<InversionChunk> inversions = invert.chunks(catalogs);
        List<InversionChunk> uninverted = invert.missing(inversions);
        Set<ClassLabel> growing = uninverted.stream().map(InversionChunk::label).collect(Collectors.toSet());
        List<ClassVerdicts> verdicts = verdicts(
                catalogs,
                inversions.stream()
                        .filter(chunk -> !growing.contains(chunk.label()))
                        .toList(),
                mix);
        List<MixingChunk> unmixed = mix.foreseen(inversions, uninverted);
        Map<String, MixingChunk> unmixedById = new HashMap<>();
        unmixed.forEach(chunk -> unmixedById.put(chunk.id(), chunk));
        List<MixedChunk> mixed = Stream.concat(
                        mix.standing(inversions, uninverted).stream(),
                        unmixed.stream().map(chunk -> MixedChunk.of(chunk, mix.entries())))
                .toList();
        List<GenerationChunk> generations = generate.chunks(mixed);
        List<GenerationChunk> ungenerated = generate.missing(generations);
        List<FeatureChunk> unseen = evaluate.isEmpty()
                ? List.of()
                : evaluate.get().missing(catalogs, inversions, generations, kept(catalogs, mix, verdicts));
        List<StageLeft> left = new ArrayList<>(List.of(
                StageLeft.of(
                        StageName.INVERT,
                        uninverted,
                        InversionChunk::rows,
                        cost.inversion()
                                * uninverted.stream()
                                        .mapToLong(InversionChunk::rows)
                                        .sum()),
                StageLeft.of(StageName.MIX, unmixed, chunk -> chunk.ks().size(), 0),
                StageLeft.of(
                        StageName.GENERATE,
                        ungenerated,
                        GenerationChunk::rows,
                        generate.networkEvaluations(ungenerated, unmixedById, evaluations)),
                StageLeft.of(StageName.EVALUATE, unseen, FeatureChunk::rows, 0),
                export.left(filter.isEmpty() ? mixed : filter.get().foreseen(mixed, verdicts), inversions)));
        if (filter.isPresent()) {
            left.add(3, filter.get().left(verdicts, unmixed));
        }
        if (adapt.isPresent()) {
            left.add(0, adapt.get().left(catalogs));
        }
        return List.copyOf(left);
    }

    /** Whether a run folder says its format, which a new one does not; refuses another format. */
    private static boolean saysFormat(RunFolder run) throws IOException {
        var file = run.path(FORMAT_FILE);
        if (!run.exists(file)) {
            return false;
        }
        String found = new String(run.read(file), StandardCharsets.UTF_8);
        if (!found.equals(FORMAT_TEXT)) {
            throw new ConfigException(List.of("--run: expected a run folder of format " + FORMAT + ", but " + file
                    + " says " + found.strip() + "; use a new folder, or the version that made this one"));
        }
        return true;
    }

    /**
     * Takes away the chunks of these stages that refused rows, and what was made of them, so that they are missing.
     * What is made of a chunk goes before it, and its rejected rows last: whenever this ends, nothing is lost and the
     * same command goes on.
     */
    private void forgetRejected(Set<StageName> stages, List<Catalog> catalogs, List<InversionChunk> all, MixStage mix)
            throws IOException {
        List<ClassVerdicts> verdicts = verdicts(catalogs, all, mix);
        List<InversionChunk> inversions = stages.contains(StageName.INVERT) ? invert.refusing(all) : List.of();
        List<GenerationChunk> generations =
                stages.contains(StageName.GENERATE) ? generate.refusing(generate.chunks(mix.chunks(all))) : List.of();
        Set<String> again = Stream.concat(
                        inversions.stream().map(InversionChunk::id),
                        generations.stream().map(GenerationChunk::id))
                .collect(Collectors.toCollection(HashSet::new));
        List<GenerationChunk> made = generate.chunks(mix.chunks(all));
        List<FeatureChunk> unlooked = looks.isPresent() && stages.contains(StageName.FILTER)
                ? looks.get().refusing(looks.get().chunks(FeatureChunk.Source.INPUT, catalogs))
                : List.of();
        List<FeatureChunk> unseen =
                evaluate.isPresent() && (stages.contains(StageName.EVALUATE) || stages.contains(StageName.FILTER))
                        ? evaluate.get().refusing(catalogs, all, made)
                        : List.of();
        Set<String> changed = new HashSet<>(again);
        if (filter.isPresent()) {
            changed.addAll(filter.get().forget(verdicts, again, unlooked, unseen));
        }
        if (leakage.isPresent()) {
            leakage.get().forget(stages);
        }
        if (evaluate.isPresent()) {
            evaluate.get().forget(catalogs, all, made, again, changed, unseen);
        }
        export.forget(
                changed,
                stages.contains(StageName.EXPORT) ? run.rejectedChunks(StageName.EXPORT) : Set.of(),
                exported(all, mix, verdicts),
                all);
        if (looks.isPresent()) {
            looks.get().forget(unlooked);
        }
        invert.forget(inversions);
        generate.forget(generations);
        mix.forgetListing();
    }

    private record ToCount(Catalog catalog, List<InversionChunk> inversions, List<GenerationChunk> generations)
            implements Serializable {}

    private Counts count(
            List<Catalog> catalogs,
            List<InversionChunk> inversions,
            MixStage mix,
            Map<String, Long> ignored,
            long uncaptioned)
            throws IOException {
        Map<String, ToCount> byClass = new LinkedHashMap<>();
        for (Catalog catalog : catalogs) {
            byClass.put(catalog.label().classId(), new ToCount(catalog, new ArrayList<>(), new ArrayList<>()));
        }
        inversions.forEach(
                chunk -> byClass.get(chunk.label().classId()).inversions().add(chunk));
        generate.chunks(mix.chunks(inversions))
                .forEach(chunk ->
                        byClass.get(chunk.label().classId()).generations().add(chunk));
        List<MixingEntry> entries = mix.entries();
        Set<String> refusing = run.rejectedChunks(StageName.MIX);
        String among = invert.among(inversions);
        List<Census> counted = new ArrayList<>(tasks.map(
                "count rows",
                List.copyOf(byClass.values()),
                (folder, item, progress) -> Census.of(
                        folder, item.catalog(), item.inversions(), entries, item.generations(), refusing, among)));
        counted.add(Census.ofNoClass(run, StageName.IMAGES, source.indices()));
        counted.add(export.refused(inversions));
        counted.addAll(images.others(entries));
        return Counts.of(counted, ignored, uncaptioned);
    }

    /** How degenerate the mixtures of every cell are, over all classes. */
    private List<CellScores> scores(List<InversionChunk> inversions, MixStage mix) throws IOException {
        List<MixingEntry> entries = mix.entries();
        String settingsId = settings.generationId();
        List<ClassPool> pools = invert.pools(classes.classes(), inversions);
        return tasks
                .map("score mixtures", pools, (folder, pool, progress) -> {
                    ArrayList<CellScores> cells = new ArrayList<>();
                    String ownId = pool.id(folder);
                    for (MixingEntry entry : entries) {
                        String poolId = pool.drawnFrom(ownId, entry.settings());
                        cells.addAll(CellScores.of(folder, pool.label(), entry, poolId, settingsId));
                    }
                    return cells;
                })
                .stream()
                .reduce((one, other) -> IntStream.range(0, one.size())
                        .mapToObj(cell -> one.get(cell).plus(other.get(cell)))
                        .collect(Collectors.toCollection(ArrayList::new)))
                .orElseGet(ArrayList::new);
    }

    /** How many images each class has, real ones and those that an export made the dataset of. */
    private static Map<String, ClassImages> images(List<Catalog> catalogs, ExportStage.Done exported) {
        Map<String, ClassImages> images = new TreeMap<>();
        if (!exported.classes().isEmpty()) {
            Map<String, Integer> made = exported.classes().stream()
                    .collect(Collectors.toMap(count -> count.label().classId(), ClassCount::made));
            for (Catalog catalog : catalogs) {
                String folder = catalog.label().classId();
                images.put(folder, new ClassImages(catalog.images(), made.getOrDefault(folder, 0)));
            }
        }
        return images;
    }

    private SettingsIds settingsIds(List<Catalog> catalogs) throws IOException {
        return new SettingsIds(
                settings.inversionId(),
                settings.mixing().stream().map(MixingEntry::settingsId).toList(),
                settings.generationId(),
                filter.map(FilterStage::settingsId).orElse(""),
                evaluate.isEmpty() ? List.of() : evaluate.get().settingsIds(catalogs));
    }

    private void summarize(StageName stage, StageResult done, long start) {
        double devices = Needs.of(stage) == Needs.DEVICE ? devicesPerTask : 0;
        StageSummary summary =
                StageSummary.of(stage, done.doneBefore(), done.results(), (System.nanoTime() - start) / 1e9, devices);
        for (int i = 0; i < summaries.size(); i++) {
            if (summaries.get(i).stage().equals(stage.text())) { // of an earlier round
                summaries.set(i, summaries.get(i).plus(summary));
                return;
            }
        }
        summaries.add(summary);
    }
}
