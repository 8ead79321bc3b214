package latentmix.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.table.FileNames;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * The files that a manifest names: what lies at each path. Of an object store's folder they are looked up in one
 * listing, unless so much else lies in it that a request a file costs less.
 */
final class NamedFiles {
    /** Entries of a folder that are looked at for each file that is named: a request lists about 1000. */
    private static final long ENTRIES = 100;

    /**
     * A path of the manifest.
     *
     * @param file where it leads
     * @param found takes what lies there
     */
    private record Name(String path, Path file, Listing.Builder found) {}

    private final Path base;
    private final Configuration conf;
    private final Map<Path, List<Name>> byFolder = new LinkedHashMap<>();

    NamedFiles(Path base, Configuration conf) {
        this.base = base;
        this.conf = conf;
    }

    /** Notes a path, whose file {@link #look} gives to a listing. */
    void add(String path, Listing.Builder found) throws IOException {
        try {
            Path file = Manifest.file(base, path);
            file = file.getFileSystem(conf).makeQualified(file);
            byFolder.computeIfAbsent(file.isRoot() ? file : file.getParent(), folder -> new ArrayList<>())
                    .add(new Name(path, file, found));
        } catch (IllegalArgumentException e) {
            found.refuse(path, "no path", "expected a path or a location, got this: " + e.getMessage());
        }
    }

    /** Looks for all files. */
    void look() throws IOException {
        for (Map.Entry<Path, List<Name>> folder : byFolder.entrySet()) {
            FileSystem fs = folder.getKey().getFileSystem(conf);
            boolean isLocal = fs.getUri().getScheme().equals("file");
            Map<Path, FileStatus> known = new HashMap<>();
            boolean isWhole = !isLocal
                    && folder.getValue().size() > 1
                    && list(fs, folder.getKey(), ENTRIES * folder.getValue().size(), known);
            for (Name name : folder.getValue()) {
                if (isLocal) {
                    FileNames.require(name.file().toString());
                }
                look(name, fs, known, isWhole);
            }
        }
    }

    /** Lists at most so many entries of a folder; returns whether these are all. */
    private static boolean list(FileSystem fs, Path folder, long most, Map<Path, FileStatus> known) throws IOException {
        try {
            RemoteIterator<FileStatus> entries = fs.listStatusIterator(folder);
            while (entries.hasNext() && known.size() < most) {
                FileStatus entry = entries.next();
                known.put(entry.getPath(), entry);
            }
            return !entries.hasNext();
        } catch (FileNotFoundException e) {
            return true;
        }
    }

    private static void look(Name name, FileSystem fs, Map<Path, FileStatus> known, boolean isWhole)
            throws IOException {
        FileStatus status = known.get(name.file());
        try {
            status = status == null && !isWhole ? fs.getFileStatus(name.file()) : status;
        } catch (FileNotFoundException e) {
            status = null;
        }
        if (status == null) {
            name.found()
                    .refuse(
                            name.path(),
                            "missing file",
                            "expected the file that the manifest names, but there is none at " + name.file()
                                    + "; correct the path, relative to the manifest");
        } else if (status.isDirectory()) {
            name.found().refuse(name.path(), "no file", "expected a file, but this is a folder; name the images in it");
        } else {
            name.found().image(new ImageFile(name.path(), status.getLen(), status.getModificationTime()));
        }
    }
}
