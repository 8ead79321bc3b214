package latentmix.table;

import java.io.IOException;
import java.util.List;
import latentmix.table.RunFolder.Table;

/** What networks say of images of one class, generated and real. */
public final class FeaturesTable extends ChunkTable<FeatureRow> {
    /** What a network says of an image, float32, little-endian. */
    public record Answer(String id, byte[] features, byte[] logits) {}

    /** An image's features, float32, little-endian, and the settings of the network. */
    public record Features(String id, byte[] features, String settingsId) {}

    public FeaturesTable(RunFolder run, String classId) {
        super(run, Table.FEATURES, StageName.EVALUATE, classId, FeatureRow.class);
    }

    /** What the network says of a chunk's images. */
    public List<Answer> answers(String chunk) throws IOException {
        return read(chunk, Answer.class);
    }

    /** The features of a chunk's images; reads no logits. */
    public List<Features> features(String chunk) throws IOException {
        return read(chunk, Features.class);
    }
}
