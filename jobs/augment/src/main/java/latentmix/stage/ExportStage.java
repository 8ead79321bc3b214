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
import latentmix.plan.ExportShard;
import latentmix.plan.GenerationChunk;
import latentmix.plan.InversionChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.RunSettings;
import latentmix.report.Album;
import latentmix.report.Gallery;
import latentmix.report.Report;
import latentmix.report.RunSummary;
import latentmix.report.StageLeft;
import latentmix.source.ImageSource;
import latentmix.table.DatasetTable;
import latentmix.table.MetricRow;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.ChunkResult;
import latentmix.work.ExportWork;

/** The last stage: the dataset of the images that are asked for, and the page that shows a run. */
final class ExportStage {
    private static final int CLASSES_IN_REPORT = 10;
    private static final long MEGABYTE = 1_000_000;

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
    private final List<RunConfig.DatasetFormat> formats;

    ExportStage(RunContext context) {
        this.run = context.run();
        this.tasks = context.tasks();
        this.config = context.config();
        this.settings = context.settings();
        this.classes = context.classes();
        this.source = context.source();
        this.features = DatasetFeatures.json(classes.names());
        this.formats = config.export().formats();
    }

    /** The chunks of the dataset, done or not: those with mixtures of the entries with {@code export: true}. */
    private List<ExportChunk> chunks(List<MixedChunk> mixed) {
        return mixed.stream()
                .filter(chunk -> chunk.exported() > 0)
                .map(chunk -> ExportChunk.of(settings.generationId(), chunk, features))
                .toList();
    }

    /** The shards of these chunks by the bytes of their generated files, or by a guess where those do not stand yet. */
    private List<ExportShard> shards(List<ExportChunk> chunks, Map<String, Long> generated) {
        long image = RowBytes.image(settings.inversion().size());
        return ExportShard.pack(
                chunks,
                chunk -> generated.containsKey(chunk.generated())
                        ? Math.round(generated.get(chunk.generated()) * chunk.share())
                        : chunk.rows() * image,
                config.export().shardMb() * MEGABYTE);
    }

    /** What is left to do. Shards are guessed where their images are not generated yet. */
    StageLeft left(List<MixedChunk> mixed) throws IOException {
        List<ExportChunk> chunks = chunks(mixed);
        List<ExportShard> shards = shards(chunks, run.sizes(Table.GENERATED));
        List<Integer> rows = new ArrayList<>(); // of each task
        for (RunConfig.DatasetFormat format : formats) {
            switch (format) {
                case PARQUET, WEBDATASET ->
                    missing(format, shards).stream().map(ExportShard::rows).forEach(rows::add);
                case IMAGES -> missing(chunks).stream().map(ExportChunk::rows).forEach(rows::add);
            }
        }
        return StageLeft.of(StageName.EXPORT, rows, Integer::intValue, 0);
    }

    private List<ExportShard> missing(RunConfig.DatasetFormat format, List<ExportShard> shards) throws IOException {
        Set<String> present = run.files(folder(format));
        return shards.stream()
                .filter(shard -> !present.contains(file(format, shard)))
                .toList();
    }

    private List<ExportChunk> missing(List<ExportChunk> chunks) throws IOException {
        Set<String> present = run.files(ExportWork.EXPORTED);
        return chunks.stream().filter(chunk -> !present.contains(chunk.id())).toList();
    }

    /** Where the files lie that vouch for the images of a format. */
    private static String folder(RunConfig.DatasetFormat format) {
        return switch (format) {
            case PARQUET -> DatasetTable.FOLDER;
            case WEBDATASET -> ExportWork.WEBDATASET;
            case IMAGES -> ExportWork.EXPORTED;
        };
    }

    private static String file(RunConfig.DatasetFormat format, ExportShard shard) {
        return shard.file(format == RunConfig.DatasetFormat.PARQUET ? ".parquet" : ".tar");
    }

    /** Brings the dataset up to date, every format on its own. */
    Done run(List<MixedChunk> mixed) throws IOException {
        Map<String, Long> generated = run.sizes(Table.GENERATED);
        List<ExportChunk> chunks = chunks(mixed).stream()
                .filter(chunk -> generated.containsKey(chunk.generated()))
                .toList();
        List<ExportShard> shards = shards(chunks, generated);
        keep(shards, chunks);
        long doneBefore = 0;
        List<ChunkResult> results = new ArrayList<>();
        for (RunConfig.DatasetFormat format : formats) {
            if (format == RunConfig.DatasetFormat.IMAGES) {
                List<ExportChunk> missing = missing(chunks);
                doneBefore += chunks.size() - missing.size();
                results.addAll(tasks.run(
                        Job.of(StageName.EXPORT, "images", missing, ExportChunk::rows),
                        missing,
                        (folder, chunk, progress) -> new ExportWork(folder).images(chunk, progress)));
            } else {
                List<ExportShard> missing = missing(format, shards);
                doneBefore += shards.size() - missing.size();
                results.addAll(tasks.run(
                        Job.of(StageName.EXPORT, "images", missing, ExportShard::rows),
                        missing,
                        write(format, features)));
            }
        }
        return new Done(new StageResult(doneBefore, results), describe(chunks));
    }

    private static Tasks.Work<ExportShard, ChunkResult> write(RunConfig.DatasetFormat format, String features) {
        return format == RunConfig.DatasetFormat.PARQUET
                ? (folder, shard, progress) -> new ExportWork(folder).parquet(shard, features, progress)
                : (folder, shard, progress) -> new ExportWork(folder).webdataset(shard, progress);
    }

    /**
     * Takes away what is no more: shards, marks of chunks, and formats that are not asked for. A mark goes before its
     * images may change, for which it vouches.
     */
    private void keep(List<ExportShard> shards, List<ExportChunk> chunks) throws IOException {
        for (RunConfig.DatasetFormat format : RunConfig.DatasetFormat.values()) {
            Set<String> kept = !formats.contains(format)
                    ? Set.of()
                    : format == RunConfig.DatasetFormat.IMAGES
                            ? chunks.stream().map(ExportChunk::id).collect(Collectors.toSet())
                            : shards.stream().map(shard -> file(format, shard)).collect(Collectors.toSet());
            for (String file : run.files(folder(format))) {
                if (!kept.contains(file)) {
                    run.delete(folder(format) + "/" + file);
                }
            }
        }
    }

    /** Makes the classes' folders say and hold what they should, where they are asked for; returns how many images. */
    private long describe(List<ExportChunk> chunks) throws IOException {
        Map<ClassLabel, ArrayList<ExportChunk>> byClass = new LinkedHashMap<>();
        chunks.forEach(chunk -> byClass.computeIfAbsent(chunk.label(), label -> new ArrayList<>())
                .add(chunk));
        boolean folders = formats.contains(RunConfig.DatasetFormat.IMAGES);
        List<Integer> exported =
                tasks.map("describe classes", List.copyOf(byClass.values()), (folder, of, progress) -> {
                    ExportWork work = new ExportWork(folder);
                    return folders ? work.finish(of.get(0).label(), of) : work.count(of);
                });
        Set<String> kept =
                folders ? byClass.keySet().stream().map(ClassLabel::classId).collect(Collectors.toSet()) : Set.of();
        for (String folder : run.folders(ExportWork.IMAGES)) {
            if (!kept.contains(folder)) {
                run.delete(ExportWork.IMAGES + "/" + folder);
            }
        }
        return exported.stream().mapToLong(Integer::longValue).sum();
    }

    /** Takes what these chunks' images are in out of the dataset. */
    void forget(List<GenerationChunk> generations, List<MixedChunk> mixed) throws IOException {
        if (generations.isEmpty()) {
            return;
        }
        Set<String> ids = generations.stream().map(GenerationChunk::id).collect(Collectors.toSet());
        Map<String, Long> generated = run.sizes(Table.GENERATED);
        List<ExportChunk> chunks = chunks(mixed).stream()
                .filter(chunk -> generated.containsKey(chunk.generated()))
                .toList();
        keep(
                shards(chunks, generated).stream()
                        .filter(shard -> shard.chunks().stream().noneMatch(chunk -> ids.contains(chunk.generated())))
                        .toList(),
                chunks.stream()
                        .filter(chunk -> !ids.contains(chunk.generated()))
                        .toList());
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
