package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** The Parquet files of the exported dataset, a file a shard, as Hugging Face datasets opens them. */
public final class DatasetTable {
    /** Where they lie in the run folder. */
    public static final String FOLDER = "dataset/parquet";

    private static final String FEATURES = "huggingface"; // the key of the footer that says what the columns are
    private static final long ROW_GROUP = 64_000_000; // bytes

    private final RunFolder run;

    public DatasetTable(RunFolder run) {
        this.run = run;
    }

    /** What gives a shard its rows, one after the other. */
    @FunctionalInterface
    public interface Rows {
        void into(RowFile.Writer<DatasetRow> shard) throws IOException;
    }

    /**
     * Publishes a shard; no more than two of its row groups lie in memory.
     *
     * @param name of the file
     * @param features what the columns are, as JSON, for the file's footer
     */
    public void publish(String name, String features, Rows rows) throws IOException {
        run.publish(run.path(FOLDER + "/" + name), out -> {
            try (RowFile.Writer<DatasetRow> shard =
                    RowFile.writer(out, DatasetRow.class, Map.of(FEATURES, features), ROW_GROUP)) {
                rows.into(shard);
                shard.finish();
            }
        });
    }

    /** Publishes which of a chunk's images could not be exported, in place of what was said of it before. */
    public void refuse(String chunk, List<RejectedRow> rows) throws IOException {
        RejectedTable rejected = new RejectedTable(run, StageName.EXPORT);
        if (rows.isEmpty()) {
            rejected.forget(chunk);
        } else {
            rejected.publish(chunk, rows);
        }
    }

    /** The images of a chunk that could not be exported. */
    public List<String> refused(String chunk) throws IOException {
        RejectedTable rejected = new RejectedTable(run, StageName.EXPORT);
        return rejected.has(chunk) ? rejected.ids(chunk) : List.of();
    }
}
