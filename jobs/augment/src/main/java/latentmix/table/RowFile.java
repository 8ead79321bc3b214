package latentmix.table;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import latentmix.codec.LittleEndian;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.conf.HadoopParquetConfiguration;
import org.apache.parquet.conf.ParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetInputFormat;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.api.ReadSupport;
import org.apache.parquet.hadoop.api.WriteSupport;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.OutputFile;
import org.apache.parquet.io.PositionOutputStream;
import org.apache.parquet.io.api.RecordConsumer;
import org.apache.parquet.schema.MessageType;

/** Rows as one Parquet file: written whole or row by row, and streamed back. */
public final class RowFile {
    private static final int MAGIC = 4; // bytes of PAR1
    private static final int TAIL = Integer.BYTES + MAGIC; // the footer's length and the magic

    /** What files are written by: nothing of a machine's own, and no XML to read for each of them. */
    private static final ParquetConfiguration WRITING = new HadoopParquetConfiguration(new Configuration(false));

    private RowFile() {}

    /** The bytes of a Parquet file with these rows; the same rows give the same bytes. */
    public static <T extends Record> byte[] bytes(Class<T> type, Collection<T> rows) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Writer<T> writer = new Writer<>(bytes, type, Map.of(), builder -> builder)) {
            for (T row : rows) {
                writer.add(row);
            }
            writer.finish();
        } catch (IOException e) {
            throw new UncheckedIOException("Parquet in memory", e);
        }
        return bytes.toByteArray();
    }

    /**
     * A file of rows that need not lie in memory together: no more than a row group does, and another when the file is
     * finished.
     *
     * @param out what the file is written to; it stays open
     * @param metadata key-value pairs of the file's footer
     * @param rowGroup bytes of a row group, about
     */
    public static <T extends Record> Writer<T> writer(
            OutputStream out, Class<T> type, Map<String, String> metadata, long rowGroup) throws IOException {
        return new Writer<>(out, type, metadata, builder -> builder.withRowGroupSize(rowGroup)
                .withMinRowCountForPageSizeCheck(1)); // a hundred rows, Parquet's own, may be 100 MB
    }

    /** Writes rows one after the other; the same rows give the same bytes. */
    public static final class Writer<T extends Record> implements Closeable {
        private final OutputStream out;
        private final Sink sink;
        private final RecordFormat<T> format;
        private final Map<String, String> metadata;
        private final UnaryOperator<Builder<T>> shape;
        private ParquetWriter<T> writer; // null before the first row, which says what columns there are

        private Writer(OutputStream out, Class<T> type, Map<String, String> metadata, UnaryOperator<Builder<T>> shape) {
            this.out = out;
            this.sink = new Sink(out);
            this.format = RecordFormat.of(type);
            this.metadata = metadata;
            this.shape = shape;
        }

        private ParquetWriter<T> open(RecordFormat<T> format) throws IOException {
            Builder<T> builder = shape.apply(new Builder<>(sink, format)
                    .withConf(WRITING)
                    .withCompressionCodec(CompressionCodecName.ZSTD)
                    .withExtraMetaData(metadata));
            for (String column : format.binaryColumns()) {
                builder.withDictionaryEncoding(column, false);
            }
            return builder.build();
        }

        /** Adds a row. */
        public void add(T row) throws IOException {
            if (writer == null) {
                writer = open(format.startingWith(row));
            }
            writer.write(row);
        }

        /** Ends the file. One that is closed without it is no Parquet file. */
        public void finish() throws IOException {
            if (writer == null) {
                writer = open(format);
            }
            sink.hold();
            writer.close();
            out.write(canonical(sink.held()));
        }

        @Override
        public void close() throws IOException {
            sink.hold();
            if (writer != null) {
                writer.close();
            }
        }
    }

    /**
     * The end of a file with the lists of its footer in a fixed order: Parquet writes them as hash sets of enum values
     * give them, which differs from one JVM to the next.
     */
    private static byte[] canonical(byte[] file) throws IOException {
        ByteBuffer end = LittleEndian.wrap(file);
        int footer = file.length - TAIL - end.getInt(file.length - TAIL);
        ByteArrayOutputStream out = new ByteArrayOutputStream(file.length);
        FileMetaData metadata = Util.readFileMetaData(new ByteArrayInputStream(file, footer, file.length - footer));
        metadata.getRow_groups().stream()
                .flatMap(group -> group.getColumns().stream())
                .map(ColumnChunk::getMeta_data)
                .forEach(RowFile::sort);
        if (metadata.isSetKey_value_metadata()) {
            metadata.setKey_value_metadata(sorted(metadata.getKey_value_metadata()));
        }
        out.write(file, 0, footer);
        Util.writeFileMetaData(metadata, out);
        byte[] tail = new byte[TAIL];
        LittleEndian.wrap(tail).putInt(out.size() - footer).put(file, file.length - MAGIC, MAGIC);
        out.writeBytes(tail);
        return out.toByteArray();
    }

    private static void sort(ColumnMetaData column) {
        column.setEncodings(sorted(column.getEncodings()));
        if (column.isSetEncoding_stats()) {
            column.setEncoding_stats(sorted(column.getEncoding_stats()));
        }
    }

    private static <T extends Comparable<? super T>> List<T> sorted(List<T> values) {
        return values.stream().sorted().toList();
    }

    /** All rows of a file, only the columns of {@code type}. */
    public static <T extends Record> List<T> read(Path file, Configuration conf, Class<T> type) throws IOException {
        List<T> rows = new ArrayList<>();
        try (Cursor<T> cursor = open(file, conf, type)) {
            for (T row = cursor.next(); row != null; row = cursor.next()) {
                rows.add(row);
            }
        }
        return rows;
    }

    /** The number of rows, from the footer alone. */
    public static long count(Path file, Configuration conf) throws IOException {
        ParquetReadOptions options = HadoopReadOptions.builder(conf).build();
        try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, conf), options)) {
            return reader.getRecordCount();
        }
    }

    /** A file's rows one after the other, only the columns of {@code type}; the caller closes it. */
    public static <T extends Record> Cursor<T> open(Path file, Configuration conf, Class<T> type) throws IOException {
        RecordFormat<T> format = RecordFormat.of(type);
        Configuration reading = reading(conf);
        ParquetReader<Group> reader = new GroupReader(
                        HadoopInputFile.fromPath(file, reading), new HadoopParquetConfiguration(reading), format)
                .build();
        return new Cursor<>(file, reader, format);
    }

    /**
     * A configuration to read files by: the same, without reads of several ranges at once, since s3a does not ask again
     * for what is cut off of them. It takes a copy, which for each file would cost more than to read it: one that came
     * from here is given back as it is.
     */
    public static Configuration reading(Configuration conf) {
        if (!conf.getBoolean(ParquetInputFormat.HADOOP_VECTORED_IO_ENABLED, true)) {
            return conf;
        }
        Configuration reading = new Configuration(conf);
        reading.setBoolean(ParquetInputFormat.HADOOP_VECTORED_IO_ENABLED, false);
        return reading;
    }

    /** Rows of one open file. */
    public static final class Cursor<T extends Record> implements Closeable {
        private final Path file;
        private final ParquetReader<Group> reader;
        private final RecordFormat<T> format;

        private Cursor(Path file, ParquetReader<Group> reader, RecordFormat<T> format) {
            this.file = file;
            this.reader = reader;
            this.format = format;
        }

        /** The next row, or null at the end. */
        public T next() throws IOException {
            Group group;
            try {
                group = reader.read();
            } catch (EOFException | RuntimeException e) {
                throw new IOException(
                        file + " must be a Parquet file of this table; delete it to have it made again: " + e, e);
            }
            return group == null ? null : format.read(group);
        }

        @Override
        public void close() throws IOException {
            reader.close();
        }
    }

    private static final class GroupReader extends ParquetReader.Builder<Group> {
        private final RecordFormat<?> format;

        GroupReader(InputFile file, ParquetConfiguration conf, RecordFormat<?> format) {
            super(file, conf);
            this.format = format;
        }

        @Override
        protected ReadSupport<Group> getReadSupport() {
            return new GroupReadSupport() {
                @Override
                public ReadContext init(ParquetConfiguration conf, Map<String, String> metadata, MessageType found) {
                    return new ReadContext(
                            getSchemaForRead(found, format.in(found).schema()));
                }
            };
        }
    }

    private static final class Builder<T extends Record> extends ParquetWriter.Builder<T, Builder<T>> {
        private final RecordFormat<T> format;

        Builder(OutputFile file, RecordFormat<T> format) {
            super(file);
            this.format = format;
        }

        @Override
        protected Builder<T> self() {
            return this;
        }

        @Override
        @Deprecated // abstract upstream still
        protected WriteSupport<T> getWriteSupport(Configuration conf) {
            return new RecordWriteSupport<>(format);
        }

        @Override
        protected WriteSupport<T> getWriteSupport(ParquetConfiguration conf) {
            return new RecordWriteSupport<>(format);
        }
    }

    private static final class RecordWriteSupport<T extends Record> extends WriteSupport<T> {
        private final RecordFormat<T> format;
        private RecordConsumer consumer;

        RecordWriteSupport(RecordFormat<T> format) {
            this.format = format;
        }

        @Override
        @Deprecated // abstract upstream still
        public WriteContext init(Configuration conf) {
            return new WriteContext(format.schema(), Map.of());
        }

        @Override
        public WriteContext init(ParquetConfiguration conf) {
            return new WriteContext(format.schema(), Map.of());
        }

        @Override
        public void prepareForWrite(RecordConsumer recordConsumer) {
            this.consumer = recordConsumer;
        }

        @Override
        public void write(T row) {
            format.write(row, consumer);
        }
    }

    /** Passes bytes on until it is told to hold what still comes. */
    private static final class Sink implements OutputFile {
        private final OutputStream out;
        private final ByteArrayOutputStream held = new ByteArrayOutputStream();
        private long position;
        private boolean holding;

        Sink(OutputStream out) {
            this.out = out;
        }

        void hold() {
            holding = true;
        }

        byte[] held() {
            return held.toByteArray();
        }

        @Override
        public PositionOutputStream create(long blockSizeHint) {
            return new PositionOutputStream() {
                @Override
                public long getPos() {
                    return position;
                }

                @Override
                public void write(int b) throws IOException {
                    write(new byte[] {(byte) b}, 0, 1);
                }

                @Override
                public void write(byte[] b, int off, int len) throws IOException {
                    (holding ? held : out).write(b, off, len);
                    position += len;
                }
            };
        }

        @Override
        public PositionOutputStream createOrOverwrite(long blockSizeHint) {
            return create(blockSizeHint);
        }

        @Override
        public boolean supportsBlockSize() {
            return false;
        }

        @Override
        public long defaultBlockSize() {
            return 0;
        }
    }
}
