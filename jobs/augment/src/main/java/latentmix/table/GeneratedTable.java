package latentmix.table;

import java.io.IOException;
import java.util.List;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.RunFolder.Table;

/** The generated images of one class. */
public final class GeneratedTable extends ChunkTable<GeneratedRow> {
    /** A row, whole or in part, that tells which mixture it was generated from. */
    public sealed interface Generated permits Image, File, Scores {
        String mixId();
    }

    /** An image's file. */
    public record Image(String mixId, EncodedImage image) implements Generated {}

    /** The path of an image's file in the dataset, {@code <class>/<mix id>.png}. */
    public record FilePath(String path) {}

    /** What an image's file is called; reads none of its bytes. */
    public record File(String mixId, FilePath image) implements Generated {}

    /** An image's scores. */
    public record Scores(
            String mixId, double entropy, double clipped, double saturation, double sharpness, long differenceHash)
            implements Generated {}

    public GeneratedTable(RunFolder run, String classId) {
        super(run, Table.GENERATED, StageName.GENERATE, classId, GeneratedRow.class);
    }

    /** A chunk's image files. */
    public List<Image> images(String chunk) throws IOException {
        return read(chunk, Image.class);
    }

    /** A chunk's images, only the columns of {@code projection}. */
    public <G extends Record & Generated> List<G> rows(String chunk, Class<G> projection) throws IOException {
        return read(chunk, projection);
    }
}
