package latentmix.source;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.VersionParser;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.hadoop.CodecFactory;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ColumnPath;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/**
 * Parquet files as Hugging Face datasets and Spark write them: an image as bytes or as a struct of bytes and path, a
 * label as a number or a name (<a href="https://huggingface.co/docs/datasets/image_dataset">image datasets</a>). A path
 * of the images table is {@code <shard>#<row>}: of the image column, the page with that row is read. A label may be a
 * folder's name, {@code label=cat}, as Spark partitions files.
 */
record ParquetShards(Columns columns) implements ShardFormat {
    static final List<String> IMAGES =
            List.of("image", "img", "jpg", "jpeg", "png", "webp", "images", "content", "bytes");

    private static final String FEATURES = "huggingface"; // the key of the footer that says what the columns are
    private static final String NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"; // as Hive and Spark write it
    private static final String DAMAGED = "damaged Parquet";
    private static final List<String> LIBRARIES =
            List.of("org.apache.parquet.", "shaded.parquet.", "com.github.luben.", "org.xerial.", "java.util.zip.");
    private static final int KEPT = 32;
    private static final int BUFFER = 1 << 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * The columns of a file.
     *
     * @param label empty where a folder's name is the label of all rows
     * @param partition that label
     * @param unused the names of the others
     */
    private record Found(
            ColumnDescriptor image,
            Optional<ColumnDescriptor> label,
            String partition,
            Optional<ColumnDescriptor> caption,
            List<String> unused) {}

    /** A file that has no footer. */
    private static final class DamagedException extends IOException {
        private static final long serialVersionUID = 1;

        DamagedException(String message, Exception cause) {
            super(message, cause);
        }
    }

    /** A file as it was. */
    private record Version(Path file, long length, long modified) {}

    /** Footers that were read last: the images of a chunk lie in few files. */
    private static final Map<Version, ParquetMetadata> FOOTERS =
            Collections.synchronizedMap(new LinkedHashMap<>(KEPT, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Version, ParquetMetadata> eldest) {
                    return size() > KEPT;
                }
            });

    private static ParquetMetadata footer(Path file, Configuration conf) throws IOException {
        FileStatus status = file.getFileSystem(conf).getFileStatus(file);
        Version version = new Version(status.getPath(), status.getLen(), status.getModificationTime());
        ParquetMetadata footer = FOOTERS.get(version);
        if (footer == null) {
            footer = readFooter(file, conf);
            FOOTERS.put(version, footer);
        }
        return footer;
    }

    private static ParquetMetadata readFooter(Path file, Configuration conf) throws IOException {
        Configuration reading = RowFile.reading(conf);
        try (ParquetFileReader reader = ParquetFileReader.open(
                HadoopInputFile.fromPath(file, reading),
                HadoopReadOptions.builder(reading).build())) {
            return reader.getFooter();
        } catch (EOFException | RuntimeException e) {
            throw new DamagedException(file + " is no Parquet file: " + e.getMessage(), e);
        }
    }

    /** The values that folders' names give to all rows of a file, by name. */
    private static Map<String, String> partitions(String path) {
        Map<String, String> partitions = new LinkedHashMap<>();
        String[] parts = path.split("/", -1);
        for (String part : List.of(parts).subList(0, parts.length - 1)) {
            int equals = part.indexOf('=');
            String value = part.substring(equals + 1);
            if (equals > 0 && !value.equals(NULL_PARTITION)) {
                partitions.put(part.substring(0, equals), RunFolder.unescaped(value));
            }
        }
        return partitions;
    }

    private Found found(Path base, String path, MessageType schema) {
        List<String> images = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        for (Type field : schema.getFields()) {
            if (image(schema, field).isPresent()) {
                images.add(field.getName());
            }
            if (field.isPrimitive() && !field.isRepetition(Type.Repetition.REPEATED)) {
                PrimitiveTypeName type = field.asPrimitiveType().getPrimitiveTypeName();
                boolean text = type == PrimitiveTypeName.BINARY && isText(field);
                if (text || type == PrimitiveTypeName.INT32 || type == PrimitiveTypeName.INT64) {
                    labels.add(field.getName());
                }
                if (text) {
                    texts.add(field.getName());
                }
            }
        }
        Optional<String> image = columns.image().among(images);
        Optional<String> label = columns.label().among(labels);
        Optional<String> caption = columns.caption().among(texts);
        Map<String, String> partitions = partitions(path);
        Optional<String> partition = columns.label().among(List.copyOf(partitions.keySet()));
        if (image.isEmpty() || (label.isEmpty() && partition.isEmpty())) {
            throw new ConfigException(List.of("input.root: expected an image column (one of " + columns.image()
                    + "; bytes, or a struct with bytes) and a label column (one of " + columns.label()
                    + "; whole numbers or text), but " + new Path(base, path) + " has "
                    + String.join(
                            ", ", schema.getFields().stream().map(Type::getName).toList())
                    + "; name them by input.columns: {image: …, label: …}"));
        }
        return new Found(
                image(schema, schema.getType(image.get())).orElseThrow(),
                label.map(name -> schema.getColumnDescription(new String[] {name})),
                partition.map(partitions::get).orElse(""),
                caption.map(name -> schema.getColumnDescription(new String[] {name})),
                schema.getFields().stream()
                        .map(Type::getName)
                        .filter(name ->
                                Stream.of(image, label, caption).noneMatch(used -> used.equals(Optional.of(name))))
                        .toList());
    }

    private static boolean isText(Type field) {
        return field.getLogicalTypeAnnotation() != null;
    }

    /** The column of an image's bytes, if a field may hold images. */
    private static Optional<ColumnDescriptor> image(MessageType schema, Type field) {
        if (field.isRepetition(Type.Repetition.REPEATED)) {
            return Optional.empty();
        }
        if (field.isPrimitive()) {
            return field.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY && !isText(field)
                    ? Optional.of(schema.getColumnDescription(new String[] {field.getName()}))
                    : Optional.empty();
        }
        return field.asGroupType().containsField("bytes")
                        && field.asGroupType().getType("bytes").isPrimitive()
                        && !field.asGroupType().getType("bytes").isRepetition(Type.Repetition.REPEATED)
                ? Optional.of(schema.getColumnDescription(new String[] {field.getName(), "bytes"}))
                : Optional.empty();
    }

    /**
     * Refuses shards without the columns that are needed, by the first that can be read; returns the names of those
     * that are of no use.
     */
    List<String> check(Path base, List<Shard> shards, Configuration conf) throws IOException {
        for (Shard shard : shards) {
            Optional<Found> found = found(base, shard.path(), conf);
            if (found.isPresent()) {
                return found.get().unused();
            }
        }
        return List.of();
    }

    /** A file's columns; empty where it is damaged, of which {@link #read} makes a refused row. */
    private Optional<Found> found(Path base, String path, Configuration conf) throws IOException {
        try {
            return Optional.of(found(
                    base,
                    path,
                    footer(new Path(base, path), conf).getFileMetaData().getSchema()));
        } catch (DamagedException e) {
            return Optional.empty();
        }
    }

    @Override
    public List<String> names(Path base, Shard shard, Configuration conf) throws IOException {
        Optional<Found> found = found(base, shard.path(), conf);
        return found.isPresent() ? names(footer(new Path(base, shard.path()), conf), found.get()) : List.of();
    }

    private static List<String> names(ParquetMetadata footer, Found found) throws IOException {
        String features = footer.getFileMetaData().getKeyValueMetaData().get(FEATURES);
        if (features == null
                || found.label().isEmpty()
                || isText(found.label().get().getPrimitiveType())) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        JsonNode label = JSON.readTree(features)
                .path("info")
                .path("features")
                .path(found.label().get().getPath()[0]);
        label.path("names").forEach(name -> names.add(name.asText()));
        return names;
    }

    @Override
    public void read(Path base, Shard shard, Extent extent, Configuration conf, Visitor visitor) throws IOException {
        Path file = new Path(base, shard.path());
        ParquetMetadata footer;
        Found found;
        try {
            footer = footer(file, conf);
            found = found(base, shard.path(), footer.getFileMetaData().getSchema());
        } catch (DamagedException e) {
            visitor.visit(new Refused(
                    shard.path(),
                    DAMAGED,
                    "expected a whole Parquet file, but " + e.getMessage() + "; copy the shard again"));
            return;
        }
        CodecFactory codecs = new CodecFactory(conf, BUFFER);
        long first = 0;
        try (FSDataInputStream in = file.getFileSystem(conf).open(file)) {
            for (BlockMetaData group : footer.getBlocks()) {
                read(shard, in, footer, group, found, first, extent, codecs, visitor);
                first += group.getRowCount();
            }
        } finally {
            codecs.release();
        }
    }

    private static void read(
            Shard shard,
            FSDataInputStream in,
            ParquetMetadata footer,
            BlockMetaData group,
            Found found,
            long first,
            Extent extent,
            CodecFactory codecs,
            Visitor visitor)
            throws IOException {
        if (group.getRowCount() == 0) {
            return;
        }
        Open open = null;
        for (long row = first; row < first + group.getRowCount(); row++) {
            Entry entry;
            try {
                if (open == null) {
                    open = Open.of(in, footer, group, found, extent, codecs);
                } else {
                    open.next();
                }
                entry = open.entry(shard.path() + "#" + row, found);
            } catch (IOException | RuntimeException e) {
                if (!isDamage(e)) {
                    throw e;
                }
                visitor.visit(new Refused(
                        shard.path() + "#" + row,
                        DAMAGED,
                        "expected a whole Parquet file, but row " + row + " cannot be read, nor the "
                                + (first + group.getRowCount() - 1 - row) + " behind it in its row group ("
                                + e.getMessage() + "); copy the shard again"));
                return;
            }
            visitor.visit(entry);
        }
    }

    /** The columns of a row group, at one of its rows. */
    private record Open(
            Optional<ParquetColumn> labels, Optional<ParquetColumn> images, Optional<ParquetColumn> captions) {
        static Open of(
                FSDataInputStream in,
                ParquetMetadata footer,
                BlockMetaData group,
                Found found,
                Extent extent,
                CodecFactory codecs)
                throws IOException {
            Optional<ColumnDescriptor> image = extent == Extent.WHOLE ? Optional.of(found.image()) : Optional.empty();
            return new Open(
                    column(in, footer, group, found.label(), codecs),
                    column(in, footer, group, image, codecs),
                    column(in, footer, group, found.caption(), codecs));
        }

        Entry entry(String path, Found found) {
            String label = labels.map(column -> label(column, found.label().orElseThrow()))
                    .orElse(found.partition());
            String caption = captions.filter(column -> !column.isNull())
                    .map(column -> column.binary().toStringUsingUTF8().strip())
                    .orElse("");
            if (images.isPresent() && images.get().isNull()) {
                return new Refused(
                        path,
                        "external file",
                        "expected an image's bytes in the row, got none: it names a file elsewhere at most;"
                                + " embed the images, as datasets' push_to_hub does");
            }
            byte[] bytes = images.map(column -> column.binary().getBytes()).orElse(new byte[0]);
            return new Image(path, label, bytes, caption);
        }

        void next() {
            labels.ifPresent(ParquetColumn::next);
            images.ifPresent(ParquetColumn::next);
            captions.ifPresent(ParquetColumn::next);
        }
    }

    /** Whether a file's content is at fault, and not the store or the settings: the libraries say so. */
    private static boolean isDamage(Exception failure) {
        Throwable cause = failure instanceof UncheckedIOException unchecked ? unchecked.getCause() : failure;
        if (cause instanceof ConfigException) {
            return false;
        }
        StackTraceElement[] frames = cause.getStackTrace();
        String thrower = frames.length == 0 ? "" : frames[0].getClassName();
        return cause instanceof RuntimeException
                || cause instanceof EOFException
                || LIBRARIES.stream().anyMatch(thrower::startsWith);
    }

    private static Optional<ParquetColumn> column(
            FSDataInputStream in,
            ParquetMetadata footer,
            BlockMetaData group,
            Optional<ColumnDescriptor> descriptor,
            CodecFactory codecs)
            throws IOException {
        return descriptor.isEmpty()
                ? Optional.empty()
                : Optional.of(column(in, footer, group, descriptor.get(), codecs, 0));
    }

    private static String label(ParquetColumn column, ColumnDescriptor descriptor) {
        if (column.isNull()) {
            return "";
        }
        if (descriptor.getPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY) {
            return column.binary().toStringUsingUTF8().strip();
        }
        return Long.toString(column.number());
    }

    private static ParquetColumn column(
            FSDataInputStream in,
            ParquetMetadata footer,
            BlockMetaData group,
            ColumnDescriptor descriptor,
            CodecFactory codecs,
            long row)
            throws IOException {
        ColumnPath path = ColumnPath.get(descriptor.getPath());
        ColumnChunkMetaData chunk = group.getColumns().stream()
                .filter(column -> column.getPath().equals(path))
                .findFirst()
                .orElseThrow();
        VersionParser.ParsedVersion writer;
        try {
            writer = VersionParser.parse(footer.getFileMetaData().getCreatedBy());
        } catch (RuntimeException | VersionParser.VersionParseException e) {
            writer = null; // a writer that does not say what it is has none of the faults that are known
        }
        return new ParquetColumn(in, descriptor, chunk, codecs.getDecompressor(chunk.getCodec()), writer, row);
    }

    @Override
    public byte[] image(Path base, String path, Configuration conf) throws IOException {
        int hash = path.lastIndexOf('#');
        if (hash < 0 || !path.substring(hash + 1).matches("\\d{1,18}")) {
            throw new FileNotFoundException(path + " is no row of a Parquet file");
        }
        long row = Long.parseLong(path.substring(hash + 1));
        Path file = new Path(base, path.substring(0, hash));
        ParquetMetadata footer = footer(file, conf);
        Found found =
                found(base, path.substring(0, hash), footer.getFileMetaData().getSchema());
        for (BlockMetaData group : footer.getBlocks()) {
            if (row < group.getRowCount()) {
                CodecFactory codecs = new CodecFactory(conf, BUFFER);
                try (FSDataInputStream in = file.getFileSystem(conf).open(file)) {
                    ParquetColumn column = column(in, footer, group, found.image(), codecs, row);
                    return column.isNull() ? new byte[0] : column.binary().getBytes();
                } catch (UncheckedIOException e) {
                    throw e.getCause();
                } finally {
                    codecs.release();
                }
            }
            row -= group.getRowCount();
        }
        throw new FileNotFoundException(file + " has no row " + path.substring(hash + 1));
    }

    @Override
    public String settings() {
        return "parquet " + columns;
    }
}
