package latentmix.stage;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.architecture.Architecture;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.Part;
import latentmix.checkpoint.CheckpointCache;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.model.Dtype;
import latentmix.model.InceptionFile;
import latentmix.plan.Catalog;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.plan.EvaluationSettings;
import latentmix.plan.FeatureChunk;
import latentmix.plan.FeatureChunk.Source;
import latentmix.plan.FeatureSettings;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.Kept;
import latentmix.plan.MixingEntry;
import latentmix.plan.RunSettings;
import latentmix.source.FolderSource;
import latentmix.source.ImageSource;
import latentmix.table.ContentId;
import latentmix.table.FeaturesTable;
import latentmix.table.MetricRow;
import latentmix.table.MetricsTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.CellState;
import latentmix.work.ChunkResult;
import latentmix.work.EvaluationWork;
import latentmix.work.EvaluationWork.Cell;
import latentmix.work.EvaluationWork.Measured;
import latentmix.work.FeatureKind;
import latentmix.work.FeatureWork;
import latentmix.work.FeatureWork.Network;

/**
 * Measures the images made: executors show each image to each network once and publish what it says, then measure class
 * by class; the driver merges the classes' states in their order and measures all together. Nothing is shuffled.
 *
 * <p>A file of metrics holds one mixing entry's numbers, or those of the lines of reference. It is named by its
 * settings and by the chunks measured, so that what stands is not measured again, and replaced where there are more
 * images.
 */
final class EvaluateStage {
    private final RunContext context;
    private final RunFolder run;
    private final MetricsTable metrics;
    private final Tasks tasks;
    private final RunConfig config;
    private final RunConfig.Evaluation asked;
    private final RunSettings settings;
    private final ClassList classes;
    private final ModelSource model;
    private final Preparation preparation;
    private final List<Network> networks;
    private final Optional<Reference> reference; // empty where images are compared with the input
    private final FeatureWork.Places places;
    private Plan plan; // made when it is first asked for

    /**
     * The settings of each of the configuration's entries, and last those of the lines of reference, with their ids.
     */
    private record Plan(List<Catalog> references, List<EvaluationSettings> settings, List<String> ids) {}

    EvaluateStage(RunContext context, Preparation preparation) throws IOException {
        this.context = context;
        this.run = context.run();
        this.metrics = new MetricsTable(run);
        this.tasks = context.tasks();
        this.config = context.config();
        this.asked = config.evaluation();
        this.settings = context.settings();
        this.classes = context.classes();
        this.model = context.model();
        this.preparation = preparation;
        this.networks = networks();
        this.reference = asked.reference() == null
                ? Optional.empty()
                : Optional.of(Reference.of(context, preparation, "evaluation.reference", asked.reference()));
        this.places = new FeatureWork.Places(
                context.source(),
                reference.map(Reference::source).orElse(context.source()),
                reference.map(Reference::tables).orElse(run).root(),
                config.input().maxPixels());
        checkReference();
    }

    private List<Network> networks() throws IOException {
        List<Network> found = new ArrayList<>();
        String classifier = asked.classifier(config.model().checkpoint().location());
        if (classifier != null) {
            found.add(network(FeatureKind.CLASSIFIER, classifier, compiled("classifier", classifier, Part.CLASSIFIER)));
            checkLabels(CheckpointCache.located(classifier, run.conf()));
        }
        if (asked.clip() != null) {
            found.add(network(FeatureKind.CLIP, asked.clip(), compiled("clip", asked.clip(), Part.IMAGE_ENCODER)));
        }
        if (asked.inception() != null) {
            RunConfig.Inception inception = asked.inception();
            try {
                InceptionFile.checked(CheckpointCache.located(inception.file(), run.conf()), inception.sha256());
            } catch (CheckpointException e) {
                throw new ConfigException(List.of("evaluation.inception: " + e.getMessage()));
            }
            found.add(network(FeatureKind.INCEPTION, inception.file(), inception.sha256()));
        }
        if (found.isEmpty()) {
            throw new ConfigException(
                    List.of("evaluation: expected a network whose features images are compared by, got none;"
                            + " set evaluation.classifier, evaluation.clip or evaluation.inception"));
        }
        return found;
    }

    /** Compiles a network before the first task; returns its fingerprint. */
    private String compiled(String key, String location, Part part) {
        try {
            Path folder = CheckpointCache.located(location, run.conf());
            preparation.compile(folder, part, Dtype.FLOAT32);
            return CheckpointFolder.fingerprint(folder);
        } catch (CheckpointException e) {
            throw new ConfigException(List.of("evaluation." + key + ": " + e.getMessage()));
        }
    }

    private Network network(FeatureKind kind, String location, String fingerprint) throws IOException {
        FeatureSettings features = new FeatureSettings(
                kind.text(),
                fingerprint,
                settings.inversion().device(),
                asked.batch(),
                config.model().threads(),
                settings.inversion().size());
        return new Network(kind, location, features, preparation.settings(features));
    }

    /** A classifier's outputs are classes by number: refuses labels that may be others. */
    private void checkLabels(Path folder) {
        if (!(Architecture.of(folder) instanceof ConvClassifier classifier)) {
            throw new ConfigException(List.of("evaluation.classifier: expected a ConvClassifier, got " + folder
                    + "; a CLIP vision model is evaluation.clip"));
        }
        int most = classes.classes().stream().mapToInt(ClassLabel::label).max().orElse(0);
        boolean stated = config.input().classes() != null;
        if (most >= classifier.numClasses() || (!stated && classes.classes().size() != classifier.numClasses())) {
            throw new ConfigException(List.of("evaluation.classifier: expected classes numbered as its "
                    + classifier.numClasses() + " outputs are, got "
                    + classes.classes().size()
                    + " classes up to number " + most
                    + "; number them by input.classes, or set evaluation.classifier: none"));
        }
    }

    private void checkReference() throws IOException {
        if (reference.isEmpty()) {
            return;
        }
        ImageSource source = reference.get().source();
        boolean folders = source instanceof FolderSource;
        Set<String> known = folders ? Set.of() : Set.copyOf(source.classIds(run.conf()));
        List<String> missing = new ArrayList<>();
        for (ClassLabel label : classes.classes()) {
            var folder = new org.apache.hadoop.fs.Path(reference.get().location(), label.classId());
            if (folders ? !folder.getFileSystem(run.conf()).exists(folder) : !known.contains(label.classId())) {
                missing.add(label.classId());
            }
        }
        if (!missing.isEmpty()) {
            throw new ConfigException(List.of("evaluation.reference: expected " + (folders ? "a folder" : "images")
                    + " for every class in "
                    + asked.reference() + ", but there is none for " + String.join(", ", missing)
                    + "; add images of them, or leave it out to compare with the input itself"));
        }
    }

    /** The settings ids of the configuration's entries in order, and last that of the lines of reference. */
    List<String> settingsIds(List<Catalog> input) throws IOException {
        return plan(input).ids();
    }

    private Plan plan(List<Catalog> input) throws IOException {
        if (plan == null) {
            plan = planned(input);
        }
        return plan;
    }

    private Plan planned(List<Catalog> input) throws IOException {
        List<Catalog> references =
                reference.isEmpty() ? input : reference.get().catalogs(context, classes.classes(), preparation.look());
        String images = ContentId.of(references.stream()
                .flatMap(catalog ->
                        catalog.chunks().stream().map(chunk -> catalog.label().classId() + "/" + chunk.content()))
                .sorted()
                .toList());
        List<String> features = networks.stream().map(Network::settingsId).toList();
        List<EvaluationSettings> all = new ArrayList<>();
        for (MixingEntry entry : settings.mixing()) {
            all.add(new EvaluationSettings(
                    features,
                    images,
                    "",
                    entry.settingsId(),
                    settings.generationId(),
                    asked.sample(),
                    asked.neighbours()));
        }
        all.add(new EvaluationSettings(
                features, images, settings.inversionId(), "", "", asked.sample(), asked.neighbours()));
        List<String> ids = new ArrayList<>();
        for (EvaluationSettings one : all) {
            ids.add(preparation.settings(one));
        }
        return new Plan(references, all, ids);
    }

    /**
     * The chunks of features that are missing: none where everything is measured.
     *
     * @param inversions the chunks of the inverted table that stand, or will
     * @param generations the chunks of the generated table that stand, or will
     * @param kept the mixtures that are measured
     */
    List<FeatureChunk> missing(
            List<Catalog> input, List<InversionChunk> inversions, List<GenerationChunk> generations, Kept kept)
            throws IOException {
        Plan plan = plan(input);
        Map<Network, Map<String, ClassChunks>> chunks = chunks(plan, input, inversions, generations);
        return unmeasured(names(plan, chunks, kept)).isEmpty()
                ? List.of()
                : missing(all(chunks), run.chunks(Table.FEATURES));
    }

    private static List<FeatureChunk> missing(List<FeatureChunk> chunks, Set<String> done) {
        return chunks.stream().filter(chunk -> !done.contains(chunk.id())).toList();
    }

    /** The indices of these files of metrics that do not stand. */
    private List<Integer> unmeasured(List<String> names) throws IOException {
        Set<String> present = metrics.names();
        return IntStream.range(0, names.size())
                .filter(i -> !present.contains(names.get(i)))
                .boxed()
                .toList();
    }

    /**
     * Measures what is not measured yet.
     *
     * @param inversions this configuration's chunks of the inverted table
     * @param generations and of the generated one
     * @param kept the mixtures that are measured
     */
    StageResult run(List<Catalog> input, List<InversionChunk> inversions, List<GenerationChunk> generations, Kept kept)
            throws IOException {
        Plan plan = plan(input);
        Map<Network, Map<String, ClassChunks>> chunks = standing(plan, input, inversions, generations);
        List<String> names = names(plan, chunks, kept);
        List<Integer> missing = unmeasured(names);
        List<FeatureChunk> all = all(chunks);
        if (missing.isEmpty()) {
            return new StageResult(all.size(), List.of());
        }
        Set<String> done = run.chunks(Table.FEATURES);
        List<ChunkResult> results = new ArrayList<>();
        for (Network network : networks) {
            results.addAll(show(
                    StageName.EVALUATE,
                    network,
                    missing(
                            chunks.get(network).values().stream()
                                    .flatMap(own -> own.chunks.stream())
                                    .toList(),
                            done)));
        }
        if (tasks.isStopped()) {
            return new StageResult(all.size() - results.size(), results);
        }
        publish(plan, names, missing, measure(chunks, kept));
        return new StageResult(all.size() - results.size(), results);
    }

    /**
     * The features that refused images.
     *
     * @param inversions this configuration's chunks of the inverted table
     * @param generations and of the generated one
     */
    List<FeatureChunk> refusing(List<Catalog> input, List<InversionChunk> inversions, List<GenerationChunk> generations)
            throws IOException {
        Set<String> refusing = run.rejectedChunks(StageName.EVALUATE);
        return all(standing(plan(input), input, inversions, generations)).stream()
                .filter(chunk -> refusing.contains(chunk.id()))
                .toList();
    }

    /**
     * Takes away what was measured of chunks that change, and the features of those that will be made again.
     *
     * @param again the ids of chunks of the inverted and the generated table that will be made again
     * @param changed the ids of these, and of those that will be judged again
     * @param refusing features that go, too: those that refused images
     */
    void forget(
            List<Catalog> input,
            List<InversionChunk> inversions,
            List<GenerationChunk> generations,
            Set<String> again,
            Set<String> changed,
            List<FeatureChunk> refusing)
            throws IOException {
        if (changed.isEmpty() && refusing.isEmpty()) {
            return;
        }
        Plan plan = plan(input);
        Set<String> refused = refusing.stream().map(FeatureChunk::id).collect(Collectors.toSet());
        List<FeatureChunk> forgotten = all(standing(plan, input, inversions, generations)).stream()
                .filter(chunk -> again.contains(chunk.chunk()) || refused.contains(chunk.id()))
                .toList();
        for (String name : metrics.names(plan.ids())) {
            metrics.delete(name);
        }
        tasks.map("forget features", forgotten, (folder, chunk, progress) -> {
            new FeaturesTable(folder, chunk.classId()).forget(chunk.id());
            return chunk.id();
        });
    }

    /** The features of what stands, and of real images. */
    private Map<Network, Map<String, ClassChunks>> standing(
            Plan plan, List<Catalog> input, List<InversionChunk> inversions, List<GenerationChunk> generations)
            throws IOException {
        Set<String> inverted = run.chunks(Table.INVERTED);
        Set<String> generated = run.chunks(Table.GENERATED);
        return chunks(
                plan,
                input,
                inversions.stream()
                        .filter(chunk -> inverted.contains(chunk.id()))
                        .toList(),
                generations.stream()
                        .filter(chunk -> generated.contains(chunk.id()))
                        .toList());
    }

    private Map<Network, Map<String, ClassChunks>> chunks(
            Plan plan, List<Catalog> input, List<InversionChunk> inversions, List<GenerationChunk> generations)
            throws IOException {
        Set<String> done = run.chunks(Table.FEATURES);
        Map<Network, Map<String, ClassChunks>> chunks = new LinkedHashMap<>();
        for (Network network : networks) {
            Map<String, ClassChunks> byClass = new LinkedHashMap<>();
            classes.classes().forEach(label -> byClass.put(label.classId(), new ClassChunks(label, network, done)));
            list(Source.INPUT, input, byClass);
            if (reference.isPresent()) {
                list(Source.REFERENCE, plan.references(), byClass);
            }
            for (InversionChunk chunk : inversions) {
                byClass.get(chunk.label().classId())
                        .add(Source.RECONSTRUCTION, chunk.id(), chunk.id(), chunk.rows(), chunk.leftOut());
            }
            for (GenerationChunk chunk : generations) {
                ClassChunks own = byClass.get(chunk.label().classId());
                own.mixed.put(
                        chunk.mixed(), own.add(Source.GENERATED, chunk.id(), chunk.id(), chunk.rows(), List.of()));
            }
            chunks.put(network, byClass);
        }
        return chunks;
    }

    private static List<FeatureChunk> all(Map<Network, Map<String, ClassChunks>> chunks) {
        return chunks.values().stream()
                .flatMap(byClass -> byClass.values().stream())
                .flatMap(own -> own.chunks.stream())
                .toList();
    }

    /** A class's chunks of features by one network. */
    private static final class ClassChunks {
        private final ClassLabel label;
        private final Network network;
        private final Set<String> done;
        private final List<FeatureChunk> chunks = new ArrayList<>();
        private final Map<String, FeatureChunk> mixed = new LinkedHashMap<>();

        ClassChunks(ClassLabel label, Network network, Set<String> done) {
            this.label = label;
            this.network = network;
            this.done = done;
        }

        FeatureChunk add(Source source, String file, String chunk, int rows, List<String> leftOut) {
            FeatureChunk added =
                    FeatureChunk.of(network.settingsId(), label.classId(), source, file, chunk, rows, leftOut, done);
            chunks.add(added);
            return added;
        }

        List<FeatureChunk> of(Source source) {
            return chunks.stream().filter(chunk -> chunk.source() == source).toList();
        }

        EvaluationWork.Chunks measuredBy(FeatureKind kind) {
            return new EvaluationWork.Chunks(
                    label,
                    kind,
                    of(Source.INPUT),
                    of(Source.REFERENCE),
                    of(Source.RECONSTRUCTION),
                    new LinkedHashMap<>(mixed));
        }
    }

    private static void list(Source source, List<Catalog> catalogs, Map<String, ClassChunks> byClass) {
        for (Catalog catalog : catalogs) {
            for (Catalog.Chunk chunk : catalog.chunks()) {
                byClass.get(catalog.label().classId())
                        .add(source, chunk.file(), chunk.id(), chunk.rows(), chunk.leftOut());
            }
        }
    }

    /** The name of each file of metrics: its settings, and everything that is measured. */
    private List<String> names(Plan plan, Map<Network, Map<String, ClassChunks>> chunks, Kept kept) {
        List<MixingEntry> entries = kept.entries();
        Set<String> real = new TreeSet<>();
        Set<String> made = new TreeSet<>();
        chunks.values().forEach(byClass -> byClass.values()
                .forEach(own -> own.chunks.forEach(
                        chunk -> (chunk.source() == Source.GENERATED ? made : real).add(chunk.content()))));
        made.addAll(kept.judged().values());
        List<String> names = new ArrayList<>();
        for (int i = 0; i < plan.ids().size(); i++) {
            boolean mixtures = i < entries.size();
            String count =
                    mixtures ? entries.get(i).name() + " " + entries.get(i).counts() : "";
            List<String> parts = Stream.of(real, mixtures ? made : Set.<String>of(), Set.of(count))
                    .flatMap(Set::stream)
                    .toList();
            names.add(plan.ids().get(i) + "-" + ContentId.of(parts));
        }
        return names;
    }

    /** The network of this name that the configuration has. */
    Network network(String name) {
        return networks.stream()
                .filter(network -> network.kind().text().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** Shows images to a network, for a stage that needs its features. */
    List<ChunkResult> show(StageName stage, Network network, List<FeatureChunk> missing) {
        FeatureWork.Places where = places;
        ModelSource source = model;
        return tasks.run(
                Job.of(stage, "images", missing, FeatureChunk::rows),
                missing,
                (folder, chunk, progress) -> new FeatureWork(
                                folder, network, where, source.onDevice(folder.conf()), progress)
                        .extract(chunk));
    }

    private List<Measured> measure(Map<Network, Map<String, ClassChunks>> chunks, Kept kept) {
        int sample = asked.sample();
        int neighbours = asked.neighbours();
        List<Measured> measured = new ArrayList<>();
        for (Network network : networks) {
            FeatureKind kind = network.kind();
            List<EvaluationWork.Chunks> items = chunks.get(network).values().stream()
                    .map(own -> own.measuredBy(kind))
                    .toList();
            List<EvaluationWork.Result> results =
                    tasks.map("measure by " + kind.text(), items, (folder, item, progress) -> new EvaluationWork(
                                    folder, kept, sample, neighbours)
                            .measure(item));
            Map<Cell, CellState> all = new LinkedHashMap<>();
            for (EvaluationWork.Result result : results) { // in the order of classes, so that sums round alike
                measured.addAll(result.measured());
                result.states().forEach((cell, state) -> all.computeIfAbsent(cell, key -> CellState.like(state, sample))
                        .merge(state));
            }
            measured.addAll(EvaluationWork.measured(kind, MetricRow.ALL, all, neighbours));
        }
        return measured;
    }

    private void publish(Plan plan, List<String> names, List<Integer> missing, List<Measured> measured)
            throws IOException {
        Map<String, List<Measured>> byEntry = new TreeMap<>();
        measured.forEach(row -> byEntry.computeIfAbsent(row.cell().entry(), entry -> new ArrayList<>())
                .add(row));
        for (int i : missing) {
            String entry =
                    i < settings.mixing().size() ? settings.mixing().get(i).name() : "";
            String id = plan.ids().get(i);
            List<MetricRow> rows = byEntry.getOrDefault(entry, List.of()).stream()
                    .map(row -> row(id, row))
                    .toList();
            metrics.publish(names.get(i), rows);
            for (String other : metrics.names(List.of(id))) {
                if (!names.contains(other)) { // of fewer images, or of others
                    metrics.delete(other);
                }
            }
        }
    }

    private static MetricRow row(String settingsId, Measured measured) {
        Cell cell = measured.cell();
        return new MetricRow(
                settingsId,
                measured.scope(),
                cell.entry(),
                cell.method(),
                cell.sourceCount(),
                cell.weights(),
                measured.metric(),
                measured.estimate().value(),
                measured.images(),
                measured.estimate().low(),
                measured.estimate().high());
    }

    /** The metrics that stand for this configuration. */
    List<MetricRow> rows(List<Catalog> input) throws IOException {
        List<MetricRow> rows = new ArrayList<>();
        for (String name : metrics.names(settingsIds(input))) {
            rows.addAll(metrics.rows(name));
        }
        return rows;
    }

    /** What is asked of an evaluation without a section that says what. */
    static ConfigException nothingAsked() {
        return new ConfigException(
                List.of("evaluation: expected a section that says what is measured, got none; write `evaluation:"
                        + " {}` for the model's own classifier and the input as the reference"));
    }
}
