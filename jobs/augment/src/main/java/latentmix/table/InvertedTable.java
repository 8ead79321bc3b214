package latentmix.table;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import latentmix.table.RunFolder.Table;

/** The inverted images of one class. Rows of a chunk are sorted by image id. */
public final class InvertedTable extends ChunkTable<InvertedRow> {
    /** An image's latent at the noisy end. */
    public record Noise(String imageId, LatentColumn latent) {}

    /** An image's encoded latent, which its inversion began with. */
    public record Encoded(String imageId, LatentColumn encoded) {}

    /**
     * The file that an image was read from.
     *
     * @param path relative to the input root
     */
    public record Source(String imageId, String classId, String path) {}

    /** How an image was inverted: with which prompt, under which settings. */
    public record Terms(String prompt, String settingsId) {}

    /** The prompt that an image was inverted with. */
    public record Told(String imageId, String prompt) {}

    private record Id(String imageId) {}

    private record Key(String imageId, String settingsId) {}

    public InvertedTable(RunFolder run, String classId) {
        super(run, Table.INVERTED, StageName.INVERT, classId, InvertedRow.class);
    }

    /** The ids of a chunk's images; reads no latent. */
    public List<String> imageIds(String chunk) throws IOException {
        return read(chunk, Id.class).stream().map(Id::imageId).toList();
    }

    /** The prompts that a chunk's images were inverted with; reads no latent. */
    public List<Told> prompts(String chunk) throws IOException {
        return read(chunk, Told.class);
    }

    /** The ids of those of a chunk's images that were inverted under these settings; reads no latent. */
    public List<String> imageIds(String chunk, String settingsId) throws IOException {
        return read(chunk, Key.class).stream()
                .filter(row -> row.settingsId().equals(settingsId))
                .map(Key::imageId)
                .toList();
    }

    /** The files of a chunk's images; reads no latent. */
    public List<Source> sources(String chunk) throws IOException {
        return read(chunk, Source.class);
    }

    /** How a chunk's first image was inverted; none where all were refused. Without captions all are the same. */
    public Optional<Terms> terms(String chunk) throws IOException {
        return read(chunk, Terms.class).stream().findFirst();
    }

    /** A chunk's noise, one image after the other; the caller closes it. */
    public RowFile.Cursor<Noise> noise(String chunk) throws IOException {
        return open(chunk, Noise.class);
    }

    /** A chunk's encoded images, one after the other; the caller closes it. */
    public RowFile.Cursor<Encoded> encoded(String chunk) throws IOException {
        return open(chunk, Encoded.class);
    }

    /** All of a chunk's encoded images. */
    public List<Encoded> allEncoded(String chunk) throws IOException {
        return read(chunk, Encoded.class);
    }
}
