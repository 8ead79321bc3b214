package latentmix.work;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import latentmix.image.PngEncoder;
import latentmix.image.SyntheticMark;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExportChunk;
import latentmix.plan.ExportShard;
import latentmix.source.ImageSource;
import latentmix.table.ContentId;
import latentmix.table.DatasetRow;
import latentmix.table.DatasetTable;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.GeneratedTable;
import latentmix.table.GeneratedTable.Generated;
import latentmix.table.InvertedTable;
import latentmix.table.JudgedTable;
import latentmix.table.MixedTable;
import latentmix.table.RejectedRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.hadoop.fs.Path;

/**
 * Writes images as a dataset: Parquet files that Hugging Face datasets opens as labelled images, tar files as
 * WebDataset reads them, and a folder a class with the image files and a {@code metadata.jsonl}, as Hugging Face's
 * ImageFolder and torchvision's read them.
 *
 * <pre>
 * &lt;run&gt;/dataset/parquet/made-&lt;shard id&gt;.parquet    and real-…, where the source images are asked for, too
 * &lt;run&gt;/dataset/webdataset/made-&lt;shard id&gt;.tar        &lt;mix id&gt;.png, .cls and .json of each image
 * &lt;run&gt;/dataset/images/&lt;class&gt;/&lt;mix id&gt;.png
 * &lt;run&gt;/dataset/images/&lt;class&gt;/metadata.jsonl
 * &lt;run&gt;/exported/&lt;chunk id&gt;                           empty: the chunk's image files stand before it does
 * </pre>
 */
public final class ExportWork {
    /** Where the tar files lie in the run folder. */
    public static final String WEBDATASET = "dataset/webdataset";

    /** Where the classes' folders lie. */
    public static final String IMAGES = "dataset/images";

    /** Where the marks of chunks lie whose image files stand. */
    public static final String EXPORTED = "exported";

    private static final String METADATA = "metadata.jsonl";
    private static final String ENDING = ".png";
    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    /**
     * As what images are exported.
     *
     * @param features the dataset's features, for the footer key {@code huggingface}
     * @param labels the classes' labels by class id, in a dataset that has soft labels; else none
     * @param mark whether made images are marked as such
     * @param source where the real images lie
     * @param maxPixels larger ones are refused
     * @param side pixels of a side of a real image
     */
    public record Terms(
            String features, Map<String, Long> labels, boolean mark, ImageSource source, long maxPixels, int side)
            implements Serializable {
        public Terms {
            labels = Map.copyOf(labels);
        }

        /** What decides the bytes of chunks beside the images: two that differ in it have different ids. */
        public String id() {
            return ContentId.of(features, mark ? SyntheticMark.xmp("") : "");
        }
    }

    /**
     * What a class has in the dataset.
     *
     * @param made images that a model made
     * @param real source images
     */
    public record ClassCount(ClassLabel label, int made, int real) implements Serializable {}

    /** What the dataset says of an image beside its file. */
    private record Metadata(
            long label,
            String className,
            String split,
            String mixId,
            String method,
            List<String> sourceIds,
            List<Double> weights,
            @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Long> labels,
            @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Double> labelWeights) {
        static Metadata of(ExportChunk chunk, MixedTable.Recipe mixture, Map<String, Long> labels) {
            boolean isSoft = !mixture.labelClasses().isEmpty();
            return new Metadata(
                    chunk.label().label(),
                    chunk.label().className(),
                    chunk.split().toString(),
                    mixture.mixId(),
                    mixture.method(),
                    mixture.sourceIds(),
                    mixture.weights(),
                    isSoft ? mixture.labelClasses().stream().map(labels::get).toList() : own(chunk, labels),
                    isSoft ? mixture.labelWeights() : whole(labels));
        }

        /** The label of one class alone, where a dataset has soft ones. */
        private static List<Long> own(ExportChunk chunk, Map<String, Long> labels) {
            return labels.isEmpty() ? List.of() : List.of((long) chunk.label().label());
        }

        private static List<Double> whole(Map<String, Long> labels) {
            return labels.isEmpty() ? List.of() : List.of(1.0);
        }

        static Metadata of(ExportChunk chunk, InvertedTable.Source image, Map<String, Long> labels) {
            return new Metadata(
                    chunk.label().label(),
                    chunk.label().className(),
                    chunk.split().toString(),
                    "",
                    "",
                    List.of(image.imageId()),
                    List.of(1.0),
                    own(chunk, labels),
                    whole(labels));
        }

        DatasetRow row(EncodedImage image) {
            return new DatasetRow(
                    image, label, className, split, mixId, method, sourceIds, weights, labels, labelWeights);
        }
    }

    @FunctionalInterface
    private interface Sink {
        void accept(Metadata metadata, EncodedImage image) throws IOException;
    }

    private final RunFolder run;
    private final Terms terms;
    private final DatasetTable table;
    private final long start = System.nanoTime();
    private int exported;
    private int refused;

    /** Work on one chunk or shard. */
    public ExportWork(RunFolder run, Terms terms) {
        this.run = run;
        this.terms = terms;
        this.table = new DatasetTable(run);
    }

    /** Publishes a shard's Parquet file. */
    public ChunkResult parquet(ExportShard shard, LongConsumer progress) throws IOException {
        table.publish(shard.file(".parquet"), terms.features(), file -> {
            for (ExportChunk chunk : shard.chunks()) {
                images(chunk, progress, (metadata, image) -> file.add(metadata.row(image)));
            }
        });
        return result();
    }

    /** Publishes a shard's tar file. */
    public ChunkResult webdataset(ExportShard shard, LongConsumer progress) throws IOException {
        run.publish(run.path(WEBDATASET + "/" + shard.file(".tar")), out -> {
            TarArchiveOutputStream tar = new TarArchiveOutputStream(out, StandardCharsets.UTF_8.name());
            for (ExportChunk chunk : shard.chunks()) {
                images(chunk, progress, (metadata, image) -> {
                    String key = name(image.path()).replace(ENDING, "");
                    add(tar, key + ENDING, image.bytes());
                    add(tar, key + ".cls", text(Long.toString(metadata.label())));
                    add(tar, key + ".json", text(JSON.writeValueAsString(metadata)));
                });
            }
            tar.finish();
        });
        return result();
    }

    /** A member whose header says nothing of when, by whom or where it was written. */
    private static void add(TarArchiveOutputStream tar, String name, byte[] bytes) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(bytes.length);
        entry.setMode(0644);
        entry.setModTime(0);
        entry.setIds(0, 0);
        entry.setNames("", "");
        tar.putArchiveEntry(entry);
        tar.write(bytes);
        tar.closeArchiveEntry();
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Publishes a chunk's image files, then the mark that they stand. */
    public ChunkResult images(ExportChunk chunk, LongConsumer progress) throws IOException {
        images(chunk, progress, (metadata, image) -> run.publish(run.path(IMAGES + "/" + image.path()), image.bytes()));
        run.publish(run.path(EXPORTED + "/" + chunk.id()), new byte[0]);
        return result();
    }

    private ChunkResult result() {
        return new ChunkResult(exported, refused, 0, (System.nanoTime() - start) / 1e9);
    }

    /** What a class has in these chunks; reads no image. */
    public ClassCount count(ClassLabel label, List<ExportChunk> chunks) throws IOException {
        int made = 0;
        int real = 0;
        for (ExportChunk chunk : chunks) {
            int images = names(chunk).size();
            switch (chunk.split()) {
                case MADE -> made += images;
                case REAL -> real += images;
            }
        }
        return new ClassCount(label, made, real);
    }

    /** Makes a class's folder hold the images of these chunks alone, and a metadata line for each. */
    public ClassCount finish(ClassLabel label, List<ExportChunk> chunks) throws IOException {
        String folder = IMAGES + "/" + folder(label.classId());
        TreeMap<String, String> lines = new TreeMap<>(); // by file name
        for (ExportChunk chunk : chunks) {
            for (Map.Entry<String, Metadata> image : names(chunk).entrySet()) {
                lines.put(image.getKey(), line(image.getKey(), image.getValue()));
            }
        }
        Set<String> present = run.files(folder);
        for (String file : present) {
            if (!file.equals(METADATA) && !lines.containsKey(file)) {
                run.delete(folder + "/" + file);
            }
        }
        byte[] metadata = text(String.join("", lines.values()));
        Path file = run.path(folder + "/" + METADATA);
        if (!present.contains(METADATA) || !Arrays.equals(run.read(file), metadata)) {
            run.publish(file, metadata);
        }
        return count(label, chunks);
    }

    private static String line(String name, Metadata metadata) throws JsonProcessingException {
        ObjectNode line = JSON.createObjectNode().put("file_name", name);
        line.setAll((ObjectNode) JSON.valueToTree(metadata));
        return JSON.writeValueAsString(line) + "\n";
    }

    /** A chunk's images by the names of their files; reads none of them. */
    private Map<String, Metadata> names(ExportChunk chunk) throws IOException {
        Map<String, Metadata> names = new TreeMap<>();
        if (chunk instanceof ExportChunk.Made made) {
            for (var pair : pairs(run, made, GeneratedTable.File.class)) {
                pair.image()
                        .ifPresent(image -> names.put(
                                name(image.image().path()), Metadata.of(made, pair.mixture(), terms.labels())));
            }
        } else if (chunk instanceof ExportChunk.Real real) {
            Set<String> without = Set.copyOf(table.refused(real.id()));
            for (InvertedTable.Source image : sources(real)) {
                if (!without.contains(image.imageId())) {
                    names.put(name(path(image)), Metadata.of(real, image, terms.labels()));
                }
            }
        }
        return names;
    }

    /**
     * A class's folder in the dataset: its id, but for dollar signs, since Hugging Face's ImageFolder takes what
     * follows one for an environment variable. Each id has a folder of its own.
     */
    public static String folder(String classId) {
        return classId.replaceAll("%(?=(25)*24)", "%25").replace("$", "%24");
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Where a source image lies in the dataset. */
    private static String path(InvertedTable.Source image) {
        return folder(image.classId()) + "/real-" + image.imageId() + ENDING;
    }

    /** Gives a chunk's images one after the other. A mixture that was refused has none. */
    private void images(ExportChunk chunk, LongConsumer progress, Sink sink) throws IOException {
        if (chunk instanceof ExportChunk.Made made) {
            for (var pair : pairs(run, made, GeneratedTable.Image.class)) {
                if (pair.image().isPresent()) {
                    EncodedImage image = pair.image().get().image();
                    MixedTable.Recipe mixture = pair.mixture();
                    byte[] bytes = terms.mark() ? SyntheticMark.on(image.bytes(), mixture.mixId()) : image.bytes();
                    sink.accept(
                            Metadata.of(made, mixture, terms.labels()),
                            new EncodedImage(bytes, folder(made.classId()) + "/" + name(image.path())));
                    exported++;
                }
                progress.accept(1);
            }
        } else if (chunk instanceof ExportChunk.Real real) {
            real(real, progress, sink);
        }
    }

    /** Gives the source images as the networks see them: their middle squares. */
    private void real(ExportChunk.Real chunk, LongConsumer progress, Sink sink) throws IOException {
        SourceImages images = new SourceImages(terms.source(), run, terms.maxPixels());
        List<RejectedRow> rejected = new ArrayList<>();
        for (InvertedTable.Source source : sources(chunk)) {
            SourceImages.Opened opened = images.open(source);
            if (opened instanceof SourceImages.Image image) {
                byte[] bytes = PngEncoder.encode(image.square(terms.side()));
                sink.accept(Metadata.of(chunk, source, terms.labels()), new EncodedImage(bytes, path(source)));
                exported++;
            } else if (opened instanceof SourceImages.Refused no) {
                rejected.add(new RejectedRow(
                        StageName.EXPORT,
                        source.classId(),
                        source.imageId(),
                        source.path(),
                        no.reason(),
                        no.detail(),
                        terms.id()));
                refused++;
            }
            progress.accept(1);
        }
        table.refuse(chunk.id(), rejected);
    }

    private List<InvertedTable.Source> sources(ExportChunk.Real chunk) throws IOException {
        Set<String> leftOut = Set.copyOf(chunk.leftOut());
        return new InvertedTable(run, chunk.classId())
                .sources(chunk.inverted()).stream()
                        .filter(image -> !leftOut.contains(image.imageId()))
                        .toList();
    }

    /**
     * A chunk's mixtures that are asked for, with what {@code image} has of their images: the first ones by k that are
     * kept, less those that a person dropped, and those that a person kept.
     */
    static <G extends Record & Generated> List<GeneratedMixtures.Pair<MixedTable.Recipe, G>> pairs(
            RunFolder run, ExportChunk.Made chunk, Class<G> image) throws IOException {
        Set<String> kept =
                chunk.judged().isEmpty() ? Set.of() : new JudgedTable(run, chunk.classId()).kept(chunk.judged());
        Set<String> keptByHand = Set.copyOf(chunk.byHand().kept());
        Set<String> droppedByHand = Set.copyOf(chunk.byHand().dropped());
        List<GeneratedMixtures.Pair<MixedTable.Recipe, G>> pairs = new ArrayList<>();
        int asked = 0;
        for (var pair : new GeneratedMixtures(run, chunk.label().classId())
                .chunk(chunk.mixed(), chunk.generated(), MixedTable.Recipe.class, image, mixture -> true).stream()
                        .sorted(Comparator.comparingInt(pair -> pair.mixture().k()))
                        .toList()) {
            String mixId = pair.mixture().mixId();
            boolean isAsked = asked < chunk.rows() && (chunk.judged().isEmpty() || kept.contains(mixId));
            asked += isAsked ? 1 : 0;
            if (keptByHand.contains(mixId) || (isAsked && !droppedByHand.contains(mixId))) {
                pairs.add(pair);
            }
        }
        return pairs;
    }
}
