package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.source.ParquetFiles;
import latentmix.table.ContentId;
import latentmix.table.DatasetRow;
import latentmix.table.RejectedRow;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

        Files.setLastModifiedTime(root.resolve("data/a.parquet"), FileTime.fromMillis(7000));
        Files.move(root.resolve("data/more/b.parquet"), root.resolve("data/c.parquet"));
        Path run = folder.resolve("run of parquet");
        RunConfig config = TinyRun.config(root, "input.format=parquet");
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            Plan plan = Pipeline.plan(spark, config, run.toString());
            assertThat(plan.found().unreadFiles()).isEqualTo(2);
            assertThat(plan.found().images()).isEqualTo(2 * IMAGES);
            assertThat(plan.found().unread()).isZero();
            assertThat(plan.found().leftOut()).isEmpty();
            assertThat(plan.stages()).allMatch(stage -> stage.rows() == 0);
            assertThat(plan.text(new Plan.Rates(Map.of(), 1, OptionalDouble.empty(), OptionalDouble.empty())))
                    .contains("to index   2 files, which a run reads first")
                    .doesNotContain("unread");
        }
        Map<String, String> tables = TinyRun.tables(run);
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(tables);
        assertThat(TinyRun.evaluations(run, "invert") + TinyRun.evaluations(run, "generate"))
                .isZero();
    }

    @Test
    void tarFilesGiveTheBytesOfFoldersAndAreMeasuredAsTheyAre() throws IOException {
        Path root = Files.createDirectories(folder.resolve("tar"));
        Picture.tar(root.resolve("train-0000.tar"), half(0));
        Picture.tar(root.resolve("train-0001.tar"), half(1));
        assertMadeAsInFolders(root, "tar");

        Path reference = folder.resolve("reference.parquet");
        Picture.parquet(reference, half(0));
        Path same = folder.resolve("reference");
        for (Picture picture : half(0)) {
            Path file = same.resolve(input.relativize(picture.file()));
            Files.createDirectories(file.getParent());
            Files.copy(picture.file(), file);
        }
        Path run = folder.resolve("measured");
        String[] inParquet = TinyRun.measured(folder, "evaluation.reference=" + reference);
        assertThat(TinyRun.run(2, TinyRun.config(root, inParquet), run)).isZero();
        Path folders = folder.resolve("measured in folders");
        String[] inFolders = TinyRun.measured(folder, "evaluation.reference=" + same);
        assertThat(TinyRun.run(2, TinyRun.config(input, inFolders), folders)).isZero();
        Map<String, String> metrics = TinyRun.tables(run);
        metrics.keySet().removeIf(name -> !name.startsWith("features/") && !name.startsWith("metrics/"));
        assertThat(metrics).isNotEmpty();
        assertThat(TinyRun.tables(folders)).containsAllEntriesOf(metrics);

        Picture.parquet(reference, half(0).subList(0, 2));
        assertThatThrownBy(() -> TinyRun.run(2, TinyRun.config(root, inParquet), run))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("evaluation.reference: expected images for every class in " + reference)
                .hasMessageContaining("there is none for 9-ankle-boot");
    }

    @Test
    void parquetFilesThatSparkPartitionedByTheLabelGiveTheBytesOfFolders() throws IOException {
        Path root = folder.resolve("spark");
        StructType image = new StructType().add("bytes", DataTypes.BinaryType).add("path", DataTypes.StringType);
        StructType schema = new StructType().add("image", image).add("label", DataTypes.StringType);
        List<Row> rows = new ArrayList<>();
        for (Picture picture : pictures()) {
            rows.add(RowFactory.create(
                    RowFactory.create(picture.bytes(), picture.file().toString()),
                    TinyRun.CLASSES.get(picture.label())));
        }
        try (JavaSparkContext spark = TinyRun.spark(1);
                SparkSession session =
                        SparkSession.builder().sparkContext(spark.sc()).getOrCreate()) {
            session.createDataFrame(rows, schema).write().partitionBy("label").parquet(root.toString());
        }
        assertThat(root.resolve("label=5-sandal")).isDirectory();
        assertMadeAsInFolders(root, "spark");
    }

    @Test
    void whatWasRefusedIsReadAgainWhereThatIsAskedFor() throws IOException {
        Path root = Files.createDirectories(folder.resolve("refused rows"));
        Path tar = root.resolve("a.tar");
        Picture.tar(tar, pictures());
        byte[] whole = Files.readAllBytes(tar);
        byte[] torn = whole.clone();
        Arrays.fill(torn, whole.length / 2, whole.length / 2 + 2000, (byte) 'x');
        Files.write(tar, torn);
        Files.setLastModifiedTime(tar, FileTime.fromMillis(7000));
        Path run = folder.resolve("run of refused rows");
        RunConfig config = TinyRun.config(root, "mixing.1.inputs=2");
        RunTerms again = new RunTerms("", Double.POSITIVE_INFINITY, true, Console.SILENT);
        assertThat(inverted(config, run, RunTerms.NONE)).isLessThan(2 * IMAGES);
        assertThat(TinyRun.rows(run, "rejected", RejectedRow.class))
                .extracting(RejectedRow::reason)
                .contains("damaged tar");

        Files.write(tar, whole);
        Files.setLastModifiedTime(tar, FileTime.fromMillis(7000));
        assertThat(inverted(config, run, RunTerms.NONE))
                .as("it looks unchanged")
                .isLessThan(2 * IMAGES);
        assertThat(inverted(config, run, again)).isEqualTo(2 * IMAGES);
        assertThat(run.resolve("rejected"))
                .satisfiesAnyOf(rejected -> assertThat(rejected).doesNotExist(), rejected -> assertThat(
                                TinyRun.rows(run, "rejected", RejectedRow.class))
                        .isEmpty());
    }

    private static long inverted(RunConfig config, Path run, RunTerms terms) throws IOException {
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            return Pipeline.summary(spark, config, run.toString(), List.of(StageName.INVERT), terms)
                    .counts()
                    .inverted();
        }
    }

    @Test
    void rowsOfARewrittenFileAreFollowedAndThoseThatAreGoneAreInNoMixture() throws IOException {
        Path file = Files.createDirectories(folder.resolve("rewritten")).resolve("a.parquet");
        List<Picture> before = pictures();
        Picture.parquet(file, before);
        Path run = folder.resolve("run of rewritten");
        RunConfig config = TinyRun.config(file.getParent(), "mixing.1.inputs=2");
        assertThat(TinyRun.run(2, config, run)).isZero();

        List<Picture> now = new ArrayList<>(before.subList(1, before.size()));
        Collections.reverse(now);
        Picture.parquet(file, now);
        Files.setLastModifiedTime(file, FileTime.fromMillis(9000));
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.evaluations(run, "invert")).isZero();
        JsonNode counts = TinyRun.summary(run).get("counts");
        assertThat(counts.get("inverted").asLong()).isEqualTo(2 * IMAGES - 1);
        assertThat(counts.get("rejected"))
                .as("rows that moved are no duplicates")
                .isEmpty();
        String gone = ContentId.of(TinyRun.CLASSES.get(0), before.get(0).bytes());
        List<DatasetRow> made = TinyRun.rows(run, "dataset/parquet", DatasetRow.class);
        assertThat(made).hasSize(2 * 6).allSatisfy(row -> assertThat(row.sourceIds())
                .doesNotContain(gone));
    }

    @Test
    void aFileThatLacksTheColumnsOfTheFirstIsRefusedInALine() throws IOException {
        Path root = Files.createDirectories(folder.resolve("columns"));
        Picture.parquet(root.resolve("a.parquet"), half(0));
        try (Stream<Path> files = Files.walk(inFolders.resolve("images"))) {
            Path other = files.filter(Files::isRegularFile).findFirst().orElseThrow();
            Files.copy(other, root.resolve("b.parquet"));
        }
        assertThatThrownBy(() -> TinyRun.run(1, TinyRun.config(root), folder.resolve("refused columns")))
                .hasRootCauseInstanceOf(ConfigException.class)
                .rootCause()
                .hasMessageContaining("expected an image column");
    }

    @Test
    void aManifestGivesTheBytesOfFolders() throws IOException {
        Path manifest = Picture.manifest(folder.resolve("labels.csv"), pictures());
        assertMadeAsInFolders(manifest, "manifest");
    }

    @ParameterizedTest
    @ValueSource(strings = {"parquet", "webdataset", "images"})
    void theExportedDatasetIsAnInput(String format) throws IOException {
        Path made = TinyRun.copy(inFolders, folder.resolve("exported as " + format));
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            RunConfig config = TinyRun.config(input, "export.formats=[" + format + "]");
            Pipeline.run(spark, config, made.toString(), List.of(StageName.EXPORT));
        }
        RunConfig config = TinyRun.config(made.resolve("dataset").resolve(format), "mixing.1.inputs=2");
        assertThat(inverted(config, folder.resolve("again of " + format), RunTerms.NONE))
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
