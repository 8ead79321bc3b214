package latentmix.stage;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.PngEncoder;
import latentmix.image.UnreadableImage;
import latentmix.plan.ClassLabel;
import latentmix.plan.ClassPool;
import latentmix.plan.ClassVerdicts;
import latentmix.plan.GenerationChunk;
import latentmix.plan.JudgedChunk;
import latentmix.plan.MixedChunk;
import latentmix.plan.MixingChunk;
import latentmix.plan.MixingEntry;
import latentmix.report.Adapted;
import latentmix.table.GeneratedTable;
import latentmix.table.InvertedTable;
import latentmix.table.JudgedRow;
import latentmix.table.JudgedTable;
import latentmix.table.MixedTable;
import latentmix.table.RejectedTable;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import latentmix.table.StageName;
import latentmix.work.GenerationWork;
import latentmix.work.MixingWork;
import latentmix.work.SourceImages;
import org.apache.spark.api.java.JavaSparkContext;

/** Where a made image comes from: what it was made of, how, and the same image made again. */
public final class Trace {
    private static final int GAP = 4; // white pixels between pictures
    private static final String REPLAY = "_replay"; // below the run folder, and gone afterwards

    private final JavaSparkContext spark;
    private final RunContext context;
    private final MixedChunk chunk;
    private final MixedTable.Trail mixture;
    private final MixingEntry entry;
    private final Map<String, InvertedTable.Source> sources = new TreeMap<>(); // by image id
    private final Optional<GeneratedTable.Image> made;
    private final Optional<GeneratedTable.Scores> scores;
    private final Optional<JudgedRow> verdict; // none without a filter, and before it
    private final Optional<Adapted> learnt; // of the class, where that is asked for

    private Trace(
            JavaSparkContext spark,
            RunContext context,
            List<MixingEntry> entries,
            MixedChunk chunk,
            List<ClassPool> others,
            List<ClassVerdicts> verdicts,
            List<Adapted> adapted,
            String mixId)
            throws IOException {
        this.spark = spark;
        this.context = context;
        this.chunk = chunk;
        RunFolder run = context.run();
        String classId = chunk.label().classId();
        this.mixture = new MixedTable(run, classId)
                .mixtures(chunk.id(), MixedTable.Trail.class).stream()
                        .filter(row -> row.mixId().equals(mixId))
                        .findFirst()
                        .orElseThrow();
        this.entry = entries.stream()
                .filter(one -> one.settingsId().equals(mixture.settingsId()))
                .findFirst()
                .orElseThrow();
        List<ClassPool> pools = new ArrayList<>(others);
        pools.add(chunk.pool());
        for (ClassPool pool : pools) {
            if (pool.classId().equals(classId) || mixture.sourceClasses().contains(pool.classId())) {
                for (String inverted : pool.inverted()) {
                    for (InvertedTable.Source source : new InvertedTable(run, pool.classId()).sources(inverted)) {
                        sources.put(source.imageId(), source);
                    }
                }
            }
        }
        GeneratedTable table = new GeneratedTable(run, classId);
        boolean generated = table.chunks().contains(generation().id());
        this.made = generated
                ? table.images(generation().id()).stream()
                        .filter(row -> row.mixId().equals(mixId))
                        .findFirst()
                : Optional.empty();
        this.scores = generated
                ? table.rows(generation().id(), GeneratedTable.Scores.class).stream()
                        .filter(row -> row.mixId().equals(mixId))
                        .findFirst()
                : Optional.empty();
        this.verdict = verdict(verdicts, chunk, mixId);
        this.learnt =
                adapted.stream().filter(of -> of.classId().equals(classId)).findFirst();
    }

    /** What a filter said of the image. */
    private Optional<JudgedRow> verdict(List<ClassVerdicts> verdicts, MixedChunk of, String mixId) throws IOException {
        JudgedTable judged = new JudgedTable(context.run(), of.classId());
        Set<String> done = verdicts.isEmpty() ? Set.of() : judged.chunks();
        for (ClassVerdicts verdict : verdicts) {
            for (JudgedChunk chunk : verdict.chunks()) {
                if (chunk.mixed().equals(of.id()) && done.contains(chunk.id())) {
                    return judged.rows(chunk.id()).stream()
                            .filter(row -> row.mixId().equals(mixId))
                            .findFirst();
                }
            }
        }
        return Optional.empty();
    }

    /**
     * Finds a mixture among those of a configuration.
     *
     * @param entries what is mixed, and how many of it
     * @param pools the inverted images of all classes
     * @param verdicts what a filter said; none without one
     * @param adapted what was learnt of classes; none where that is not asked for
     * @throws ConfigException if it is none of them
     */
    static Trace of(
            JavaSparkContext spark,
            RunContext context,
            List<MixingEntry> entries,
            List<MixedChunk> chunks,
            List<ClassPool> pools,
            List<ClassVerdicts> verdicts,
            List<Adapted> adapted,
            String mixId)
            throws IOException {
        List<MixedChunk> found = context.tasks().flatMap("find the mixture", chunks, (folder, chunk, progress) -> {
            boolean here = new MixedTable(folder, chunk.label().classId())
                    .keys(chunk.id()).stream().anyMatch(key -> key.mixId().equals(mixId));
            return here ? new ArrayList<>(List.of(chunk)) : new ArrayList<MixedChunk>();
        });
        if (found.isEmpty()) {
            throw new ConfigException(List.of("MIX_ID: expected a mixture that this configuration has of the images as"
                    + " they are, got " + mixId + "; take it from the column mix_id of the dataset, and give the"
                    + " configuration and the images that it was made with"));
        }
        return new Trace(spark, context, entries, found.get(0), pools, verdicts, adapted, mixId);
    }

    private GenerationChunk generation() {
        return GenerationChunk.of(context.settings().generationId(), chunk);
    }

    /** The mixture's inputs, weights, method, settings and scores, line by line. */
    public List<String> lines() {
        ClassLabel label = chunk.label();
        List<String> lines = new ArrayList<>();
        lines.add("image      " + made.map(image -> image.image().path()).orElse("not generated, or refused"));
        lines.add("class      " + label.label() + ", " + label.className());
        lines.add("method     " + mixture.method());
        lines.add("prompt     " + mixture.prompt());
        mixture.contexts()
                .forEach((prompt, share) -> lines.add(line("told       %.2f of the steps: %s", share, prompt)));
        mixture.guidance().forEach(scale -> lines.add("guidance   " + scale));
        learnt.ifPresent(of -> lines.add(line(
                "learnt     %sfrom %d images, %s, in %s",
                of.token().isEmpty() ? "" : of.token() + " ",
                of.images(),
                of.what(),
                String.join(" and ", of.files()))));
        lines.add(line("inputs     %d, effectively %.2f", mixture.sourceIds().size(), mixture.ess()));
        for (int i = 0; i < mixture.sourceIds().size(); i++) {
            String id = mixture.sourceIds().get(i);
            lines.add(line(
                    "  %.4f × %s  %s",
                    mixture.weights().get(i),
                    Optional.ofNullable(sources.get(id))
                            .map(InvertedTable.Source::path)
                            .orElse("?"),
                    id));
        }
        if (!mixture.labelClasses().isEmpty()) {
            lines.add("label      "
                    + IntStream.range(0, mixture.labelClasses().size())
                            .mapToObj(i -> line(
                                    "%.4f × %s",
                                    mixture.labelWeights().get(i),
                                    mixture.labelClasses().get(i)))
                            .collect(Collectors.joining(", ")));
        }
        if (!chunk.pool().leftOut().isEmpty()) {
            lines.add(line(
                    "left out   %d images of the class that were inverted count no more; where one was inverted beside"
                            + " an input, a replay may round otherwise",
                    chunk.pool().leftOut().size()));
        }
        lines.add("entry      " + entry.name() + ", mixture " + mixture.k() + " of the class, draw "
                + (mixture.attempt() + 1));
        lines.add(line(
                "latent     the class's mean shows %.3f times over, predicted %.3f; %s",
                mixture.classMeanGain(), mixture.predictedClassMeanGain(), mixture.degeneracy()));
        scores.ifPresent(of -> lines.add(line(
                "pixels     entropy %.2f bits, clipped %.3f, saturation %.3f, sharpness %.1f, dHash %016x",
                of.entropy(), of.clipped(), of.saturation(), of.sharpness(), of.differenceHash())));
        verdict.ifPresent(of -> lines.add("filter     " + words(of)));
        lines.add("inversion  " + context.settings().inversionId() + " "
                + RunFolder.json(context.settings().inversion()));
        lines.add("mixing     " + entry.settingsId() + " " + RunFolder.json(entry.settings()));
        lines.add("generation " + context.settings().generationId() + " "
                + RunFolder.json(context.settings().generation()));
        return lines;
    }

    /** A verdict with the scores that it is by. */
    private static String words(JudgedRow of) {
        List<String> words = new ArrayList<>();
        words.add(of.kept() ? "kept" : "dropped by " + String.join(", ", of.reasons()));
        if (!Double.isNaN(of.classScore())) {
            words.add(line("class %.4f", of.classScore()));
        }
        nearest("source", of.copyHash(), of.copyDistance(), of.copyId()).ifPresent(words::add);
        nearest("image made before", of.twinHash(), of.twinDistance(), of.twinId())
                .ifPresent(words::add);
        if (!Double.isNaN(of.textScore())) {
            words.add(line("text %.4f", of.textScore()));
        }
        return String.join("; ", words);
    }

    private static Optional<String> nearest(String what, int bits, double distance, String id) {
        return id.isEmpty()
                ? Optional.empty()
                : Optional.of("nearest " + what + " " + id + (bits < 0 ? "" : ", " + bits + " bits of dHash")
                        + (Double.isNaN(distance) ? "" : line(", %.4f in features", distance)));
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    /** The inputs as the networks see them and the image, side by side, as PNG. What cannot be opened is white. */
    public byte[] picture() throws IOException {
        int side = context.settings().inversion().size();
        SourceImages images = new SourceImages(
                context.source(), context.run(), context.config().input().maxPixels());
        List<Optional<Pixels>> pictures = new ArrayList<>();
        for (String id : mixture.sourceIds()) {
            pictures.add(
                    sources.containsKey(id) && images.open(sources.get(id)) instanceof SourceImages.Image image
                            ? Optional.of(image.square(side))
                            : Optional.empty());
        }
        pictures.add(made.map(image -> decoded(image.image().bytes())));
        int height = Math.max(
                side,
                pictures.stream()
                        .flatMap(Optional::stream)
                        .mapToInt(Pixels::height)
                        .max()
                        .orElse(0));
        int width = pictures.stream()
                        .mapToInt(picture -> picture.map(Pixels::width).orElse(side) + GAP)
                        .sum()
                - GAP;
        byte[] rgb = new byte[3 * width * height];
        Arrays.fill(rgb, (byte) 255);
        int left = 0;
        for (Optional<Pixels> picture : pictures) {
            if (picture.isPresent()) {
                Pixels pixels = picture.get();
                for (int y = 0; y < pixels.height(); y++) {
                    System.arraycopy(
                            pixels.rgb(), 3 * y * pixels.width(), rgb, 3 * (y * width + left), 3 * pixels.width());
                }
            }
            left += picture.map(Pixels::width).orElse(side) + GAP;
        }
        return PngEncoder.encode(new Pixels(width, height, rgb));
    }

    private static Pixels decoded(byte[] image) {
        try {
            return ImageDecoder.decode(image, Integer.MAX_VALUE);
        } catch (UnreadableImage e) {
            throw new IllegalStateException("An image of the generated table must decode: " + e.detail(), e);
        }
    }

    /**
     * Makes the image again from the source images: inverts its class, mixes and generates its chunk, in a folder of
     * its own.
     *
     * @return whether the bytes are the same
     * @throws ConfigException if there is no image to compare with
     */
    public boolean replay(Console console) throws IOException {
        if (made.isEmpty()) {
            throw new ConfigException(List.of("--replay: expected a mixture with an image, but " + mixture.mixId()
                    + " has none; generate it first"));
        }
        boolean sharesLora = context.config()
                .adapt()
                .filter(adapt -> adapt.scope() == RunConfig.AdaptScope.DATASET)
                .isPresent();
        if (chunk.isSoft() || sharesLora) {
            throw new ConfigException(List.of("--replay: expected a mixture of one class, which alone is "
                    + (sharesLora ? "learnt and " : "") + "inverted again, but " + mixture.mixId() + " has "
                    + (sharesLora ? "a LoRA that is learnt of all classes" : "images of several classes")
                    + "; run the configuration in a new folder and compare the images"));
        }
        RunFolder run = context.run();
        ClassLabel label = chunk.label();
        String folder = run.path(REPLAY + "/" + mixture.mixId()).toString();
        RunFolder again = new RunFolder(folder, run.conf());
        try {
            for (Table listing : List.of(Table.IMAGES, Table.CAPTIONS)) { // which image is in which chunk
                for (String file : run.chunks(listing, label.classId())) {
                    again.publish(
                            again.chunk(listing, label.classId(), file),
                            run.read(run.chunk(listing, label.classId(), file)));
                }
            }
            Pipeline.summary(
                    spark,
                    context.config().of(label.classId()),
                    folder,
                    List.of(StageName.INVERT),
                    RunTerms.saying(console));
            MixingChunk mixing = mixing();
            Tasks tasks = new Tasks(spark, folder, console);
            tasks.map(
                    "mix again", List.of(mixing), (there, item, progress) -> new MixingWork(there, progress).mix(item));
            ModelSource source = context.model();
            var settings = context.settings().generation();
            String settingsId = context.settings().generationId();
            tasks.onGpus().map("generate again", List.of(generation()), (there, item, progress) -> new GenerationWork(
                            there, source.onDevice(there.conf()), settings, settingsId, progress)
                    .generate(item));
            return new GeneratedTable(again, label.classId())
                    .images(generation().id()).stream()
                            .filter(row -> row.mixId().equals(mixture.mixId()))
                            .anyMatch(row -> Arrays.equals(
                                    row.image().bytes(), made.get().image().bytes()));
        } finally {
            run.delete(REPLAY);
        }
    }

    /** The chunk of the mixed table as it was planned: with those of its mixtures that were refused. */
    private MixingChunk mixing() throws IOException {
        RunFolder run = context.run();
        String classId = chunk.label().classId();
        Set<Integer> ks = new TreeSet<>();
        new MixedTable(run, classId).keys(chunk.id()).forEach(key -> ks.add(key.k()));
        RejectedTable rejected = new RejectedTable(run, StageName.MIX);
        if (rejected.has(chunk.id())) {
            Set<String> refused = Set.copyOf(rejected.ids(chunk.id()));
            for (int k = 0; k < Math.max(entry.mixtures(classId), mixture.k() + context.chunkRows()); k++) {
                if (refused.contains(entry.settings().mixId(entry.settingsId(), classId, mixture.poolId(), k))) {
                    ks.add(k);
                }
            }
        }
        return new MixingChunk(
                chunk.id(), entry.settings(), entry.settingsId(), mixture.poolId(), chunk.pool(), List.copyOf(ks));
    }
}
