package latentmix.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.image.ImageNames;
import latentmix.table.FileNames;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Images in folders: {@code <root>/<class>/…/<image>}. A path of the images table is relative to the root. Names that
 * begin with a dot and what systems put beside images do not count; names that begin with an underscore do.
 *
 * @param root a folder of any file system that Hadoop reads
 */
public record FolderSource(String root) implements ImageSource {
    /** Names of folders that are parts of a dataset and no classes. */
    private static final Set<String> SPLITS =
            Set.of("train", "training", "val", "valid", "validation", "test", "testing", "dev", "eval");

    /** What lies in the root: class folders, and what belongs to no class. */
    private record Top(List<String> folders, Listing beside) {}

    @Override
    public List<String> classIds(Configuration conf) throws IOException {
        List<String> folders;
        try {
            folders = top(conf).folders();
        } catch (FileNotFoundException e) {
            throw new ConfigException(List.of("input.root: expected a folder of class folders, but there is nothing at "
                    + root + "; check the path"));
        }
        if (folders.isEmpty()) {
            throw new ConfigException(
                    List.of("input.root: expected <root>/<class>/<image>, but there is no class folder in " + root
                            + "; put each class's images in a folder of its own"));
        }
        List<String> problems = new ArrayList<>();
        List<String> unspellable =
                folders.stream().filter(name -> name.contains(":")).toList();
        if (!unspellable.isEmpty()) {
            problems.add("input.root: expected folder names without a colon, which Hadoop takes for the end of a"
                    + " scheme, got " + String.join(", ", unspellable)
                    + "; rename them, and give their classes the names you want by input.classes");
        }
        problems.addAll(spellings(folders));
        if (problems.isEmpty()) {
            splits(folders, conf).ifPresent(problems::add);
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        return folders;
    }

    /** What lies beside the class folders. */
    @Override
    public Listing beside(Configuration conf) throws IOException {
        return top(conf).beside();
    }

    private Top top(Configuration conf) throws IOException {
        Path folder = new Path(root);
        FileSystem fs = folder.getFileSystem(conf);
        List<String> folders = new ArrayList<>();
        Listing.Builder beside = new Listing.Builder();
        if (isLocal(fs)) {
            localTop(local(folder), folders, beside);
        } else {
            for (FileStatus status : fs.listStatus(folder)) {
                String name = status.getPath().getName();
                if (!status.isDirectory()) {
                    remoteFile(status, name, beside);
                } else if (Hidden.isFolder(name)) {
                    beside.ignore(name + "/");
                } else {
                    folders.add(name);
                }
            }
        }
        folders.sort(null);
        return new Top(folders, beside.listing());
    }

    private static void localTop(java.nio.file.Path folder, List<String> folders, Listing.Builder beside)
            throws IOException {
        FileNames.require(folder.toString());
        java.nio.file.Path real = null;
        for (java.nio.file.Path entry : LocalWalk.entries(folder)) {
            String name = entry.getFileName().toString();
            boolean isFolder = LocalWalk.attributes(entry)
                    .filter(attributes -> attributes.isDirectory())
                    .isPresent();
            real = real == null ? folder.toRealPath() : real;
            if (!isFolder) {
                LocalWalk.file(entry, name, beside);
            } else if (Hidden.isFolder(name)) {
                beside.ignore(name + "/");
            } else if (!FileNames.isText(entry)) {
                throw new ConfigException(List.of("input.root: expected folder names in UTF-8, got other bytes in "
                        + entry + "; rename that folder"));
            } else if (real.startsWith(entry.toRealPath())) {
                beside.ignore(LocalWalk.LINK_BACK);
            } else {
                folders.add(name);
            }
        }
    }

    /** The refusal of images that lie otherwise, where folders alone are read. */
    static ConfigException expected(String key, String got, String where) {
        return new ConfigException(
                List.of(key + ": expected folders, <root>/<class>/<image>, which alone are read here," + " got " + got
                        + " at " + where + "; write its images as files in folders"));
    }

    /** Folders whose names look alike: two that differ in case are two classes, two spellings of an accent are not. */
    private static List<String> spellings(List<String> folders) {
        Map<String, List<String>> byName = new HashMap<>();
        folders.forEach(folder -> byName.computeIfAbsent(RunConfig.composed(folder), name -> new ArrayList<>())
                .add(folder));
        return byName.entrySet().stream()
                .filter(entry -> entry.getValue().size() > 1)
                .map(entry -> "input.root: expected one folder called " + entry.getKey() + ", got "
                        + entry.getValue().stream().map(FolderSource::escaped).collect(Collectors.joining(" and "))
                        + ", the same name in two spellings of Unicode; move all its images into one of them")
                .sorted()
                .toList();
    }

    private static String escaped(String name) {
        return name.chars()
                .mapToObj(c -> c < 0x80 ? String.valueOf((char) c) : String.format(Locale.ROOT, "\\u%04x", c))
                .collect(Collectors.joining());
    }

    /** What is wrong where the folders are a dataset's splits, whose folders are the classes. */
    private Optional<String> splits(List<String> folders, Configuration conf) throws IOException {
        if (!folders.stream().allMatch(name -> SPLITS.contains(name.toLowerCase(Locale.ROOT)))) {
            return Optional.empty();
        }
        Path top = new Path(root);
        FileSystem fs = top.getFileSystem(conf);
        for (String folder : folders) {
            FileStatus[] entries = fs.listStatus(new Path(top, folder));
            boolean images = Arrays.stream(entries)
                    .anyMatch(entry -> entry.isFile()
                            && !ImageNames.isIgnored(entry.getPath().getName()));
            boolean below = Arrays.stream(entries)
                    .anyMatch(entry -> entry.isDirectory()
                            && !Hidden.isFolder(entry.getPath().getName()));
            if (images || !below) {
                return Optional.empty();
            }
        }
        String training = folders.stream()
                .filter(name -> name.toLowerCase(Locale.ROOT).startsWith("train"))
                .findFirst()
                .orElse(folders.get(0));
        return Optional.of("input.root: expected <root>/<class>/<image>, but in " + root + " there is only "
                + String.join(", ", folders) + ", whose folders are the classes; write input.root="
                + root.replaceFirst("/+$", "") + "/" + training);
    }

    /** Every file below the class's folder. */
    @Override
    public Listing list(String classId, Configuration conf) throws IOException {
        Path top = new Path(root);
        FileSystem fs = top.getFileSystem(conf);
        Path folder = fs.makeQualified(new Path(top, classId));
        if (isLocal(fs)) {
            FileNames.require(folder.toString());
            return LocalWalk.below(local(top), local(folder), classId);
        }
        Listing.Builder found = new Listing.Builder();
        Set<String> hidden = new HashSet<>();
        for (FileStatus file : RunFolder.filesBelow(fs, folder)) {
            String below = folder.toUri().relativize(file.getPath().toUri()).getPath();
            Optional<String> in = hiddenFolder(below);
            if (in.isEmpty()) {
                remoteFile(file, classId + "/" + below, found);
            } else if (hidden.add(in.get())) {
                found.ignore(new Path(in.get()).getName() + "/");
            }
        }
        return found.listing();
    }

    /** The topmost hidden folder that a path goes through. */
    private static Optional<String> hiddenFolder(String path) {
        for (int slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
            String folder = path.substring(0, slash);
            if (Hidden.isFolder(folder.substring(folder.lastIndexOf('/') + 1))) {
                return Optional.of(folder);
            }
        }
        return Optional.empty();
    }

    private static void remoteFile(FileStatus file, String path, Listing.Builder found) {
        if (!found.ignores(file.getPath().getName())) {
            found.image(new ImageFile(path, file.getLen(), file.getModificationTime()));
        }
    }

    @Override
    public byte[] read(ImageFile image, RunFolder files) throws IOException {
        Path path = nameable(image.path(), files);
        return files.read(new FileStatus(image.length(), false, 1, 0, image.modified(), path));
    }

    @Override
    public byte[] read(String path, RunFolder files) throws IOException {
        return files.read(nameable(path, files));
    }

    private Path nameable(String image, RunFolder files) throws IOException {
        Path path = new Path(root, image);
        if (isLocal(path.getFileSystem(files.conf()))) {
            FileNames.require(path.toString());
        }
        return path;
    }

    private static boolean isLocal(FileSystem fs) {
        return fs.getUri().getScheme().equals("file");
    }

    private static java.nio.file.Path local(Path path) {
        return java.nio.file.Path.of(path.toUri().getPath());
    }
}
