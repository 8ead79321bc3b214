package latentmix.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import latentmix.config.ConfigException;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Images in folders: {@code <root>/<class>/…/<image>}. A path of the images table is relative to the root.
 *
 * @param root a folder of any file system that Hadoop reads
 */
public record FolderSource(String root) implements ImageSource {
    @Override
    public List<String> classIds(Configuration conf) throws IOException {
        Path folder = new Path(root);
        FileSystem fs = folder.getFileSystem(conf);
        List<String> folders = new ArrayList<>();
        try {
            for (FileStatus status : fs.listStatus(folder)) {
                String name = status.getPath().getName();
                if (status.isDirectory() && !name.startsWith(".") && !name.startsWith("_")) {
                    folders.add(name);
                }
            }
        } catch (FileNotFoundException e) {
            throw new ConfigException(
                    List.of("input.root: expected a folder of class folders, but there is nothing at " + root));
        }
        if (folders.isEmpty()) {
            throw new ConfigException(
                    List.of("input.root: expected <root>/<class>/<image>, but there is no class folder in " + root
                            + "; put each class's images in a folder of its own"));
        }
        List<String> unspellable =
                folders.stream().filter(name -> name.contains(":")).sorted().toList();
        if (!unspellable.isEmpty()) {
            throw new ConfigException(
                    List.of("input.root: expected folder names without a colon, which Hadoop takes for the end of a"
                            + " scheme, got " + String.join(", ", unspellable)
                            + "; rename them, and give their classes the names you want by input.classes"));
        }
        folders.sort(null);
        return folders;
    }

    /** Every file below the class's folder but hidden ones. */
    @Override
    public Listing list(String classId, Configuration conf) throws IOException {
        List<ImageFile> files = new ArrayList<>();
        Path input = new Path(root);
        FileSystem fs = input.getFileSystem(conf);
        Path folder = fs.makeQualified(new Path(input, classId));
        for (FileStatus file : RunFolder.filesBelow(fs, folder)) {
            String name = file.getPath().getName();
            if (!name.startsWith(".") && !name.startsWith("_")) {
                String below = folder.toUri().relativize(file.getPath().toUri()).getPath();
                files.add(new ImageFile(classId + "/" + below, file.getLen(), file.getModificationTime()));
            }
        }
        files.sort(Comparator.comparing(ImageFile::path));
        return new Listing(files);
    }

    @Override
    public byte[] read(ImageFile image, RunFolder files) throws IOException {
        return files.read(new FileStatus(image.length(), false, 1, 0, image.modified(), new Path(root, image.path())));
    }

    @Override
    public byte[] read(String path, RunFolder files) throws IOException {
        return files.read(new Path(root, path));
    }
}
