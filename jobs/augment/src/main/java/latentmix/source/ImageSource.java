package latentmix.source;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.RunConfig;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;

/** Where images lie: which classes there are, which files a class has, and what their bytes are. */
public interface ImageSource extends Serializable {
    /** The source of a configuration's images. */
    static ImageSource of(RunConfig.Input input) {
        return new FolderSource(BuiltIn.located(input.root()));
    }

    /**
     * The ids of the classes, sorted.
     *
     * @throws latentmix.config.ConfigException if there are none, or some that cannot be used
     */
    List<String> classIds(Configuration conf) throws IOException;

    /** What lies there and belongs to no class. */
    default Listing beside(Configuration conf) throws IOException {
        return Listing.EMPTY;
    }

    /** The files of a class. */
    Listing list(String classId, Configuration conf) throws IOException;

    /**
     * An image's bytes.
     *
     * @param files reads files, of any file system
     * @throws java.io.FileNotFoundException if it is gone
     */
    byte[] read(ImageFile image, RunFolder files) throws IOException;

    /** The bytes of the image at a path of the images table. */
    byte[] read(String path, RunFolder files) throws IOException;
}
