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
import latentmix.plan.RunSettings;
import latentmix.report.Album;
import latentmix.report.Gallery;
import latentmix.report.Report;
import latentmix.report.RunSummary;
import latentmix.source.ImageSource;
import latentmix.table.MetricRow;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.ExportWork;

/** The last stage: the dataset of the images that are asked for, and the page that shows a run. */
final class ExportStage {
    private static final int CLASSES_IN_REPORT = 10;

    /**
     * What an export did.
     *
     * @param images in the dataset
     */
    record Done(StageResult stage, long images) {}

    private final RunFolder run;
    private final Tasks tasks;
    private final RunConfig config;
    private final RunSettings settings;
    private final ClassList classes;
    private final ImageSource source;
    private final String features; // the dataset's

    ExportStage(RunContext context) {
        this.run = context.run();
        this.tasks = context.tasks();
        this.config = context.config();
        this.settings = context.settings();
        this.classes = context.classes();
        this.source = context.source();
        this.features = DatasetFeatures.json(classes.names());
    }

    /** The chunks of the dataset, done or not: those with mixtures of the entries with {@code export: true}. */
    List<ExportChunk> chunks(List<MixedChunk> mixed) {
        return mixed.stream()
                .filter(chunk -> chunk.exported() > 0)
                .map(chunk -> ExportChunk.of(settings.generationId(), chunk, features))
                .toList();
    }

    /** Those that do not stand yet. */
    List<ExportChunk> missing(List<ExportChunk> chunks) throws IOException {
        return missing(chunks, run.files(ExportWork.PARQUET));
    }

    private static List<ExportChunk> missing(List<ExportChunk> chunks, Set<String> present) {
        return chunks.stream().filter(chunk -> !present.contains(chunk.file())).toList();
    }

    /** Brings the dataset up to date. */
    Done run(List<MixedChunk> mixed) throws IOException {
        Set<String> generated = run.chunks(Table.GENERATED);
        List<ExportChunk> all = chunks(mixed).stream()
                .filter(chunk -> generated.contains(chunk.generated()))
                .toList();
        Set<String> ids = all.stream().map(ExportChunk::file).collect(Collectors.toSet());
        Set<String> present = run.files(ExportWork.PARQUET);
        for (String file : present) {
            if (!ids.contains(file)) { // gone before its images may change: a Parquet file vouches for them
                run.delete(ExportWork.PARQUET + "/" + file);
            }
        }
        List<ExportChunk> missing = missing(all, present);
        String footer = features;
        List<ChunkResult> results = tasks.run(
                Job.of(StageName.EXPORT, "images", missing, ExportChunk::rows),
                missing,
                (folder, chunk, progress) -> new ExportWork(folder).export(chunk, footer, progress));
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
                new StageResult(all.size() - missing.size(), results),
                exported.stream().mapToLong(Integer::longValue).sum());
    }

    /** Takes these chunks' files, which vouch for their images, out of the dataset. */
    void forget(List<GenerationChunk> generations, List<MixedChunk> mixed) throws IOException {
        if (generations.isEmpty()) {
            return;
        }
        Set<String> ids = generations.stream().map(GenerationChunk::id).collect(Collectors.toSet());
        for (ExportChunk chunk : chunks(mixed)) {
            if (ids.contains(chunk.generated())) {
                run.delete(ExportWork.PARQUET + "/" + chunk.file());
            }
        }
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
                source,
                config.input().maxPixels(),
                settings.mixing(),
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
