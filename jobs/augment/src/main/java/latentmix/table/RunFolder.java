package latentmix.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Options.CreateFileOptionKeys;
import org.apache.hadoop.fs.Options.OpenFileOptions;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.util.functional.FutureIO;

/**
 * The run folder, local or s3a: where tables, settings and results lie, and the one way a file gets there.
 *
 * <pre>
 * &lt;run&gt;/&lt;table&gt;/class_id=&lt;class&gt;/&lt;chunk id&gt;.parquet      the commit mark of a chunk
 * &lt;run&gt;/rejected/stage=&lt;stage&gt;/&lt;chunk id&gt;.parquet     written before it
 * &lt;run&gt;/adapted/&lt;class&gt;/&lt;adapter id&gt;/             what was learnt of a class, as diffusers loads it;
 *                                                 {@link #NO_CLASS}: of all classes
 * &lt;run&gt;/settings/&lt;settings id&gt;.json
 * &lt;run&gt;/exported/&lt;chunk id&gt;                           the chunk's image files in the dataset stand
 * </pre>
 */
public final class RunFolder {
    /** The class id of rows that are of no class. Spark and Hive name their partition so, and read null. */
    public static final String NO_CLASS = "__HIVE_DEFAULT_PARTITION__";

    /** The tables that are partitioned by class. */
    public enum Table {
        IMAGES,
        /** What the bytes of the input's files are, whatever their class. */
        DIGESTS,
        /** What the input says of its images, where they are inverted with that. */
        CAPTIONS,
        /** What was learnt of classes, where a configuration asks for it. */
        ADAPTERS,
        /**
         * What some inversions keep beside the noise; its files are an inverted chunk's id and a micro-batch's number.
         */
        COMPANIONS,
        INVERTED,
        MIXED,
        GENERATED,
        /** Scores of real images' pixels, where a filter compares with them. */
        LOOKS,
        /** Which of the images made are kept, where a filter judges them. */
        JUDGED,
        /** What a person decided of images made; no run writes it. */
        CURATED,
        /** Which real image each image is nearest to. */
        LEAKAGE,
        /** Features of images, generated and real: an evaluation looks at no image twice. */
        FEATURES;

        /** The folder's name. */
        public String folder() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final String SUFFIX = ".parquet";
    private static final String CLASS = "class_id=";
    private static final Pattern ESCAPE = Pattern.compile("%([0-9A-Fa-f]{2})");
    private static final int BUFFER = 1 << 16;
    private static final String UNPROBED = "fs.s3a.create.performance"; // no look for a folder of that name
    private static final ObjectMapper JSON = JsonMapper.builder()
            .configure(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY, true)
            .configure(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS, true)
            .configure(SerializationFeature.INDENT_OUTPUT, true)
            .build();

    private final Path root;
    private final Configuration conf;

    public RunFolder(String root, Configuration conf) {
        this.root = new Path(root);
        this.conf = conf;
    }

    public Configuration conf() {
        return conf;
    }

    /** Where the folder lies. */
    public String root() {
        return root.toString();
    }

    public Path path(String relative) {
        return new Path(root, relative);
    }

    /** Where a class's chunk of a table lies. */
    public Path chunk(Table table, String classId, String chunkId) {
        return new Path(partition(table, classId), chunkId + SUFFIX);
    }

    /** Where the rows that a chunk refused lie. */
    public Path rejected(StageName stage, String chunkId) {
        return path("rejected/stage=" + stage.text() + "/" + chunkId + SUFFIX);
    }

    /** Where a file lies that other programs load what was learnt of a class from. */
    public Path adapted(String classId, String adapterId, String name) {
        return path("adapted/" + escaped(classId) + "/" + adapterId + "/" + name);
    }

    /** Where a prompt's embeddings lie. */
    public Path prompt(String promptId) {
        return path("prompts/" + promptId + SUFFIX);
    }

    /** Where metrics lie: {@code <settings id>-<hash of what was measured>.parquet}. */
    public Path metrics(String name) {
        return path("metrics/" + name + SUFFIX);
    }

    /** The names of the files of metrics, sorted. */
    public Set<String> metrics() throws IOException {
        return names(path("metrics"), SUFFIX);
    }

    /** The ids of the chunks that a class has in a table, sorted. */
    public Set<String> chunks(Table table, String classId) throws IOException {
        return names(partition(table, classId), SUFFIX);
    }

    /** The ids of the chunks that refused rows in a stage, sorted. */
    public Set<String> rejectedChunks(StageName stage) throws IOException {
        return names(path("rejected/stage=" + stage.text()), SUFFIX);
    }

    /** The ids of the classes that a table has, sorted. */
    public Set<String> classes(Table table) throws IOException {
        return folders(table.folder()).stream()
                .filter(name -> name.startsWith(CLASS))
                .map(name -> unescaped(name.substring(CLASS.length())))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Every chunk id of a table, all classes, in one listing. */
    public Set<String> chunks(Table table) throws IOException {
        return sizes(table).keySet();
    }

    /** The bytes of every chunk's file of a table by the chunk's id, all classes, in one listing. */
    public Map<String, Long> sizes(Table table) throws IOException {
        Map<String, Long> sizes = new TreeMap<>();
        try {
            for (FileStatus file : filesBelow(fileSystem(), path(table.folder()))) {
                String name = file.getPath().getName();
                if (name.endsWith(SUFFIX)) {
                    sizes.put(name.substring(0, name.length() - SUFFIX.length()), file.getLen());
                }
            }
        } catch (FileNotFoundException e) {
            return sizes;
        }
        return sizes;
    }

    /**
     * Every file below a folder: on object stores one listing. On a local disk a walk, since Hadoop's own listing
     * starts a process for each file to learn its permissions.
     */
    public static List<FileStatus> filesBelow(FileSystem fs, Path folder) throws IOException {
        List<FileStatus> files = new ArrayList<>();
        if (fs.getUri().getScheme().equals("file")) {
            for (FileStatus status : fs.listStatus(folder)) {
                if (status.isDirectory()) {
                    files.addAll(filesBelow(fs, status.getPath()));
                } else {
                    files.add(status);
                }
            }
        } else {
            RemoteIterator<LocatedFileStatus> found = fs.listFiles(folder, true);
            while (found.hasNext()) {
                files.add(found.next());
            }
        }
        return files;
    }

    /** The names of the files in a folder, sorted; none if there is no such folder. */
    public Set<String> files(String folder) throws IOException {
        return names(path(folder), "");
    }

    /** The names of the folders in a folder, sorted; none if there is no such folder. */
    public Set<String> folders(String folder) throws IOException {
        Set<String> names = new TreeSet<>();
        try {
            for (FileStatus status : fileSystem().listStatus(path(folder))) {
                if (status.isDirectory()) {
                    names.add(status.getPath().getName());
                }
            }
        } catch (FileNotFoundException e) {
            return Set.of();
        }
        return names;
    }

    /** Deletes a file, or a folder with what is in it. */
    public void delete(String relative) throws IOException {
        fileSystem().delete(path(relative), true);
    }

    /** Deletes a file; does nothing where there is none. */
    void delete(Path file) throws IOException {
        fileSystem().delete(file, false);
    }

    /** The ids of the prompts that have been encoded. */
    public Set<String> prompts() throws IOException {
        return names(path("prompts"), SUFFIX);
    }

    /** Writes settings under their own id, the hash of their JSON, and returns it. */
    public String settings(Object settings) throws IOException {
        String json = json(settings);
        String id = ContentId.of(json);
        Path file = path("settings/" + id + ".json");
        if (!fileSystem().exists(file)) {
            publish(file, json.getBytes(StandardCharsets.UTF_8));
        }
        return id;
    }

    /** JSON with sorted keys: the same value gives the same text. */
    public static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("Settings must be plain values: " + value, e);
        }
    }

    /**
     * Makes a file appear whole or not at all: on object stores one PUT, elsewhere a temporary file and a rename. A
     * failed writer drops its bytes; a repeated one replaces the file by the same bytes.
     */
    public void publish(Path file, byte[] bytes) throws IOException {
        publish(file, out -> out.write(bytes));
    }

    /** What a file will hold, written piece by piece: the whole need not lie in memory. */
    @FunctionalInterface
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /** The same for a file that is long. */
    public void publish(Path file, Content content) throws IOException {
        FileSystem fs = fileSystem();
        if (fs.hasPathCapability(file, CommonPathCapabilities.ABORTABLE_STREAM)) {
            FSDataOutputStreamBuilder<?, ?> builder = fs.createFile(file);
            put(builder.overwrite(true).recursive().opt(UNPROBED, true).build(), content);
        } else {
            rename(fs, file, content);
        }
    }

    /**
     * Makes a file unless there is one, in one step where the store can: object stores that know conditional writes,
     * HDFS.
     *
     * @return whether it was made now
     */
    public boolean create(Path file, byte[] bytes) throws IOException {
        FileSystem fs = fileSystem();
        try {
            if (fs.hasPathCapability(file, CommonPathCapabilities.ABORTABLE_STREAM)) {
                FSDataOutputStreamBuilder<?, ?> builder = fs.createFile(file);
                put(
                        builder.overwrite(true) // the store refuses, not a look beforehand
                                .opt(CreateFileOptionKeys.FS_OPTION_CREATE_CONDITIONAL_OVERWRITE, true)
                                .build(),
                        out -> out.write(bytes));
            } else {
                put(
                        fs.create(file, false, BUFFER, fs.getDefaultReplication(file), fs.getDefaultBlockSize(file)),
                        out -> out.write(bytes));
            }
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } catch (PathIOException e) {
            if (!exists(file)) {
                throw e;
            }
            return Arrays.equals(read(file), bytes); // sent twice, perhaps, and taken the first time
        }
    }

    private static void put(FSDataOutputStream out, Content content) throws IOException {
        try {
            content.writeTo(out);
        } catch (IOException | RuntimeException e) {
            out.abort(); // never closed: closing would publish what was written so far
            throw e;
        }
        out.close();
    }

    private void rename(FileSystem fs, Path file, Content content) throws IOException {
        if (fs.getUri().getScheme().equals("file")) {
            FileNames.require(file.toString());
        }
        Path staged = path("_staging/" + UUID.randomUUID());
        try {
            // With a Progressable, though none: on a local disk Hadoop else starts the program chmod for each file.
            try (FSDataOutputStream out = fs.create(
                    staged, true, BUFFER, fs.getDefaultReplication(staged), fs.getDefaultBlockSize(staged), null)) {
                content.writeTo(out);
            }
            fs.mkdirs(file.getParent());
            if (!fs.rename(staged, file)) {
                fs.delete(file, false); // HDFS does not rename over a file; the bytes are the same
                if (!fs.rename(staged, file)) {
                    throw new IOException(file + " cannot be put in place; check the folder's permissions");
                }
            }
        } catch (IOException | RuntimeException e) {
            fs.delete(staged, false);
            throw e;
        }
    }

    /** Whether there is such a file or folder. */
    public boolean exists(Path file) throws IOException {
        return fileSystem().exists(file);
    }

    /** A file's bytes. */
    public byte[] read(Path file) throws IOException {
        try (var in = file.getFileSystem(conf).open(file)) {
            return in.readAllBytes();
        }
    }

    /**
     * The bytes of a file that was listed: an object store is not asked again how many they are, and gives no more than
     * those.
     */
    public byte[] read(FileStatus file) throws IOException {
        Path path = file.getPath();
        try (var in = FutureIO.awaitFuture(path.getFileSystem(conf)
                .openFile(path)
                .withFileStatus(file)
                .opt(
                        OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY,
                        OpenFileOptions.FS_OPTION_OPENFILE_READ_POLICY_WHOLE_FILE)
                .build())) {
            return in.readAllBytes();
        }
    }

    /** Deletes what killed writers left behind; call it when no other run holds the folder. */
    public void clean() throws IOException {
        delete("_staging");
    }

    private Path partition(Table table, String classId) {
        return path(table.folder() + "/" + CLASS + escaped(classId));
    }

    /** What a partition's folder name says, as Spark and Hive write it. */
    public static String unescaped(String value) {
        return ESCAPE.matcher(value)
                .replaceAll(
                        found -> Matcher.quoteReplacement(Character.toString(Integer.parseInt(found.group(1), 16))));
    }

    /** A class id as Spark and Hive write it into a partition's folder name. */
    private static String escaped(String classId) {
        StringBuilder escaped = new StringBuilder();
        for (int i = 0; i < classId.length(); i++) {
            char c = classId.charAt(i);
            if (c < ' ' || "\"#%'*/:=?\\\u007F{}[]^".indexOf(c) >= 0) {
                escaped.append(String.format(Locale.ROOT, "%%%02X", (int) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    /**
     * The run folder's file system; a local disk without Hadoop's checksum files and a process for each file's
     * permissions.
     */
    private FileSystem fileSystem() throws IOException {
        FileSystem fs = root.getFileSystem(conf);
        return fs instanceof LocalFileSystem local ? local.getRaw() : fs;
    }

    private Set<String> names(Path folder, String suffix) throws IOException {
        Set<String> names = new TreeSet<>();
        try {
            for (FileStatus file : fileSystem().listStatus(folder)) {
                String name = file.getPath().getName();
                if (file.isFile() && name.endsWith(suffix)) {
                    names.add(name.substring(0, name.length() - suffix.length()));
                }
            }
        } catch (FileNotFoundException e) {
            return Set.of();
        }
        return names;
    }
}
