package latentmix.source;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.config.RunConfig.Format;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Tells by what lies at a root how its images lie there, and finds the files that hold or name them. */
final class InputFormats {
    private static final Set<String> MANIFESTS = Set.of(".csv", ".jsonl", ".ndjson", ".json");

    private static final String PARQUET = ".parquet";
    private static final String TAR = ".tar";
    private static final int DEEPEST = 16;

    private final RunConfig.Input input;
    private final Map<Integer, String> folders;
    private final Configuration conf;
    private final Path root;
    private final Manifest manifest;

    InputFormats(RunConfig.Input input, Map<Integer, String> folders, Configuration conf) {
        this.input = input;
        this.folders = folders;
        this.conf = conf;
        this.root = new Path(BuiltIn.located(input.root()));
        this.manifest = new Manifest(Columns.of(input.columns(), Manifest.PATHS));
    }

    ImageSource source() throws IOException {
        if (input.format() == Format.FOLDERS) {
            return new FolderSource(BuiltIn.located(input.root()));
        }
        FileSystem fs = root.getFileSystem(conf);
        FileStatus status;
        try {
            status = fs.getFileStatus(root);
        } catch (FileNotFoundException e) {
            if (input.format() == Format.AUTO) {
                return new FolderSource(BuiltIn.located(input.root())); // which says what is missing
            }
            throw new ConfigException(List.of("input.root: expected " + input.format() + " files, but there is nothing"
                    + " at " + root + "; check the path"));
        }
        Format format = input.format() == Format.AUTO ? detected(fs, status) : input.format();
        return switch (format) {
            case AUTO, FOLDERS -> new FolderSource(BuiltIn.located(input.root()));
            case PARQUET -> {
                ParquetShards parquet = new ParquetShards(Columns.of(input.columns(), ParquetShards.IMAGES));
                List<Shard> shards = shards(fs, status, PARQUET, format);
                yield new IndexedSource(
                        base(status).toString(), parquet, shards, folders, parquet.check(base(status), shards, conf));
            }
            case WEBDATASET ->
                new IndexedSource(
                        base(status).toString(),
                        new TarShards(Columns.of(input.columns(), List.of())),
                        shards(fs, status, TAR, format),
                        folders,
                        List.of());
            case MANIFEST -> {
                FileStatus file = manifest(fs, status);
                List<String> unused = manifest.check(file.getPath(), conf);
                yield new IndexedSource(
                        file.getPath().getParent().toString(),
                        manifest,
                        List.of(new Shard(file.getPath().getName(), file.getLen(), file.getModificationTime())),
                        folders,
                        unused);
            }
        };
    }

    /** The images in folders at the root, which lie in no other format there. */
    FolderSource folders(String key) throws IOException {
        FileSystem fs = root.getFileSystem(conf);
        Format format = fs.exists(root) ? detected(fs, fs.getFileStatus(root)) : Format.FOLDERS;
        if (format != Format.FOLDERS) {
            throw FolderSource.expected(key, format.toString(), root.toString());
        }
        return new FolderSource(BuiltIn.located(input.root()));
    }

    /** The folder that a shard's path is relative to. */
    private Path base(FileStatus status) {
        return status.isDirectory() ? root : root.getParent();
    }

    private Format detected(FileSystem fs, FileStatus status) throws IOException {
        if (!status.isDirectory()) {
            return switch (kind(status)) {
                case PARQUET -> Format.PARQUET;
                case TAR -> Format.WEBDATASET;
                default -> {
                    if (MANIFESTS.contains(kind(status))) {
                        yield Format.MANIFEST;
                    }
                    throw new ConfigException(List.of("input.root: expected a folder, or a .parquet, .tar, .csv or"
                            + " .jsonl file, got " + root + "; say what it is by input.format"));
                }
            };
        }
        FileStatus[] entries = visible(fs, root);
        if (any(entries, PARQUET)) {
            return Format.PARQUET;
        } else if (any(entries, TAR)) {
            return Format.WEBDATASET;
        } else if (!manifests(entries).isEmpty()) {
            return Format.MANIFEST;
        }
        for (int level = 0; level < DEEPEST; level++) { // folders above shards are their partitions or parts
            Optional<FileStatus> first = Arrays.stream(entries)
                    .filter(FileStatus::isDirectory)
                    .min(Comparator.comparing(FileStatus::getPath));
            if (first.isEmpty()) {
                return Format.FOLDERS;
            }
            entries = visible(fs, first.get().getPath());
            if (all(entries, PARQUET)) {
                return Format.PARQUET;
            } else if (all(entries, TAR)) {
                return Format.WEBDATASET;
            } else if (!Arrays.stream(entries).allMatch(FileStatus::isDirectory)) {
                return Format.FOLDERS;
            }
        }
        return Format.FOLDERS;
    }

    private static FileStatus[] visible(FileSystem fs, Path folder) throws IOException {
        return Arrays.stream(fs.listStatus(folder))
                .filter(entry -> !Hidden.isBesideShards(entry.getPath().getName()))
                .toArray(FileStatus[]::new);
    }

    private static boolean any(FileStatus[] entries, String kind) {
        return Arrays.stream(entries).anyMatch(entry -> kind(entry).equals(kind));
    }

    private static boolean all(FileStatus[] entries, String kind) {
        return entries.length > 0
                && Arrays.stream(entries).allMatch(entry -> kind(entry).equals(kind));
    }

    /** A file's suffix; nothing of a folder. */
    private static String kind(FileStatus entry) {
        return entry.isFile() ? Listing.kind(entry.getPath().getName()) : "";
    }

    /** The files that name images with labels. */
    private List<FileStatus> manifests(FileStatus[] entries) throws IOException {
        List<FileStatus> found = new ArrayList<>();
        for (FileStatus entry : entries) {
            if (MANIFESTS.contains(kind(entry)) && manifest.fits(entry.getPath(), conf)) {
                found.add(entry);
            }
        }
        return found;
    }

    private FileStatus manifest(FileSystem fs, FileStatus status) throws IOException {
        if (!status.isDirectory()) {
            return status;
        }
        List<FileStatus> found = manifests(visible(fs, root));
        if (found.size() != 1) {
            throw new ConfigException(List.of("input.root: expected one .csv, .jsonl or .json file with the columns"
                    + " path and label in " + root + ", got "
                    + (found.isEmpty()
                            ? "none"
                            : String.join(
                                    ", ",
                                    found.stream()
                                            .map(file -> file.getPath().getName())
                                            .sorted()
                                            .toList()))
                    + "; name the file itself"));
        }
        return found.get(0);
    }

    private List<Shard> shards(FileSystem fs, FileStatus status, String suffix, Format format) throws IOException {
        List<Shard> shards = new ArrayList<>();
        if (!status.isDirectory()) {
            shards.add(new Shard(root.getName(), status.getLen(), status.getModificationTime()));
        } else {
            Path folder = fs.makeQualified(root);
            for (FileStatus file : RunFolder.filesBelow(fs, folder)) {
                String path = folder.toUri().relativize(file.getPath().toUri()).getPath();
                boolean visible = Arrays.stream(path.split("/")).noneMatch(Hidden::isBesideShards);
                if (visible && kind(file).equals(suffix)) {
                    shards.add(new Shard(path, file.getLen(), file.getModificationTime()));
                }
            }
        }
        if (shards.isEmpty()) {
            throw new ConfigException(List.of("input.root: expected " + suffix + " files for input.format: " + format
                    + ", but there is none in " + root + "; check the path; compressed tar files must be unpacked"));
        }
        shards.sort(Comparator.comparing(Shard::path));
        return shards;
    }
}
