package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.source.ParquetFiles;
import latentmix.table.RejectedRow;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same images in folders, in Parquet files, in tar files and named by a manifest. */
class InputShapesTest {
    private static final int IMAGES = 8;

    @TempDir
    static Path folder;

    private static Path input;
    private static Path inFolders;

    @BeforeAll
    static void aRunOnFolders() throws IOException {
        input = TinyRun.input(folder.resolve("in"), IMAGES);
        inFolders = folder.resolve("in-folders");
        assertThat(TinyRun.run(2, TinyRun.config(input), inFolders)).isZero();
    }

    private static List<Picture> pictures() throws IOException {
        return Picture.of(input);
    }

    /** Every second picture from one on, so that each file has some of each class. */
    private static List<Picture> half(int from) throws IOException {
        List<Picture> all = pictures();
        List<Picture> half = new ArrayList<>();
        for (int i = from; i < all.size(); i += 2) {
            half.add(all.get(i));
        }
        return half;
    }

    /** What is made of images: it tells nothing of where they lie. */
    private static Map<String, String> made(Path run) throws IOException {
        Map<String, String> made = TinyRun.tables(run);
        made.keySet()
                .removeIf(name ->
                        !name.startsWith("mixed/") && !name.startsWith("generated/") && !name.startsWith("dataset/"));
        return made;
    }

    private static void assertMadeAsInFolders(Path root, String name, String... overrides) throws IOException {
        Path run = folder.resolve("run of " + name);
        RunConfig config = TinyRun.config(root, overrides);
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(made(run)).isNotEmpty().isEqualTo(made(inFolders));
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("inverted").asLong()).isEqualTo(2 * IMAGES);
        assertThat(counts.get("files").asLong()).isEqualTo(2 * IMAGES);

        Map<String, String> tables = TinyRun.tables(run);
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(tables);
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
    }

    @Test
    void parquetFilesGiveTheBytesOfFolders() throws IOException {
        Path root = Files.createDirectories(folder.resolve("parquet"));
        Files.createDirectories(root.resolve("data/more"));
        Picture.parquet(root.resolve("data/a.parquet"), half(0));
        Picture.parquet(root.resolve("data/more/b.parquet"), half(1));
        assertMadeAsInFolders(root, "parquet", "input.format=parquet");
    }

    @Test
    void tarFilesGiveTheBytesOfFoldersAndAreMeasuredAsTheyAre() throws IOException {
        Path root = Files.createDirectories(folder.resolve("tar"));
        Picture.tar(root.resolve("train-0000.tar"), half(0));
        Picture.tar(root.resolve("train-0001.tar"), half(1));
        assertMadeAsInFolders(root, "tar");

        String[] measured = TinyRun.measured(folder);
        Path run = folder.resolve("measured");
        assertThat(TinyRun.run(2, TinyRun.config(root, measured), run)).isZero();
        Path folders = folder.resolve("measured in folders");
        assertThat(TinyRun.run(2, TinyRun.config(input, measured), folders)).isZero();
        Map<String, String> metrics = TinyRun.tables(run);
        metrics.keySet().removeIf(name -> !name.startsWith("features/") && !name.startsWith("metrics/"));
        assertThat(metrics).isNotEmpty();
        assertThat(TinyRun.tables(folders)).containsAllEntriesOf(metrics);
    }

    @Test
    void aManifestGivesTheBytesOfFolders() throws IOException {
        Path manifest = Picture.manifest(folder.resolve("labels.csv"), pictures());
        assertMadeAsInFolders(manifest, "manifest");
    }

    @Test
    void theExportedDatasetIsAnInput() throws IOException {
        Path run = folder.resolve("again");
        assertThat(TinyRun.run(2, TinyRun.config(inFolders.resolve("dataset/parquet"), "mixing.1.inputs=2"), run))
                .isZero();
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("inverted").asLong())
                .isEqualTo(TinyRun.exported(inFolders, 2))
                .isPositive();
    }

    @Test
    void aLimitAndAClassAndRowsOfNoUseAreCountedAsInFolders() throws IOException {
        Path root = Files.createDirectories(folder.resolve("partial"));
        List<ParquetFiles.Row> rows = new ArrayList<>();
        for (Picture picture : pictures()) {
            rows.add(new ParquetFiles.Row(picture.bytes(), picture.label(), ""));
        }
        rows.add(new ParquetFiles.Row(pictures().get(0).bytes(), 0, "the same"));
        rows.add(new ParquetFiles.Row(null, 0, "elsewhere"));
        rows.add(new ParquetFiles.Row("no image".getBytes(StandardCharsets.UTF_8), 0, "text"));
        ParquetFiles.write(root.resolve("a.parquet"), TinyRun.CLASSES, rows);
        Path run = folder.resolve("partial run");
        RunConfig config = TinyRun.config(root, "input.folders=[5-sandal]", "input.limit=9", "run.max_rejected=0.5");
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            Plan plan = Pipeline.plan(spark, config, run.toString());
            assertThat(plan.found().images()).isEqualTo(9);
        }
        assertThat(run.resolve("index")).doesNotExist();
        assertThat(TinyRun.run(2, config, run)).isZero();
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("inverted").asLong()).isEqualTo(IMAGES);
        assertThat(counts.at("/rejected/images/duplicate").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/images/external file").asLong()).isEqualTo(1);
        assertThat(counts.at("/rejected/invert/not an image").asLong()).isEqualTo(1);
        assertThat(counts.get("files").asLong()).isEqualTo(IMAGES + 3);
        assertThat(TinyRun.rows(run, "rejected", RejectedRow.class))
                .extracting(RejectedRow::path)
                .containsExactlyInAnyOrder("a.parquet#16", "a.parquet#17", "a.parquet#18");
    }

    @Test
    void aClassListThatLacksALabelIsRefusedBeforeAnyModelRuns() throws IOException {
        Path root = Files.createDirectories(folder.resolve("listed"));
        Picture.tar(root.resolve("a.tar"), half(0));
        Path list = Files.writeString(folder.resolve("short.tsv"), "index\tfolder\tname\n0\t5-sandal\tsandal\n");
        assertThatThrownBy(
                        () -> TinyRun.run(1, TinyRun.config(root, "input.classes=" + list), folder.resolve("refused")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("has none for 9-ankle-boot");
    }
}
