package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.config.RunConfig;
import latentmix.export.DatasetCard;
import latentmix.export.DatasetFeatures;
import latentmix.plan.ByHand;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassList;
import latentmix.plan.ClassPool;
import latentmix.plan.ExportChunk;
import latentmix.plan.ExportShard;
import latentmix.plan.InversionChunk;
import latentmix.plan.Kept;
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
import latentmix.work.Census;
import latentmix.work.ChunkResult;
import latentmix.work.ExportWork;
import latentmix.work.ExportWork.ClassCount;
import org.apache.hadoop.fs.Path;

/** The last stage: the dataset of the images that are asked for, and the page that shows a run. */
final class ExportStage {
    private static final int CLASSES_IN_REPORT = 10;
    private static final long MEGABYTE = 1_000_000;

    /**
     * What an export did.
     *
     * @param classes what each class has in the dataset
     * @param byHand what a person decided of its images
     */
    record Done(StageResult stage, List<ClassCount> classes, ByHand byHand) {
        /** Of a run without this stage. */
        static final Done NOTHING = new Done(new StageResult(0, List.of()), List.of(), ByHand.NOTHING);

        /** All of the dataset's images. */
        long images() {
            return classes.stream()
                    .mapToLong(count -> count.made() + count.real())
                    .sum();
        }
    }

    private final RunFolder run;
    private final Tasks tasks;
    private final RunConfig config;
    private final RunSettings settings;
    private final ClassList classes;
    private final ImageSource source;
    private final ExportWork.Terms terms;
    private final List<RunConfig.DatasetFormat> formats;

    ExportStage(RunContext context) {
        this.run = context.run();
        this.tasks = context.tasks();
        this.config = context.config();
        this.settings = context.settings();
        this.classes = context.classes();
        this.source = context.source();
        this.terms = new ExportWork.Terms(
                config.hasSoftLabels()
                        ? DatasetFeatures.softJson(classes.names())
                        : DatasetFeatures.json(classes.names()),
                config.hasSoftLabels() ? labels(classes) : Map.of(),
                config.export().mark(),
                source,
                config.input().maxPixels(),
                settings.inversion().size());
        this.formats = config.export().formats();
    }

    private static Map<String, Long> labels(ClassList classes) {
        return classes.classes().stream().collect(Collectors.toMap(ClassLabel::classId, label -> (long) label.label()));
    }

    /** Those of the chunks whose images lie in folders of classes. */
    private List<ExportChunk> inFolders(List<ExportChunk> chunks) {
        boolean leavesOut = config.export().softLabels() == RunConfig.SoftLabels.LEAVE_OUT;
        return chunks.stream()
                .filter(chunk -> !(leavesOut && chunk instanceof ExportChunk.Made made && made.isSoft()))
                .toList();
    }

    /**
     * The chunks of the dataset, done or not: those with mixtures of the entries with {@code export: true} or with
     * images that a person kept, and the source images where they are asked for.
     */
    private List<ExportChunk> chunks(List<MixedChunk> mixed, List<InversionChunk> inversions) throws IOException {
        List<ExportChunk> chunks = new ArrayList<>();
        Map<String, ByHand> byHand = mixed.isEmpty() ? Map.of() : ByHand.read(run);
        for (MixedChunk chunk : mixed) {
            ByHand decided = byHand.getOrDefault(chunk.id(), ByHand.NOTHING);
            if (chunk.exported() > 0 || !decided.kept().isEmpty()) {
                chunks.add(ExportChunk.Made.of(settings.generationId(), chunk, terms.id(), decided));
            }
        }
        if (config.export().real()) {
            inversions.forEach(chunk -> chunks.add(ExportChunk.Real.of(chunk, terms.id())));
        }
        return chunks;
    }

    /** The chunks of images made that are in the dataset and stand. */
    List<ExportChunk.Made> made(List<MixedChunk> mixed) throws IOException {
        return standing(chunks(mixed, List.of()), run.sizes(Table.GENERATED)).stream()
                .filter(ExportChunk.Made.class::isInstance)
                .map(ExportChunk.Made.class::cast)
                .toList();
    }

    /** Those of the chunks whose images stand, by whose files' sizes they are packed. */
    private List<ExportChunk> standing(List<ExportChunk> chunks, Map<String, Long> generated) throws IOException {
        Set<String> inverted = config.export().real() ? run.chunks(Table.INVERTED) : Set.of();
        return chunks.stream()
                .filter(chunk -> chunk instanceof ExportChunk.Made made
                        ? generated.containsKey(made.generated())
                        : chunk instanceof ExportChunk.Real real && inverted.contains(real.inverted()))
                .toList();
    }

    /**
     * The shards of these chunks by the bytes of their generated files; of source images, and of those that are not
     * generated yet, by a guess.
     */
    private List<ExportShard> shards(List<ExportChunk> chunks, Map<String, Long> generated) {
        long image = RowBytes.image(settings.inversion().size());
        return ExportShard.pack(
                chunks,
                chunk -> chunk instanceof ExportChunk.Made made && generated.containsKey(made.generated())
                        ? Math.round(generated.get(made.generated()) * made.share())
                        : chunk.rows() * image,
                config.export().shardMb() * MEGABYTE);
    }

    /** What is left to do. Shards are guessed where their images are not generated yet. */
    StageLeft left(List<MixedChunk> mixed, List<InversionChunk> inversions) throws IOException {
        List<ExportChunk> chunks = chunks(mixed, inversions);
        List<ExportShard> shards = shards(chunks, run.sizes(Table.GENERATED));
        List<Integer> rows = new ArrayList<>(); // of each task
        for (RunConfig.DatasetFormat format : formats) {
            switch (format) {
                case PARQUET, WEBDATASET ->
                    missing(format, shards).stream().map(ExportShard::rows).forEach(rows::add);
                case IMAGES ->
                    missing(inFolders(chunks)).stream().map(ExportChunk::rows).forEach(rows::add);
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
    Done run(List<MixedChunk> mixed, List<InversionChunk> inversions) throws IOException {
        Map<String, Long> generated = run.sizes(Table.GENERATED);
        List<ExportChunk> chunks = standing(chunks(mixed, inversions), generated);
        List<ExportShard> shards = shards(chunks, generated);
        keep(shards, chunks);
        ByHand byHand = byHand(chunks);
        if (!byHand.isNothing()) {
            tasks.console()
                    .warn("export: a person decided of images (curated): "
                            + byHand.dropped().size() + " are dropped, "
                            + byHand.kept().size() + " are kept");
        }
        long doneBefore = 0;
        List<ChunkResult> results = new ArrayList<>();
        ExportWork.Terms as = terms;
        for (RunConfig.DatasetFormat format : formats) {
            if (format == RunConfig.DatasetFormat.IMAGES) {
                List<ExportChunk> inFolders = inFolders(chunks);
                List<ExportChunk> missing = missing(inFolders);
                doneBefore += inFolders.size() - missing.size();
                results.addAll(tasks.run(
                        Job.of(StageName.EXPORT, "images", missing, ExportChunk::rows),
                        missing,
                        (folder, chunk, progress) -> new ExportWork(folder, as).images(chunk, progress)));
            } else {
                List<ExportShard> missing = missing(format, shards);
                doneBefore += shards.size() - missing.size();
                results.addAll(tasks.run(
                        Job.of(StageName.EXPORT, "images", missing, ExportShard::rows), missing, write(format, as)));
            }
        }
        // Of a run that is stopped, the folders' lists would name files that are not there yet.
        return new Done(new StageResult(doneBefore, results), tasks.isStopped() ? List.of() : describe(chunks), byHand);
    }

    private static ByHand byHand(List<ExportChunk> chunks) {
        return ByHand.of(chunks.stream()
                .map(chunk -> chunk instanceof ExportChunk.Made made ? made.byHand() : ByHand.NOTHING)
                .toList());
    }

    private static Tasks.Work<ExportShard, ChunkResult> write(RunConfig.DatasetFormat format, ExportWork.Terms as) {
        return format == RunConfig.DatasetFormat.PARQUET
                ? (folder, shard, progress) -> new ExportWork(folder, as).parquet(shard, progress)
                : (folder, shard, progress) -> new ExportWork(folder, as).webdataset(shard, progress);
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
                            ? inFolders(chunks).stream().map(ExportChunk::id).collect(Collectors.toSet())
                            : shards.stream().map(shard -> file(format, shard)).collect(Collectors.toSet());
            for (String file : run.files(folder(format))) {
                if (!kept.contains(file)) {
                    run.delete(folder(format) + "/" + file);
                }
            }
        }
    }

    /** A class's chunks, and those of them whose images lie in its folder. */
    private record OfOneClass(ArrayList<ExportChunk> all, ArrayList<ExportChunk> inFolder) implements Serializable {
        long rowsLeftOut() {
            return rows(all) - rows(inFolder);
        }

        private static long rows(List<ExportChunk> chunks) {
            return chunks.stream().mapToLong(ExportChunk::rows).sum();
        }
    }

    /** Makes the classes' folders say and hold what they should, where they are asked for. */
    private List<ClassCount> describe(List<ExportChunk> chunks) throws IOException {
        Map<ClassLabel, ArrayList<ExportChunk>> byClass = new LinkedHashMap<>();
        chunks.forEach(chunk -> byClass.computeIfAbsent(chunk.label(), label -> new ArrayList<>())
                .add(chunk));
        boolean folders = formats.contains(RunConfig.DatasetFormat.IMAGES);
        ExportWork.Terms as = terms;
        List<OfOneClass> each = byClass.values().stream()
                .map(of -> new OfOneClass(of, new ArrayList<>(folders ? inFolders(of) : List.of())))
                .toList();
        List<ClassCount> counts = tasks.map("describe classes", each, (folder, of, progress) -> {
            ExportWork work = new ExportWork(folder, as);
            ClassLabel label = of.all().get(0).label();
            if (!of.inFolder().isEmpty()) {
                work.finish(label, of.inFolder());
            }
            return work.count(label, of.all());
        });
        Set<String> kept = each.stream()
                .flatMap(of -> of.inFolder().stream())
                .map(chunk -> ExportWork.folder(chunk.classId()))
                .collect(Collectors.toSet());
        long leftOut =
                folders ? each.stream().mapToLong(OfOneClass::rowsLeftOut).sum() : 0;
        if (leftOut > 0) {
            tasks.console()
                    .warn("export.soft_labels: leave-out: up to " + leftOut
                            + " images of several classes are not in dataset/images; other formats have them");
        }
        for (String folder : run.folders(ExportWork.IMAGES)) {
            if (!kept.contains(folder)) {
                run.delete(ExportWork.IMAGES + "/" + folder);
            }
        }
        return counts.stream()
                .sorted(Comparator.comparing(count -> count.label().label()))
                .toList();
    }

    /** Publishes the dataset's cards where they do not stand as they are. */
    void describe(Done done, RunSummary summary, List<MetricRow> metrics) throws IOException {
        DatasetCard card = new DatasetCard(
                config, settings, done.classes(), done.byHand(), summary.filter(), summary.leakage(), metrics);
        publish("dataset/README.md", card.markdown());
        publish("dataset/croissant.json", card.croissant());
    }

    private void publish(String name, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Path file = run.path(name);
        if (!run.exists(file) || !Arrays.equals(run.read(file), bytes)) {
            run.publish(file, bytes);
        }
    }

    /** The source images that could not be exported, by reason. */
    Census refused(List<InversionChunk> inversions) throws IOException {
        Set<String> refusing = config.export().real() ? run.rejectedChunks(StageName.EXPORT) : Set.of();
        return Census.ofNoClass(
                run,
                StageName.EXPORT,
                chunks(List.of(), inversions).stream()
                        .map(ExportChunk::id)
                        .filter(refusing::contains)
                        .toList());
    }

    /**
     * Takes what these chunks' images are in out of the dataset, and chunks of source images that refused some.
     *
     * @param again chunks of the inverted and of the generated table
     * @param refusing chunks that refused something in this stage
     */
    void forget(Set<String> again, Set<String> refusing, List<MixedChunk> mixed, List<InversionChunk> inversions)
            throws IOException {
        if (again.isEmpty() && refusing.isEmpty()) {
            return;
        }
        Predicate<ExportChunk> stays = chunk -> !refusing.contains(chunk.id())
                && !again.contains(
                        chunk instanceof ExportChunk.Made made
                                ? made.generated()
                                : chunk instanceof ExportChunk.Real real ? real.inverted() : "");
        Map<String, Long> generated = run.sizes(Table.GENERATED);
        List<ExportChunk> chunks = standing(chunks(mixed, inversions), generated);
        keep(
                shards(chunks, generated).stream()
                        .filter(shard -> shard.chunks().stream().allMatch(stays))
                        .toList(),
                chunks.stream().filter(stays).toList());
    }

    /**
     * Replaces {@code report.html}, with pictures of some classes.
     *
     * @param pools of all classes, in their order
     * @param kept what is mixed and kept
     * @param exported images in the dataset
     */
    void report(List<ClassPool> pools, RunSummary summary, Kept kept, long exported, List<MetricRow> metrics)
            throws IOException {
        int shown = Math.min(CLASSES_IN_REPORT, pools.size());
        List<ClassPool> open = IntStream.range(0, shown)
                .mapToObj(i -> pools.get((int) ((long) i * pools.size() / shown)))
                .toList();
        Album album = new Album(
                source,
                config.input().maxPixels(),
                kept,
                settings.generationId(),
                config.run().chunk());
        List<Gallery> galleries =
                tasks.map("open the report's pictures", open, (folder, pool, progress) -> album.open(folder, pool));
        String html = new Report(config, summary, exported, classes.classes().size(), galleries, metrics).html();
        run.publish(run.path("report.html"), html.getBytes(StandardCharsets.UTF_8));
    }
}
