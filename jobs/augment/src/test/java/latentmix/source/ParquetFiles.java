package latentmix.source;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetFileWriter;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.hadoop.util.HadoopOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;

/** Parquet files of images as Hugging Face datasets lays them out, of many small pages and row groups. */
public final class ParquetFiles {
    /**
     * A row.
     *
     * @param image null for a file elsewhere
     */
    public record Row(byte[] image, long label, String caption) {}

    private static final MessageType SCHEMA = MessageTypeParser.parseMessageType(
            "message schema { optional int64 label; optional group image { optional binary bytes;"
                    + " optional binary path (STRING); } optional binary text (STRING); }");

    private ParquetFiles() {}

    /** Writes rows; with the names of a ClassLabel, if there are some. */
    public static void write(Path file, List<String> names, List<Row> rows) throws IOException {
        String features = "{\"info\": {\"features\": {\"image\": {\"_type\": \"Image\"}, \"label\": {\"names\": ["
                + names.stream().map(name -> "\"" + name + "\"").collect(Collectors.joining(", "))
                + "], \"_type\": \"ClassLabel\"}}}}";
        Configuration conf = new Configuration();
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(
                        HadoopOutputFile.fromPath(new org.apache.hadoop.fs.Path(file.toUri()), conf))
                .withType(SCHEMA)
                .withConf(conf)
                .withWriteMode(ParquetFileWriter.Mode.OVERWRITE)
                .withPageSize(512)
                .withPageRowCountLimit(7)
                .withRowGroupSize(4096L)
                .withCompressionCodec(CompressionCodecName.ZSTD)
                .withExtraMetaData(names.isEmpty() ? Map.of() : Map.of("huggingface", features))
                .build()) {
            SimpleGroupFactory groups = new SimpleGroupFactory(SCHEMA);
            for (Row row : rows) {
                Group group = groups.newGroup().append("label", row.label()).append("text", row.caption());
                Group image = group.addGroup("image").append("path", "somewhere.png");
                if (row.image() != null) {
                    image.append("bytes", Binary.fromConstantByteArray(row.image()));
                }
                writer.write(group);
            }
        }
    }
}
