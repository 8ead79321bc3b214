package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.image.ImageDecoder;
import latentmix.table.DatasetRow;
import latentmix.table.GeneratedRow;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.FileMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.schema.Type;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The dataset of a run with 2 classes and 6 exported mixtures each. */
@TestMethodOrder(OrderAnnotation.class)
class ExportTest {
    private static final Configuration CONF = new Configuration();
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path folder;

    private static Path input;
    private static Path run;

    @BeforeAll
    static void aRun() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 8);
        run = folder.resolve("run");
        assertThat(TinyRun.run(2, TinyRun.config(input), run)).isZero();
    }

    @Test
    @Order(1)
    void rowsAreTheExportedEntrysImagesWithTheirClassesLabels() throws Exception {
        Map<String, GeneratedRow> generated = new HashMap<>();
        for (Path file : parquet(run.resolve("generated"))) {
            read(file, GeneratedRow.class).forEach(row -> generated.put(row.mixId(), row));
        }
        List<DatasetRow> rows = rows();
        assertThat(generated).hasSize(2 * (6 + 4));
        assertThat(rows).hasSize(2 * 6);
        for (DatasetRow row : rows) {
            String classId = TinyRun.CLASSES.get((int) row.label());
            assertThat(row.className()).isEqualTo(classId);
            assertThat(row.method()).isEqualTo("nin/chm");
            assertThat(row.sourceIds()).hasSize(3).doesNotHaveDuplicates();
            assertThat(row.weights().stream().mapToDouble(w -> w).sum()).isCloseTo(1, within(1e-12));
            assertThat(row.image().path()).isEqualTo(classId + "/" + row.mixId() + ".png");
            assertThat(row.image().bytes())
                    .isEqualTo(generated.get(row.mixId()).image().bytes())
                    .isEqualTo(Files.readAllBytes(
                            run.resolve("dataset/images").resolve(row.image().path())));
            assertThat(ImageDecoder.decode(row.image().bytes(), 32 * 32).width())
                    .isEqualTo(32);
        }
    }

    @Test
    @Order(2)
    void parquetFilesAreWhatHuggingFaceDatasetsOpensAsImages() throws IOException {
        for (Path file : parquet(run.resolve("dataset/parquet"))) {
            FileMetaData footer = footer(file);
            JsonNode features = JSON.readTree(footer.getKeyValueMetaData().get("huggingface"))
                    .at("/info/features");
            assertThat(features.get("image").toString()).isEqualTo("{\"_type\":\"Image\"}");
            assertThat(features.get("label").toString())
                    .isEqualTo("{\"names\":[\"5-sandal\",\"9-ankle-boot\"],\"_type\":\"ClassLabel\"}");
            assertThat(features.fieldNames())
                    .toIterable()
                    .containsExactlyElementsOf(footer.getSchema().getFields().stream()
                            .map(Type::getName)
                            .toList());
            // The library drops a feature without a word where its column, or a part of it, is not nullable.
            footer.getSchema().getColumns().forEach(column -> assertThat(
                            column.getPrimitiveType().isRepetition(Type.Repetition.OPTIONAL))
                    .as(column.toString())
                    .isTrue());
            footer.getSchema().getFields().forEach(field -> assertThat(field.isRepetition(Type.Repetition.OPTIONAL))
                    .as(field.getName())
                    .isTrue());
        }
    }

    @Test
    @Order(3)
    void everyImageFileHasItsMetadataLine() throws IOException {
        for (int label = 0; label < TinyRun.CLASSES.size(); label++) {
            Path classFolder = run.resolve("dataset/images").resolve(TinyRun.CLASSES.get(label));
            List<String> named = new ArrayList<>();
            for (String line : Files.readAllLines(classFolder.resolve("metadata.jsonl"))) {
                JsonNode metadata = JSON.readTree(line);
                named.add(metadata.get("file_name").asText());
                assertThat(metadata.get("label").asInt()).isEqualTo(label);
                assertThat(metadata.get("method").asText()).isEqualTo("nin/chm");
                assertThat(metadata.get("source_ids")).hasSize(3);
            }
            try (Stream<Path> files = Files.list(classFolder)) {
                assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".png")))
                        .containsExactlyInAnyOrderElementsOf(named)
                        .hasSize(6);
            }
        }
    }

    @Test
    @Order(4)
    void whatStandsIsNotWrittenAgainAndALostFileIsTheSameAsBefore() throws IOException {
        Map<String, String> before = TinyRun.tables(run);
        Map<Path, FileTime> times = times();
        Path lost = parquet(run.resolve("dataset/parquet")).get(0);
        Files.delete(lost);
        Files.delete(run.resolve("dataset/images/5-sandal/metadata.jsonl"));

        assertThat(TinyRun.run(2, TinyRun.config(input), run)).isZero();

        assertThat(TinyRun.tables(run)).isEqualTo(before);
        long writtenAgain = times().entrySet().stream()
                .filter(file -> !file.getValue().equals(times.get(file.getKey())))
                .count();
        assertThat(writtenAgain)
                .as("the lost files, and the images of the lost Parquet file")
                .isEqualTo(2 + RowFile.count(new org.apache.hadoop.fs.Path(lost.toString()), CONF));
    }

    @Test
    @Order(5)
    void aChangedSettingReplacesTheDataset() throws IOException {
        List<DatasetRow> before = rows();
        Path stranger =
                Files.createDirectories(run.resolve("dataset/images/7-sneaker")).resolve("old.png");
        Files.write(stranger, new byte[1]);

        assertThat(TinyRun.run(2, TinyRun.config(input, "generation.guidance=1", "mixing.0.count=5"), run))
                .isZero();

        List<DatasetRow> after = rows();
        assertThat(after).hasSize(2 * 5);
        Map<String, byte[]> bytes = new TreeMap<>();
        before.forEach(row -> bytes.put(row.mixId(), row.image().bytes()));
        for (DatasetRow row : after) {
            assertThat(row.image().bytes()).as("guidance 1, not 2").isNotEqualTo(bytes.get(row.mixId()));
            assertThat(row.image().bytes())
                    .isEqualTo(Files.readAllBytes(
                            run.resolve("dataset/images").resolve(row.image().path())));
        }
        assertThat(stranger.getParent()).doesNotExist();
        everyImageOf(5);
    }

    private static void everyImageOf(int count) throws IOException {
        for (String classId : TinyRun.CLASSES) {
            try (Stream<Path> files = Files.list(run.resolve("dataset/images").resolve(classId))) {
                assertThat(files).hasSize(count + 1);
            }
        }
    }

    private static List<DatasetRow> rows() throws IOException {
        List<DatasetRow> rows = new ArrayList<>();
        for (Path file : parquet(run.resolve("dataset/parquet"))) {
            rows.addAll(read(file, DatasetRow.class));
        }
        return rows;
    }

    private static <T extends Record> List<T> read(Path file, Class<T> type) throws IOException {
        return RowFile.read(new org.apache.hadoop.fs.Path(file.toString()), CONF, type);
    }

    private static FileMetaData footer(Path file) throws IOException {
        try (ParquetFileReader reader = ParquetFileReader.open(
                HadoopInputFile.fromPath(new org.apache.hadoop.fs.Path(file.toString()), CONF))) {
            return reader.getFooter().getFileMetaData();
        }
    }

    private static List<Path> parquet(Path table) throws IOException {
        try (Stream<Path> files = Files.walk(table)) {
            return files.filter(file -> file.toString().endsWith(".parquet"))
                    .sorted()
                    .toList();
        }
    }

    private static Map<Path, FileTime> times() throws IOException {
        Map<Path, FileTime> times = new TreeMap<>();
        try (Stream<Path> files = Files.walk(run.resolve("dataset"))) {
            files.filter(Files::isRegularFile).forEach(file -> {
                try {
                    times.put(file, Files.getLastModifiedTime(file));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
        return times;
    }
}
