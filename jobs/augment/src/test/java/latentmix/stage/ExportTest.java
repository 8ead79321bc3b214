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
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.image.ImageDecoder;
import latentmix.image.SyntheticMark;
import latentmix.table.ContentId;
import latentmix.table.DatasetRow;
import latentmix.table.GeneratedRow;
import latentmix.table.RowFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
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
                    .isEqualTo(
                            SyntheticMark.on(generated.get(row.mixId()).image().bytes(), row.mixId()))
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
        Files.delete(parquet(run.resolve("dataset/parquet")).get(0));
        Files.delete(run.resolve("dataset/images/5-sandal/metadata.jsonl"));

        assertThat(TinyRun.run(2, TinyRun.config(input), run)).isZero();

        assertThat(TinyRun.tables(run)).isEqualTo(before);
        assertThat(writtenSince(times)).hasSize(2);

        Path mark = anyFile(run.resolve("exported"));
        Files.delete(mark);
        times.putAll(times());
        assertThat(TinyRun.run(2, TinyRun.config(input), run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(before);
        assertThat(writtenSince(times))
                .as("a chunk's images")
                .hasSizeBetween(2, 4)
                .allMatch(file -> file.endsWith(".png"));
    }

    private static List<String> writtenSince(Map<Path, FileTime> times) throws IOException {
        return times().entrySet().stream()
                .filter(file -> !file.getValue().equals(times.get(file.getKey())))
                .map(file -> file.getKey().toString())
                .toList();
    }

    private static Path anyFile(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().findFirst().orElseThrow();
        }
    }

    @Test
    @Order(5)
    void everyFormatOnItsOwnFollowsTheSettingsAndGoesWhenItIsNotAskedFor() throws IOException {
        Map<String, byte[]> before = exported(List.of("parquet", "images"));
        Path stranger =
                Files.createDirectories(run.resolve("dataset/images/7-sneaker")).resolve("old.png");
        Files.write(stranger, new byte[1]);
        for (List<String> formats : List.of(
                List.of("webdataset"), List.of("images"), List.of("parquet"), List.of("images", "webdataset"))) {
            String asked = "export.formats=" + formats;
            assertThat(TinyRun.run(2, TinyRun.config(input, asked, "generation.guidance=1", "mixing.0.count=5"), run))
                    .isZero();
            Map<String, byte[]> less = exported(formats);
            assertThat(less).hasSize(2 * 5);
            less.forEach(
                    (id, bytes) -> assertThat(bytes).as("guidance 1, not 2").isNotEqualTo(before.get(id)));

            assertThat(TinyRun.run(2, TinyRun.config(input, asked), run)).isZero();
            assertThat(digests(exported(formats))).isEqualTo(digests(before));
            assertThat(stranger.getParent()).doesNotExist();
        }
    }

    /** The images by mix id, the same in each of these formats; there is no other one. */
    private static Map<String, byte[]> exported(List<String> formats) throws IOException {
        try (Stream<Path> folders = Files.list(run.resolve("dataset"))) {
            assertThat(folders.filter(Files::isDirectory)
                            .filter(ExportTest::hasFiles)
                            .map(folder -> folder.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(formats);
        }
        Map<String, byte[]> images = null;
        for (String format : formats) {
            Map<String, byte[]> found =
                    switch (format) {
                        case "parquet" ->
                            rows().stream().collect(Collectors.toMap(DatasetRow::mixId, row -> row.image()
                                    .bytes()));
                        case "webdataset" -> members(".png");
                        default -> files(".png");
                    };
            assertThat(digests(found)).isEqualTo(digests(images == null ? found : images));
            images = found;
        }
        return images;
    }

    private static Map<String, String> digests(Map<String, byte[]> images) {
        Map<String, String> digests = new TreeMap<>();
        images.forEach((id, bytes) -> digests.put(id, ContentId.of("", bytes)));
        return digests;
    }

    private static boolean hasFiles(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.anyMatch(Files::isRegularFile);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The members of the tar files. */
    private static Map<String, byte[]> members(String ending) throws IOException {
        Map<String, byte[]> members = new TreeMap<>();
        for (Path file : below(run.resolve("dataset/webdataset"), ".tar")) {
            try (TarArchiveInputStream tar = new TarArchiveInputStream(Files.newInputStream(file))) {
                for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                    if (entry.getName().endsWith(ending)) {
                        members.put(entry.getName().replace(ending, ""), tar.readAllBytes());
                    }
                }
            }
        }
        return members;
    }

    private static Map<String, byte[]> files(String ending) throws IOException {
        Map<String, byte[]> images = new TreeMap<>();
        for (Path file : below(run.resolve("dataset/images"), ending)) {
            images.put(file.getFileName().toString().replace(ending, ""), Files.readAllBytes(file));
        }
        return images;
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
        return below(table, ".parquet");
    }

    private static List<Path> below(Path table, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(table)) {
            return files.filter(file -> file.toString().endsWith(ending))
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
