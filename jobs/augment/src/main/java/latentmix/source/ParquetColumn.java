package latentmix.source;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.parquet.VersionParser;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.impl.ColumnReaderImpl;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.compression.CompressionCodecFactory.BytesInputDecompressor;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageLocation;
import org.apache.parquet.format.Util;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.io.api.PrimitiveConverter;

/**
 * One column of one row group, page by page: a page is read when its rows come up, and pages before a row that is
 * sought are passed over by their headers. So neither a row group nor a file need fit into memory.
 */
final class ParquetColumn {
    private static final int HEADER_BUFFER = 1 << 12;
    private static final ParquetMetadataConverter CONVERTER = new ParquetMetadataConverter();

    private final FSDataInputStream in;
    private final ColumnDescriptor descriptor;
    private final ColumnChunkMetaData chunk;
    private final BytesInputDecompressor decompressor;
    private final ColumnReaderImpl reader;
    private long position;

    /** The column from a row of the group on. */
    ParquetColumn(
            FSDataInputStream in,
            ColumnDescriptor descriptor,
            ColumnChunkMetaData chunk,
            BytesInputDecompressor decompressor,
            VersionParser.ParsedVersion writer,
            long row)
            throws IOException {
        this.in = in;
        this.descriptor = descriptor;
        this.chunk = chunk;
        this.decompressor = decompressor;
        this.position = chunk.getStartingPos();
        DictionaryPage dictionary = dictionary();
        long before = 0;
        if (chunk.getOffsetIndexReference() != null) {
            in.seek(chunk.getOffsetIndexReference().getOffset());
            for (PageLocation page : Util.readOffsetIndex(new BufferedInputStream(in, HEADER_BUFFER))
                    .getPage_locations()) {
                if (page.getFirst_row_index() <= row) {
                    position = page.getOffset();
                    before = page.getFirst_row_index();
                }
            }
        }
        while (true) {
            long start = position;
            PageHeader header = header();
            int rows = rows(header);
            if (before + rows > row) {
                position = start;
                break;
            }
            position += header.getCompressed_page_size();
            before += rows;
        }
        long left = chunk.getValueCount() - before;
        this.reader =
                new ColumnReaderImpl(descriptor, new Pages(dictionary, left), new PrimitiveConverter() {}, writer);
        for (long skipped = before; skipped < row; skipped++) {
            next();
        }
    }

    /** Whether the row that is next has a value. */
    boolean isNull() {
        return reader.getCurrentDefinitionLevel() < descriptor.getMaxDefinitionLevel();
    }

    /** Whether the row that is next has a value this deep, such as the group around it. */
    boolean hasLevel(int definitionLevel) {
        return reader.getCurrentDefinitionLevel() >= definitionLevel;
    }

    Binary binary() {
        return reader.getBinary();
    }

    long number() {
        return switch (descriptor.getPrimitiveType().getPrimitiveTypeName()) {
            case INT32 -> reader.getInteger();
            default -> reader.getLong();
        };
    }

    /** Goes on to the next row. */
    void next() {
        if (!isNull()) {
            reader.skip();
        }
        reader.consume();
    }

    private DictionaryPage dictionary() throws IOException {
        long start = position;
        PageHeader header = header();
        if (!header.isSetDictionary_page_header()) {
            position = start;
            return null;
        }
        BytesInput bytes = decompressor.decompress(BytesInput.from(body(header)), header.getUncompressed_page_size());
        return new DictionaryPage(
                bytes,
                header.getDictionary_page_header().getNum_values(),
                CONVERTER.getEncoding(header.getDictionary_page_header().getEncoding()));
    }

    /** Reads the page header at the position and moves behind it. */
    private PageHeader header() throws IOException {
        in.seek(position);
        Counted counted = new Counted(new BufferedInputStream(in, HEADER_BUFFER));
        PageHeader header = Util.readPageHeader(counted);
        position += counted.count;
        return header;
    }

    private byte[] body(PageHeader header) throws IOException {
        byte[] bytes = new byte[header.getCompressed_page_size()];
        in.readFully(position, bytes);
        position += bytes.length;
        return bytes;
    }

    private static int rows(PageHeader header) {
        if (header.isSetData_page_header()) {
            return header.getData_page_header().getNum_values();
        }
        return header.isSetData_page_header_v2()
                ? header.getData_page_header_v2().getNum_rows()
                : 0;
    }

    private final class Pages implements PageReader {
        private final DictionaryPage dictionary;
        private final long values;
        private long left;

        Pages(DictionaryPage dictionary, long values) {
            this.dictionary = dictionary;
            this.values = values;
            this.left = values;
        }

        @Override
        public DictionaryPage readDictionaryPage() {
            return dictionary;
        }

        @Override
        public long getTotalValueCount() {
            return values;
        }

        @Override
        public DataPage readPage() {
            try {
                while (left > 0) {
                    PageHeader header = header();
                    byte[] body = body(header);
                    left -= rows(header);
                    if (header.isSetData_page_header()) {
                        return first(header, body);
                    } else if (header.isSetData_page_header_v2()) {
                        return second(header, body);
                    }
                }
                return null;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private DataPage first(PageHeader header, byte[] body) throws IOException {
            DataPageHeader data = header.getData_page_header();
            return new DataPageV1(
                    decompressor.decompress(BytesInput.from(body), header.getUncompressed_page_size()),
                    data.getNum_values(),
                    header.getUncompressed_page_size(),
                    null,
                    CONVERTER.getEncoding(data.getRepetition_level_encoding()),
                    CONVERTER.getEncoding(data.getDefinition_level_encoding()),
                    CONVERTER.getEncoding(data.getEncoding()));
        }

        private DataPage second(PageHeader header, byte[] body) throws IOException {
            DataPageHeaderV2 data = header.getData_page_header_v2();
            int repetition = data.getRepetition_levels_byte_length();
            int levels = repetition + data.getDefinition_levels_byte_length();
            BytesInput values = BytesInput.from(body, levels, body.length - levels);
            return DataPageV2.uncompressed(
                    data.getNum_rows(),
                    data.getNum_nulls(),
                    data.getNum_values(),
                    BytesInput.from(body, 0, repetition),
                    BytesInput.from(body, repetition, levels - repetition),
                    CONVERTER.getEncoding(data.getEncoding()),
                    data.isIs_compressed() && chunk.getCodec() != CompressionCodecName.UNCOMPRESSED
                            ? decompressor.decompress(values, header.getUncompressed_page_size() - levels)
                            : values,
                    null);
        }
    }

    private static final class Counted extends InputStream {
        private final InputStream in;
        private long count;

        Counted(InputStream in) {
            this.in = in;
        }

        @Override
        public int read() throws IOException {
            int b = in.read();
            count += b < 0 ? 0 : 1;
            return b;
        }

        @Override
        public int read(byte[] bytes, int from, int length) throws IOException {
            int read = in.read(bytes, from, length);
            count += Math.max(0, read);
            return read;
        }
    }
}
