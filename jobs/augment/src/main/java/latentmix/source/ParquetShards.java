package latentmix.source;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import latentmix.config.ConfigException;
import latentmix.table.RowFile;
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
 * of the images table is {@code <shard>#<row>}: of the image column, the page with that row is read.
 */
record ParquetShards(Columns columns) implements ShardFormat {
    static final List<String> IMAGES =
            List.of("image", "img", "jpg", "jpeg", "png", "webp", "images", "content", "bytes");

    private static final String FEATURES = "huggingface"; // the key of the footer that says what the columns are
    private static final int KEPT = 32;
    private static final int BUFFER = 1 << 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The columns of a file. */
    private record Found(ColumnDescriptor image, ColumnDescriptor label, Optional<ColumnDescriptor> caption) {}

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
        } catch (RuntimeException e) {
            throw new IOException(file + " is no Parquet file: " + e.getMessage(), e);
        }
    }

    private Found found(Path file, MessageType schema) {
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
        if (image.isEmpty() || label.isEmpty()) {
            throw new ConfigException(List.of("input.root: expected an image column (one of " + columns.image()
                    + "; bytes, or a struct with bytes) and a label column (one of " + columns.label()
                    + "; whole numbers or text), but " + file + " has "
                    + String.join(
                            ", ", schema.getFields().stream().map(Type::getName).toList())
                    + "; name them by input.columns: {image: …, label: …}"));
        }
        return new Found(
                image(schema, schema.getType(image.get())).orElseThrow(),
                schema.getColumnDescription(new String[] {label.get()}),
                columns.caption().among(texts).map(name -> schema.getColumnDescription(new String[] {name})));
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

    /** Refuses a shard without the columns that are needed. */
    void check(Path file, Configuration conf) throws IOException {
        found(file, footer(file, conf).getFileMetaData().getSchema());
    }

    @Override
    public List<String> names(Path base, Shard shard, Configuration conf) throws IOException {
        Path file = new Path(base, shard.path());
        ParquetMetadata footer = footer(file, conf);
        return names(footer, found(file, footer.getFileMetaData().getSchema()));
    }

    private static List<String> names(ParquetMetadata footer, Found found) throws IOException {
        String features = footer.getFileMetaData().getKeyValueMetaData().get(FEATURES);
        if (features == null || isText(found.label().getPrimitiveType())) {
            return List.of();
        }
        List<String> names = new ArrayList<>();
        JsonNode label = JSON.readTree(features)
                .path("info")
                .path("features")
                .path(found.label().getPath()[0]);
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
            found = found(file, footer.getFileMetaData().getSchema());
        } catch (FileNotFoundException e) {
            throw e;
        } catch (ConfigException e) {
            throw e;
        } catch (IOException e) {
            visitor.visit(new Refused(
                    shard.path(), "damaged Parquet", "expected a whole Parquet file, but " + e.getMessage()));
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
        ParquetColumn labels = column(in, footer, group, found.label(), codecs, 0);
        boolean whole = extent == Extent.WHOLE;
        Optional<ParquetColumn> images =
                whole ? Optional.of(column(in, footer, group, found.image(), codecs, 0)) : Optional.empty();
        Optional<ParquetColumn> captions = found.caption().isPresent()
                ? Optional.of(column(in, footer, group, found.caption().get(), codecs, 0))
                : Optional.empty();
        try {
            for (long row = first; row < first + group.getRowCount(); row++) {
                String path = shard.path() + "#" + row;
                String label = label(labels, found.label());
                String caption = captions.filter(column -> !column.isNull())
                        .map(column -> column.binary().toStringUsingUTF8().strip())
                        .orElse("");
                if (images.isPresent() && images.get().isNull()) {
                    visitor.visit(new Refused(
                            path,
                            "external file",
                            "expected an image's bytes in the row, got none: it names a file elsewhere at most;"
                                    + " embed the images, as datasets' push_to_hub does"));
                } else {
                    byte[] bytes =
                            images.map(column -> column.binary().getBytes()).orElse(new byte[0]);
                    visitor.visit(new Image(path, label, bytes, caption));
                }
                if (row + 1 < first + group.getRowCount()) {
                    labels.next();
                    images.ifPresent(ParquetColumn::next);
                    captions.ifPresent(ParquetColumn::next);
                }
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
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
        Found found = found(file, footer.getFileMetaData().getSchema());
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
