package latentmix.work;

import java.io.FileNotFoundException;
import java.io.IOException;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.source.ImageFile;
import latentmix.source.ImageSource;
import latentmix.table.ContentId;
import latentmix.table.ImageRow;
import latentmix.table.InvertedTable;
import latentmix.table.RunFolder;
import org.apache.hadoop.security.AccessControlException;

/**
 * Opens source images: reads a file, compares its bytes with those that were listed, decodes it.
 *
 * @param source where the images lie
 * @param files reads files
 * @param maxPixels larger images are refused
 */
public record SourceImages(ImageSource source, RunFolder files, long maxPixels) {
    /** A file, opened or refused. */
    public sealed interface Opened {}

    /** The image in a file. */
    public record Image(Pixels pixels) implements Opened {
        /** Its middle square, resized to so many pixels a side. */
        public Pixels square(int side) {
            return Resize.square(pixels, side);
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

    /**
     * Opens a file as the images table lists it.
     *
     * @throws IOException if the store fails
     */
    public Opened open(ImageRow row) throws IOException {
        return open(row.classId(), row.imageId(), () -> source.read(ImageFile.of(row), files));
    }

    /**
     * Opens the file that an image was inverted from.
     *
     * @throws IOException if the store fails
     */
    public Opened open(InvertedTable.Source row) throws IOException {
        return open(row.classId(), row.imageId(), () -> source.read(row.path(), files));
    }

    private Opened open(String classId, String imageId, Read read) throws IOException {
        try {
            byte[] file = read.bytes();
            return ContentId.of(classId, file).equals(imageId)
                    ? new Image(ImageDecoder.decode(file, maxPixels))
                    : new Refused("changed", "the file has other bytes than when it was listed");
        } catch (UnreadableImage e) {
            return new Refused(e.reason().toString(), e.detail());
        } catch (FileNotFoundException | AccessControlException e) {
            return new Refused("unreadable", String.valueOf(e.getMessage()));
        }
    }
}
