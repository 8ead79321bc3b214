package latentmix.work;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.model.TimeIds;
import latentmix.source.ImageFile;
import latentmix.source.ImageSource;
import latentmix.table.ContentId;
import latentmix.table.DigestRow;
import latentmix.table.DigestsTable;
import latentmix.table.ImageRow;
import latentmix.table.InvertedTable;
import latentmix.table.RunFolder;
import org.apache.hadoop.security.AccessControlException;

/**
 * Opens source images: reads a file, compares its bytes with those that were listed, decodes it. An image whose file
 * was moved is looked for where its bytes were last seen.
 */
public final class SourceImages {
    /** A file, opened or refused. */
    public sealed interface Opened {}

    /** The image in a file. */
    public record Image(Pixels pixels) implements Opened {
        /** Its middle square, resized to so many pixels a side. */
        public Pixels square(int side) {
            return Resize.square(pixels, side);
        }

        /** What a network may be told of that square's size and of the image's own. */
        TimeIds timeIds(int side) {
            return TimeIds.square(pixels.height(), pixels.width(), side);
        }
    }

    /**
     * A file that cannot be used.
     *
     * @param reason a short word to group by, as {@code rejected} has it
     * @param detail what was expected and what came
     */
    public record Refused(String reason, String detail) implements Opened {}

    @FunctionalInterface
    private interface Read {
        byte[] bytes() throws IOException;
    }

    private final ImageSource source;
    private final RunFolder run;
    private final long maxPixels;
    private final Map<String, Map<String, List<DigestRow>>> seen = new HashMap<>(); // by class and image id

    /**
     * Images of a source.
     *
     * @param run the folder of the tables that list them
     * @param maxPixels larger images are refused
     */
    public SourceImages(ImageSource source, RunFolder run, long maxPixels) {
        this.source = source;
        this.run = run;
        this.maxPixels = maxPixels;
    }

    /**
     * Opens a file as the images table lists it.
     *
     * @throws IOException if the store fails
     */
    public Opened open(ImageRow row) throws IOException {
        return open(row.classId(), row.imageId(), () -> source.read(ImageFile.of(row), run));
    }

    /**
     * Opens the file that an image was inverted from.
     *
     * @throws IOException if the store fails
     */
    public Opened open(InvertedTable.Source row) throws IOException {
        return open(row.classId(), row.imageId(), () -> source.read(row.path(), run));
    }

    private Opened open(String classId, String imageId, Read read) throws IOException {
        Refused refused;
        try {
            byte[] bytes = read.bytes();
            if (ContentId.of(classId, bytes).equals(imageId)) {
                return decoded(bytes);
            }
            refused = new Refused("changed", "the file has other bytes than when it was listed");
        } catch (FileNotFoundException | AccessControlException e) {
            refused = new Refused("unreadable", String.valueOf(e.getMessage()));
        }
        Optional<byte[]> moved = moved(classId, imageId);
        return moved.isPresent() ? decoded(moved.get()) : refused;
    }

    private Opened decoded(byte[] bytes) {
        try {
            return new Image(ImageDecoder.decode(bytes, maxPixels));
        } catch (UnreadableImage e) {
            return new Refused(e.reason().toString(), e.detail());
        }
    }

    /** The bytes of an image where they were seen under another name. */
    private Optional<byte[]> moved(String classId, String imageId) throws IOException {
        if (!seen.containsKey(classId)) {
            Map<String, List<DigestRow>> rows = new HashMap<>();
            for (DigestRow row : new DigestsTable(run, classId).rows()) {
                rows.computeIfAbsent(row.imageId(), id -> new ArrayList<>()).add(row);
            }
            seen.put(classId, rows);
        }
        for (DigestRow row : seen.get(classId).getOrDefault(imageId, List.of())) {
            Optional<byte[]> bytes =
                    read(row).filter(found -> ContentId.of(classId, found).equals(imageId));
            if (bytes.isPresent()) {
                return bytes;
            }
        }
        return Optional.empty();
    }

    private Optional<byte[]> read(DigestRow row) throws IOException {
        try {
            return Optional.of(source.read(new ImageFile(row.path(), row.length(), row.modified()), run));
        } catch (FileNotFoundException | AccessControlException e) {
            return Optional.empty();
        }
    }
}
