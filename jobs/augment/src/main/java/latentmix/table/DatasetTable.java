package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;

/** The Parquet files of the exported dataset, a file a chunk, as Hugging Face datasets opens them. */
public final class DatasetTable {
    private static final String FOLDER = "dataset/parquet";
    private static final String SUFFIX = ".parquet";
    private static final String FEATURES = "huggingface"; // the key of the footer that says what the columns are

    /** The path of an image's file in the dataset, {@code <class>/<mix id>.png}. */
    public record FilePath(String path) {
        /** The path's last part. */
        public String name() {
            return path.substring(path.lastIndexOf('/') + 1);
        }
    }

    /** A row without the image's bytes. */
    public record Description(
            FilePath image,
            long label,
            String className,
            String mixId,
            String method,
            List<String> sourceIds,
            List<Double> weights) {}

    private final RunFolder run;

    public DatasetTable(RunFolder run) {
        this.run = run;
    }

    /** The ids of the chunks that are exported. */
    public Set<String> chunks() throws IOException {
        return run.files(FOLDER).stream()
                .filter(file -> file.endsWith(SUFFIX))
                .map(file -> file.substring(0, file.length() - SUFFIX.length()))
                .collect(Collectors.toSet());
    }

    /** A chunk's rows without the images' bytes. */
    public List<Description> descriptions(String chunk) throws IOException {
        return RowFile.read(file(chunk), run.conf(), Description.class);
    }

    /**
     * Publishes a chunk.
     *
     * @param features what the columns are, as JSON, for the file's footer
     */
    public void publish(String chunk, List<DatasetRow> rows, String features) throws IOException {
        run.publish(file(chunk), RowFile.bytes(DatasetRow.class, rows, Map.of(FEATURES, features)));
    }

    /** Takes a chunk out of the dataset. */
    public void delete(String chunk) throws IOException {
        run.delete(file(chunk));
    }

    private Path file(String chunk) {
        return run.path(FOLDER + "/" + chunk + SUFFIX);
    }
}
