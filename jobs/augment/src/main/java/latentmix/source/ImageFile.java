package latentmix.source;

import java.io.Serializable;
import latentmix.table.ImageRow;

/**
 * A file that may be an image.
 *
 * @param path as the images table has it: it tells the source where the image's bytes lie
 * @param length bytes
 * @param modified milliseconds since 1970, as the file system gave them
 */
public record ImageFile(String path, long length, long modified) implements Serializable {
    /** The file of a row of the images table. */
    public static ImageFile of(ImageRow row) {
        return new ImageFile(row.path(), row.length(), row.modified());
    }

    /** The last part of its path. */
    public String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Whether a row of the images table was made of this file as it is now. */
    public boolean isOf(ImageRow row) {
        return row.length() == length && row.modified() == modified;
    }
}
