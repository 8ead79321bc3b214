package latentmix.work;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExportChunk;
import latentmix.plan.ExportShard;
import latentmix.table.DatasetRow;
import latentmix.table.DatasetTable;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.GeneratedTable;
import latentmix.table.GeneratedTable.Generated;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.hadoop.fs.Path;

/**
 * Writes generated images as a dataset: Parquet files that Hugging Face datasets opens as labelled images, tar files as
 * WebDataset reads them, and a folder a class with the image files and a {@code metadata.jsonl}, as Hugging Face's
 * ImageFolder and torchvision's read them.
 *
 * <pre>
 * &lt;run&gt;/dataset/parquet/made-&lt;shard id&gt;.parquet
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
    private static final String SPLIT = "made";
    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    /** What the dataset says of an image beside its file. */
    private record Metadata(
            long label,
            String className,
            String split,
            String mixId,
            String method,
            List<String> sourceIds,
            List<Double> weights) {
        static Metadata of(ClassLabel label, MixedTable.Recipe mixture) {
            return new Metadata(
                    label.label(),
                    label.className(),
                    SPLIT,
                    mixture.mixId(),
                    mixture.method(),
                    mixture.sourceIds(),
                    mixture.weights());
        }

        DatasetRow row(EncodedImage image) {
            return new DatasetRow(image, label, className, split, mixId, method, sourceIds, weights);
        }
    }

    @FunctionalInterface
    private interface Sink {
        void accept(Metadata metadata, EncodedImage image) throws IOException;
    }

    private final RunFolder run;

    public ExportWork(RunFolder run) {
        this.run = run;
    }

    /**
     * Publishes a shard's Parquet file.
     *
     * @param features the dataset's features, for the footer key {@code huggingface}
     */
    public ChunkResult parquet(ExportShard shard, String features, LongConsumer progress) throws IOException {
        Timer timer = new Timer();
        new DatasetTable(run).publish(shard.file(".parquet"), features, file -> {
            for (ExportChunk chunk : shard.chunks()) {
                timer.rows += images(chunk, progress, (metadata, image) -> file.add(metadata.row(image)));
            }
        });
        return timer.result();
    }

    /** Publishes a shard's tar file. */
    public ChunkResult webdataset(ExportShard shard, LongConsumer progress) throws IOException {
        Timer timer = new Timer();
        run.publish(run.path(WEBDATASET + "/" + shard.file(".tar")), out -> {
            TarArchiveOutputStream tar = new TarArchiveOutputStream(out, StandardCharsets.UTF_8.name());
            for (ExportChunk chunk : shard.chunks()) {
                timer.rows += images(chunk, progress, (metadata, image) -> {
                    add(tar, metadata.mixId() + ".png", image.bytes());
                    add(tar, metadata.mixId() + ".cls", text(Long.toString(metadata.label())));
                    add(tar, metadata.mixId() + ".json", text(JSON.writeValueAsString(metadata)));
                });
            }
            tar.finish();
        });
        return timer.result();
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
        Timer timer = new Timer();
        timer.rows = images(
                chunk,
                progress,
                (metadata, image) -> run.publish(run.path(IMAGES + "/" + image.path()), image.bytes()));
        run.publish(run.path(EXPORTED + "/" + chunk.id()), new byte[0]);
        return timer.result();
    }

    /** Makes a class's folder hold the images of these chunks alone, and a metadata line for each; returns how many. */
    public int finish(ClassLabel label, List<ExportChunk> chunks) throws IOException {
        String folder = IMAGES + "/" + label.classId();
        TreeMap<String, String> lines = new TreeMap<>(); // by file name
        for (ExportChunk chunk : chunks) {
            for (var pair : pairs(chunk, GeneratedTable.File.class)) {
                if (pair.image().isPresent()) {
                    String name = pair.image().get().name();
                    lines.put(name, line(name, Metadata.of(chunk.label(), pair.mixture())));
                }
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
        return lines.size();
    }

    private static String line(String name, Metadata metadata) throws JsonProcessingException {
        ObjectNode line = JSON.createObjectNode().put("file_name", name);
        line.setAll((ObjectNode) JSON.valueToTree(metadata));
        return JSON.writeValueAsString(line) + "\n";
    }

    /** How many images these chunks have; reads none. */
    public int count(List<ExportChunk> chunks) throws IOException {
        int images = 0;
        for (ExportChunk chunk : chunks) {
            images += (int) pairs(chunk, GeneratedTable.File.class).stream()
                    .filter(pair -> pair.image().isPresent())
                    .count();
        }
        return images;
    }

    /** Gives a chunk's images one after the other; returns how many: a mixture that was refused has none. */
    private int images(ExportChunk chunk, LongConsumer progress, Sink sink) throws IOException {
        int images = 0;
        for (var pair : pairs(chunk, GeneratedTable.Image.class)) {
            if (pair.image().isPresent()) {
                sink.accept(
                        Metadata.of(chunk.label(), pair.mixture()),
                        pair.image().get().image());
                images++;
            }
            progress.accept(1);
        }
        return images;
    }

    /** A chunk's mixtures that are asked for, the first ones by k, with what {@code image} has of their images. */
    private <G extends Record & Generated> List<GeneratedMixtures.Pair<MixedTable.Recipe, G>> pairs(
            ExportChunk chunk, Class<G> image) throws IOException {
        return new GeneratedMixtures(run, chunk.label().classId())
                .chunk(chunk.mixed(), chunk.generated(), MixedTable.Recipe.class, image, mixture -> true).stream()
                        .sorted(Comparator.comparingInt(pair -> pair.mixture().k()))
                        .limit(chunk.rows())
                        .toList();
    }

    private static final class Timer {
        private final long start = System.nanoTime();
        private int rows;

        ChunkResult result() {
            return new ChunkResult(rows, 0, 0, (System.nanoTime() - start) / 1e9);
        }
    }
}
