package latentmix.work;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import latentmix.plan.ClassLabel;
import latentmix.plan.ExportChunk;
import latentmix.table.DatasetRow;
import latentmix.table.DatasetTable;
import latentmix.table.DatasetTable.Description;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.GeneratedTable;
import latentmix.table.MixedTable;
import latentmix.table.RunFolder;
import org.apache.hadoop.fs.Path;

/**
 * Writes generated images as a dataset, twice: Parquet files that Hugging Face datasets opens as labelled images, and a
 * folder a class with the image files and a {@code metadata.jsonl}, as its ImageFolder and torchvision's read them.
 *
 * <pre>
 * &lt;run&gt;/dataset/parquet/&lt;chunk id&gt;.parquet     the commit mark of a chunk: its images stand before it does
 * &lt;run&gt;/dataset/images/&lt;class&gt;/&lt;mix id&gt;.png
 * &lt;run&gt;/dataset/images/&lt;class&gt;/metadata.jsonl
 * </pre>
 */
public final class ExportWork {
    /** Where the Parquet files lie in the run folder. */
    public static final String PARQUET = "dataset/parquet";

    /** Where the classes' folders lie. */
    public static final String IMAGES = "dataset/images";

    private static final String METADATA = "metadata.jsonl";
    private static final ObjectMapper JSON =
            new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    private record MetadataLine(
            String fileName,
            long label,
            String className,
            String mixId,
            String method,
            List<String> sourceIds,
            List<Double> weights) {
        static MetadataLine describing(Description row) {
            return new MetadataLine(
                    row.image().name(),
                    row.label(),
                    row.className(),
                    row.mixId(),
                    row.method(),
                    row.sourceIds(),
                    row.weights());
        }
    }

    private final RunFolder run;
    private final DatasetTable table;

    public ExportWork(RunFolder run) {
        this.run = run;
        this.table = new DatasetTable(run);
    }

    /**
     * Publishes a chunk's image files, then its Parquet file.
     *
     * @param features the dataset's features, for the footer key {@code huggingface}
     */
    public ChunkResult export(ExportChunk chunk, String features, LongConsumer progress) throws IOException {
        long start = System.nanoTime();
        String classId = chunk.label().classId();
        List<GeneratedMixtures.Pair<MixedTable.Recipe, GeneratedTable.Image>> pairs = new GeneratedMixtures(
                        run, classId)
                        .chunk(
                                chunk.mixed(),
                                chunk.generated(),
                                MixedTable.Recipe.class,
                                GeneratedTable.Image.class,
                                mixture -> true)
                        .stream()
                        .sorted(Comparator.comparingInt(pair -> pair.mixture().k()))
                        .limit(chunk.rows())
                        .toList();
        List<DatasetRow> rows = new ArrayList<>();
        for (var pair : pairs) {
            if (pair.image().isPresent()) { // a mixture that was refused has none
                EncodedImage image = pair.image().get().image();
                MixedTable.Recipe mixture = pair.mixture();
                run.publish(run.path(IMAGES + "/" + image.path()), image.bytes());
                rows.add(new DatasetRow(
                        image,
                        chunk.label().label(),
                        chunk.label().className(),
                        mixture.mixId(),
                        mixture.method(),
                        mixture.sourceIds(),
                        mixture.weights()));
            }
            progress.accept(1);
        }
        table.publish(chunk.id(), rows, features);
        return new ChunkResult(rows.size(), 0, 0, (System.nanoTime() - start) / 1e9);
    }

    /** Makes a class's folder hold the images of these chunks alone, and a metadata line for each; returns how many. */
    public int finish(ClassLabel label, List<ExportChunk> chunks) throws IOException {
        String folder = IMAGES + "/" + label.classId();
        TreeMap<String, String> lines = new TreeMap<>(); // by file name
        for (ExportChunk chunk : chunks) {
            for (Description row : table.descriptions(chunk.id())) {
                lines.put(row.image().name(), JSON.writeValueAsString(MetadataLine.describing(row)) + "\n");
            }
        }
        Set<String> present = run.files(folder);
        for (String file : present) {
            if (!file.equals(METADATA) && !lines.containsKey(file)) {
                run.delete(folder + "/" + file);
            }
        }
        byte[] metadata = String.join("", lines.values()).getBytes(StandardCharsets.UTF_8);
        Path file = run.path(folder + "/" + METADATA);
        if (!present.contains(METADATA) || !Arrays.equals(run.read(file), metadata)) {
            run.publish(file, metadata);
        }
        return lines.size();
    }
}
