package latentmix.source;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import latentmix.config.RunConfig;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;

/** Where images lie: which classes there are, which files a class has, and what their bytes are. */
public interface ImageSource extends Serializable {
    /**
     * The source of a configuration's images.
     *
     * @param folders the class list's folders by number, which numbers without names stand for; empty without a list
     * @throws latentmix.config.ConfigException if what lies there is not of the format that is asked for
     */
    static ImageSource of(RunConfig.Input input, Map<Integer, String> folders, Configuration conf) throws IOException {
        return new InputFormats(input, folders, conf).source();
    }

    /**
     * The images in folders at a root, for work that reads no others.
     *
     * @param key what names the root, for messages
     * @throws latentmix.config.ConfigException if what lies there is of another format
     */
    static FolderSource folders(String key, String root, Configuration conf) throws IOException {
        return new InputFormats(RunConfig.Input.at(root), Map.of(), conf).folders(key);
    }

    /**
     * The ids of the classes, sorted.
     *
     * @throws latentmix.config.ConfigException if there are none, or some that cannot be used
     */
    List<String> classIds(Configuration conf) throws IOException;

    /** All classes that the source knows, with images or without, in the order of their numbers. */
    default List<SourceClass> classes(Configuration conf) throws IOException {
        return classIds(conf).stream().map(id -> new SourceClass(id, id)).toList();
    }

    /** What lies there and belongs to no class. */
    default Listing beside(Configuration conf) throws IOException {
        return Listing.EMPTY;
    }

    /** The files of a class. */
    Listing list(String classId, Configuration conf) throws IOException;

    /** The same source, which has looked for the files of these classes at once where that costs less. */
    default ImageSource listing(List<String> classIds, Configuration conf) throws IOException {
        return this;
    }

    /** How many classes are best listed at once, where so many tasks list so many classes. */
    default int together(int classes, int tasks) {
        return 1;
    }

    /** The names under which rows without a class were rejected; none where every image has a class. */
    default List<String> indices() {
        return List.of();
    }

    /**
     * Images, and how many of them have captions.
     *
     * @param captioned at most {@code images}
     */
    record Tally(long images, long captioned) implements Serializable {
        static final Tally NONE = new Tally(0, 0);

        Tally plus(Tally other) {
            return new Tally(images + other.images, captioned + other.captioned);
        }
    }

    /** The images that a class has and {@link #list} does not see before a run has read the files they lie in. */
    default Tally unread(String classId) {
        return Tally.NONE;
    }

    /** How many larger files with images no run has read as they are now. */
    default int unreadFiles() {
        return 0;
    }

    /** What a person should know of it. */
    default List<String> remarks() {
        return List.of();
    }

    /** How many captions there are, of images of every class. */
    default long captions() {
        return 0;
    }

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
