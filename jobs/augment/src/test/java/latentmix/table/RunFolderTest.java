package latentmix.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Random;
import latentmix.table.RunFolder.Table;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunFolderTest {
    private record Row(
            String imageId,
            int label,
            long length,
            double norm,
            List<String> sourceIds,
            List<Double> weights,
            LatentColumn latent) {}

    private record Projection(LatentColumn latent, String imageId) {}

    @TempDir
    java.nio.file.Path folder;

    private static Row row(String id) {
        return new Row(id, 3, 1L << 40, 0.1, List.of("a", "ü"), List.of(), new LatentColumn(1, 1, 2, new byte[] {
            1, 2, 3, 4, 5, 6, 7, 8
        }));
    }

    @Test
    void aRecordIsReadBackAsItWasWrittenAndASmallerRecordReadsOnlyItsColumns() throws IOException {
        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        Path file = run.chunk(Table.INVERTED, "a=b", "c1");
        run.publish(file, RowFile.bytes(Row.class, List.of(row("x"), row("y"))));

        List<Row> rows = RowFile.read(file, run.conf(), Row.class);
        assertThat(rows).hasSize(2);
        assertThat(rows.get(1)).usingRecursiveComparison().isEqualTo(row("y"));
        Projection projection = RowFile.read(file, run.conf(), Projection.class).get(0);
        assertThat(projection.imageId()).isEqualTo("x");
        assertThat(projection.latent().data()).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(RowFile.count(file, run.conf())).isEqualTo(2);
        assertThat(run.chunks(Table.INVERTED, "a=b")).containsExactly("c1");
        assertThat(run.chunks(Table.INVERTED)).containsExactly("c1");
        assertThat(file.toString()).contains("class_id=a%3Db");
    }

    @Test
    void theSameRowsGiveTheSameBytesAndAFileOfNoRowsIsAFile() {
        assertThat(RowFile.bytes(Row.class, List.of(row("x")))).isEqualTo(RowFile.bytes(Row.class, List.of(row("x"))));
        assertThat(RowFile.bytes(Row.class, List.of())).isNotEmpty();
    }

    /** A file of 400 kB of noise in row groups of 64 kB, and how much of it had been passed on before its end. */
    private static long stream(ByteArrayOutputStream bytes, boolean finish) throws IOException {
        Random random = new Random(1);
        try (RowFile.Writer<Row> writer = RowFile.writer(bytes, Row.class, Map.of("key", "value"), 1 << 16)) {
            for (int i = 0; i < 40; i++) {
                byte[] noise = new byte[10_000];
                random.nextBytes(noise);
                writer.add(new Row("r" + i, i, i, i, List.of(), List.of(), new LatentColumn(1, 1, 2500, noise)));
            }
            long streamed = bytes.size();
            if (finish) {
                writer.finish();
            }
            return streamed;
        }
    }

    @Test
    void aLongFileIsWrittenRowGroupByRowGroupAndHasItsMetadata() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        assertThat(stream(bytes, true)).isGreaterThan(bytes.size() - (1 << 16)).isPositive();
        ByteArrayOutputStream again = new ByteArrayOutputStream();
        stream(again, true);
        assertThat(again.toByteArray()).isEqualTo(bytes.toByteArray());

        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        Path file = run.path("long.parquet");
        run.publish(file, out -> out.write(bytes.toByteArray()));
        assertThat(RowFile.read(file, run.conf(), Row.class))
                .extracting(Row::imageId)
                .hasSize(40)
                .endsWith("r39");
        try (ParquetFileReader reader = ParquetFileReader.open(HadoopInputFile.fromPath(file, run.conf()))) {
            assertThat(reader.getRowGroups())
                    .hasSizeBetween(6, 8)
                    .allMatch(group -> group.getTotalByteSize() < 1.3 * (1 << 16));
            assertThat(reader.getFileMetaData().getKeyValueMetaData()).containsEntry("key", "value");
        }
    }

    @Test
    void aLongFileWhoseWriterFailsIsNotThere() throws IOException {
        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        assertThatThrownBy(() -> run.publish(run.path("long.parquet"), out -> {
                    out.write(new byte[100_000]);
                    throw new IOException("a row cannot be read");
                }))
                .hasMessage("a row cannot be read");
        try (var files = Files.walk(folder)) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        long streamed = stream(bytes, false);
        assertThat(bytes.size()).as("no footer").isEqualTo(streamed);
    }

    @Test
    void settingsAreFoundUnderTheHashOfTheirText() throws IOException {
        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        String id = run.settings(Map.of("steps", 50, "guidance", 2.0));
        assertThat(run.settings(Map.of("guidance", 2.0, "steps", 50))).isEqualTo(id);
        assertThat(ContentId.of(Files.readString(folder.resolve("settings/" + id + ".json"))))
                .isEqualTo(id);
    }

    @Test
    void idsKeepTheirPartsApart() {
        assertThat(ContentId.of("ab", "c"))
                .isNotEqualTo(ContentId.of("a", "bc"))
                .hasSize(32);
    }

    @Test
    void aFullDiskLeavesNeitherAFileNorALeftover() throws IOException {
        Configuration conf = new Configuration();
        conf.set("fs.full.impl", FullDisk.class.getName());
        conf.setInt("fs.full.bytes", 1 << 16);
        RunFolder run = new RunFolder("full://" + folder, conf);
        assertThatThrownBy(() -> run.publish(run.chunk(Table.MIXED, "a", "c1"), new byte[1 << 20]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("No space left on device");
        assertThat(run.chunks(Table.MIXED, "a")).isEmpty();
        try (var files = Files.walk(folder)) {
            assertThat(files.filter(Files::isRegularFile)).isEmpty();
        }
    }
}
