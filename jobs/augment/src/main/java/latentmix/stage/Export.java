package latentmix.stage;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.config.RunConfig;
import latentmix.export.DatasetFeatures;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.plan.ExportChunk;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingEntry;
import latentmix.plan.RunSettings;
import latentmix.report.Album;
import latentmix.report.Gallery;
import latentmix.report.Report;
import latentmix.report.RunSummary;
import latentmix.table.MetricRow;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.ExportWork;
import latentmix.work.MixingPlan;

/** The last stage: the dataset of the images that are asked for, and the page that shows a run. */
final class Export {
    private static final int CLASSES_IN_REPORT = 10;

    /**
     * What an export did.
     *
     * @param images in the dataset
     */
    record Done(List<ChunkResult> results, long doneBefore, long images) {}

    private final RunFolder run;
    private final Tasks tasks;
    private final RunConfig config;
    private final RunSettings settings;
    private final ClassList classes;
    private final String input;

    Export(RunFolder run, Tasks tasks, RunConfig config, RunSettings settings, ClassList classes, String input) {
        this.run = run;
        this.tasks = tasks;
        this.config = config;
        this.settings = settings;
        this.classes = classes;
        this.input = input;
    }

    /** Brings the dataset up to date. */
    Done export() throws IOException {
        String features = DatasetFeatures.json(classes.names());
        List<ExportChunk> all = exported(features);
        Set<String> ids = all.stream().map(chunk -> chunk.id() + ".parquet").collect(Collectors.toSet());
        Set<String> present = run.files(ExportWork.PARQUET);
        for (String file : present) {
            if (!ids.contains(file)) { // gone before its images may change: a Parquet file vouches for them
                run.delete(ExportWork.PARQUET + "/" + file);
            }
        }
        List<ExportChunk> missing = all.stream()
                .filter(chunk -> !present.contains(chunk.id() + ".parquet"))
                .toList();
        List<ChunkResult> results = tasks.run(
                Job.of(StageName.EXPORT, "images", missing, ExportChunk::rows),
                missing,
                (folder, chunk, progress) -> new ExportWork(folder).export(chunk, features, progress));
        Map<ClassLabel, ArrayList<ExportChunk>> byClass = new LinkedHashMap<>();
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
        return new Done(
                results,
                all.size() - missing.size(),
                exported.stream().mapToLong(Integer::longValue).sum());
    }

    /** Takes these chunks' files, which vouch for their images, out of the dataset. */
    void forget(List<GenerationChunk> generations) throws IOException {
        if (generations.isEmpty()) {
            return;
        }
        Set<String> ids = generations.stream().map(GenerationChunk::id).collect(Collectors.toSet());
        for (ExportChunk chunk : exported(DatasetFeatures.json(classes.names()))) {
            if (ids.contains(chunk.generated())) {
                run.delete(ExportWork.PARQUET + "/" + chunk.id() + ".parquet");
            }
        }
    }

    /** The generated chunks that enter the dataset: those of the entries with {@code export: true}. */
    private List<ExportChunk> exported(String features) throws IOException {
        int chunkRows = config.run().chunk();
        String settingsId = settings.generationId();
        List<MixingEntry> entries = IntStream.range(0, config.mixing().size())
                .filter(i -> config.mixing().get(i).export())
                .mapToObj(settings.mixing()::get)
                .toList();
        Set<String> generated = run.chunks(Table.GENERATED);
        return tasks
                .flatMap("list mixtures", classes.classes(), (folder, label, progress) -> {
                    List<ExportChunk> chunks = new ArrayList<>();
                    for (MixedChunk mixed : new MixingPlan(folder, chunkRows).mixed(label, entries)) {
                        String id = GenerationChunk.id(settingsId, mixed.id());
                        chunks.add(ExportChunk.of(label, id, mixed, features));
                    }
                    return chunks;
                })
                .stream()
                .filter(chunk -> generated.contains(chunk.generated()))
                .toList();
    }

    /**
     * Replaces {@code report.html}, with pictures of some classes.
     *
     * @param inversions this configuration's chunks of the inverted table
     * @param exported images in the dataset
     */
    void report(List<InversionChunk> inversions, RunSummary summary, long exported, List<MetricRow> metrics)
            throws IOException {
        Map<ClassLabel, ArrayList<String>> inverted = new LinkedHashMap<>();
        classes.classes().forEach(label -> inverted.put(label, new ArrayList<>()));
        inversions.forEach(chunk -> inverted.get(chunk.label()).add(chunk.id()));
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
        String html = new Report(config, summary, exported, classes.classes().size(), galleries, metrics).html();
        run.publish(run.path("report.html"), html.getBytes(StandardCharsets.UTF_8));
    }
}
