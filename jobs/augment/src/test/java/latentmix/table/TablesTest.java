package latentmix.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.latent.Degeneracy;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.RunFolder.Table;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every table of a run folder, written and read back. */
class TablesTest {
    private static final String CAT = "cat";
    private static final LatentColumn LATENT = new LatentColumn(1, 1, 1, new byte[] {0, 0, -128, 63});

    @TempDir
    Path folder;

    private RunFolder run;

    @BeforeEach
    void anEmptyRunFolder() {
        run = new RunFolder(folder.toString(), new Configuration());
    }

    private static RejectedRow rejected(String id) {
        return new RejectedRow("some stage", CAT, id, "cat/" + id + ".png", "truncated", "half a file", "s1");
    }

    private static ImageRow image(String id, String chunk, int position) {
        return new ImageRow(id, CAT, 0, "a cat", "cat/" + id + ".png", 10, 1000, chunk, position);
    }

    private static InvertedRow inverted(String id, String prompt, String settings) {
        return new InvertedRow(
                id, CAT, 0, "a cat", "cat/" + id + ".png", prompt, LATENT, 1, List.of(1.0), LATENT, 0, settings, "f");
    }

    private static MixedRow mixed(String id, int k, double strength) {
        return mixed(id, k, strength, List.of(), List.of());
    }

    private static MixedRow mixed(String id, int k, double strength, List<String> classes, List<Double> guidance) {
        return new MixedRow(
                id,
                CAT,
                0,
                "a cat",
                "a photo",
                k,
                "pool",
                "lin/0",
                List.of("i1", "i2"),
                List.of(0.25, 0.75),
                1.6,
                LATENT,
                1,
                List.of(1.0),
                1,
                strength,
                LatentColumn.NONE,
                0,
                0.5,
                Double.NaN,
                new Degeneracy(1, 2, 3, 4, 5, 6, 7),
                "s1",
                classes,
                classes,
                classes,
                classes.isEmpty() ? List.of() : List.of(1.0),
                List.of(),
                List.of(),
                guidance);
    }

    private static GeneratedRow generated(String id) {
        EncodedImage image = new EncodedImage(new byte[] {1, 2}, "cat/" + id + ".png");
        return new GeneratedRow(id, CAT, 0, "a cat", image, 1, 1, 2, 0.5, 0.25, 7, 42, 0, "s1");
    }

    @Test
    void imagesAreReadByTheirChunkInItsOrder() throws IOException {
        ImagesTable table = new ImagesTable(run, CAT);
        List<ImageRow> rows = List.of(image("i1", "c1", 1), image("i2", "c1", 0), image("i3", "c2", 0));
        table.commit(rows, List.of(rejected("i4")));
        String file = ContentId.of("i1", "i2", "i3");
        assertThat(table.files()).containsExactly(file);
        assertThat(table.rows()).isEqualTo(rows);
        assertThat(table.chunk(file, "c1")).extracting(ImageRow::imageId).containsExactly("i2", "i1");
        assertThat(table.rows(file)).isEqualTo(rows);
        assertThat(table.refused()).extracting(RejectedTable.File::path).containsExactly("cat/i4.png");
    }

    @Test
    void aScanThatFindsNothingWritesNothing() throws IOException {
        ImagesTable table = new ImagesTable(run, CAT);
        table.commit(List.of(), List.of());
        assertThat(files()).isEmpty();
        assertThat(table.refused()).isEmpty();
    }

    @Test
    void invertedImagesAreReadBack() throws IOException {
        InvertedTable table = new InvertedTable(run, CAT);
        table.commit("c1", List.of(inverted("i1", "a photo", "s1"), inverted("i2", "a photo", "s1")), List.of());
        table.commit("c2", List.of(), List.of(rejected("i3")));
        assertThat(table.chunks()).containsExactly("c1", "c2");
        assertThat(table.count("c1")).isEqualTo(2);
        assertThat(table.imageIds("c1")).containsExactly("i1", "i2");
        assertThat(table.imageIds("c1", "s1")).containsExactly("i1", "i2");
        assertThat(table.imageIds("c1", "s2")).isEmpty();
        assertThat(table.terms("c1")).contains(new InvertedTable.Terms("a photo", "s1"));
        assertThat(table.terms("c2")).isEmpty();
        assertThat(table.sources("c1")).contains(new InvertedTable.Source("i1", CAT, "cat/i1.png"));
        assertThat(table.allEncoded("c1").get(1).encoded())
                .usingRecursiveComparison()
                .isEqualTo(LATENT);
        try (RowFile.Cursor<InvertedTable.Noise> noise = table.noise("c1");
                RowFile.Cursor<InvertedTable.Encoded> encoded = table.encoded("c1")) {
            assertThat(noise.next().latent()).usingRecursiveComparison().isEqualTo(LATENT);
            assertThat(encoded.next().imageId()).isEqualTo("i1");
        }
    }

    /** A file has those of the lists that its rows have, and a table's files may have others. */
    @Test
    void listsThatSomeMixturesHaveAreReadBackWhicheverOfThemAFileHas() throws IOException {
        MixedTable table = new MixedTable(run, CAT);
        table.commit("plain", List.of(mixed("m1", 0, 1)), List.of());
        table.commit("soft", List.of(mixed("m2", 0, 1, List.of(CAT), List.of())), List.of());
        table.commit("guided", List.of(mixed("m3", 0, 1, List.of(), List.of(2.0))), List.of());
        table.commit("all", List.of(mixed("m4", 0, 1, List.of(CAT), List.of(3.0))), List.of());
        List<List<String>> classes = new ArrayList<>();
        List<List<Double>> guidance = new ArrayList<>();
        for (String chunk : List.of("plain", "soft", "guided", "all")) {
            MixedTable.Trail row = table.mixtures(chunk, MixedTable.Trail.class).get(0);
            classes.add(row.labelClasses());
            guidance.add(row.guidance());
            assertThat(table.starts(chunk).get(0).guidance()).isEqualTo(row.guidance());
        }
        assertThat(classes).containsExactly(List.of(), List.of(CAT), List.of(), List.of(CAT));
        assertThat(guidance).containsExactly(List.of(), List.of(), List.of(2.0), List.of(3.0));
        assertThatThrownBy(() -> table.commit(
                        "mixed", List.of(mixed("m1", 0, 1), mixed("m2", 1, 1, List.of(), List.of(2.0))), List.of()))
                .hasMessageContaining("first row must have the lists");
    }

    @Test
    void mixturesAreReadBack() throws IOException {
        MixedTable table = new MixedTable(run, CAT);
        table.commit("c1", List.of(mixed("m1", 0, 1), mixed("m2", 1, 0.5)), List.of());
        assertThat(table.keys("c1")).contains(new MixedTable.Key("m2", 1, "pool", "s1"));
        assertThat(table.efforts("c1"))
                .containsExactly(new MixedTable.Effort(1, List.of()), new MixedTable.Effort(0.5, List.of()));
        assertThat(table.noise("c1").get(0).latent()).usingRecursiveComparison().isEqualTo(LATENT);
        assertThat(table.starts("c1").get(0).original().isNone()).isTrue();
        List<String> ids = List.of("i1", "i2");
        List<Double> weights = List.of(0.25, 0.75);
        assertThat(table.mixtures("c1", MixedTable.Recipe.class))
                .contains(new MixedTable.Recipe("m1", 0, "lin/0", ids, weights, 1.6, List.of(), List.of()));
        assertThat(table.mixtures("c1", MixedTable.Sources.class))
                .contains(new MixedTable.Sources("m1", 0, "pool", ids, weights, "s1"));
        assertThat(table.mixtures("c1", MixedTable.Scores.class).get(1).degeneracy())
                .isEqualTo(new Degeneracy(1, 2, 3, 4, 5, 6, 7));
    }

    @Test
    void generatedImagesAreReadBack() throws IOException {
        GeneratedTable table = new GeneratedTable(run, CAT);
        table.commit("c1", List.of(generated("m1")), List.of());
        assertThat(table.images("c1").get(0).image().bytes()).containsExactly(1, 2);
        assertThat(table.rows("c1", GeneratedTable.Scores.class))
                .containsExactly(new GeneratedTable.Scores("m1", 2, 0.5, 0.25, 7, 42));
    }

    @Test
    void featuresAreReadBack() throws IOException {
        FeaturesTable table = new FeaturesTable(run, CAT);
        table.commit("c1", List.of(new FeatureRow("i1", CAT, new byte[] {1}, new byte[] {2}, 0, "s1")), List.of());
        assertThat(table.answers("c1").get(0).logits()).containsExactly(2);
        assertThat(table.features("c1").get(0).features()).containsExactly(1);
        assertThat(table.features("c1").get(0).settingsId()).isEqualTo("s1");
    }

    @Test
    void companionsAreAFileForEachMicroBatchThatHasSome() throws IOException {
        CompanionsTable table = new CompanionsTable(run, CAT);
        table.publish("c1", 0, List.of(new CompanionRow("i1", CAT, "a photo", 1, 1, 1, new byte[4], "s1")));
        table.publish("c1", 1, List.of());
        assertThat(table.files()).containsExactly("c1-0");
        assertThat(table.keys("c1-0")).containsExactly(new CompanionsTable.Key("i1", "a photo", "s1"));
        try (RowFile.Cursor<CompanionRow> rows = table.open("c1-0")) {
            assertThat(rows.next().data()).hasSize(4);
            assertThat(rows.next()).isNull();
        }
    }

    @Test
    void promptsAreReadBack() throws IOException {
        PromptsTable table = new PromptsTable(run);
        table.publish(new PromptRow("p1", "a photo", 1, 1, new byte[4], new byte[0], "f"));
        assertThat(table.ids()).containsExactly("p1");
        assertThat(table.row("p1").text()).isEqualTo("a photo");
    }

    @Test
    void metricsAreFoundByTheirSettings() throws IOException {
        MetricsTable table = new MetricsTable(run);
        MetricRow row = new MetricRow("s1", MetricRow.ALL, "", MetricRow.REAL, 0, "", "fid", 1, 2, 0, 2);
        table.publish("s1-x", List.of(row));
        table.publish("s2-y", List.of());
        assertThat(table.names()).containsExactly("s1-x", "s2-y");
        assertThat(table.names(List.of("s1", "s3"))).containsExactly("s1-x");
        assertThat(table.rows("s1-x")).containsExactly(row);
        table.delete("s1-x");
        assertThat(table.names()).containsExactly("s2-y");
    }

    @Test
    void aChunkThatIsForgottenIsMissingAndHasRefusedNothing() throws IOException {
        InvertedTable table = new InvertedTable(run, CAT);
        table.commit("c1", List.of(inverted("i1", "a photo", "s1")), List.of(rejected("i2")));
        assertThat(files()).hasSize(2);
        table.forget("c1");
        assertThat(files()).isEmpty();
    }

    @Test
    void whatAChunkRefusedStandsBeforeTheChunkAndAFailedWriteLeavesNoHalfAFile() throws IOException {
        byte[] refused = RowFile.bytes(RejectedRow.class, List.of(rejected("i1")));
        MixedTable table = new MixedTable(fullAfter(refused.length), CAT);
        List<MixedRow> rows = new ArrayList<>();
        for (int k = 0; k < 500; k++) {
            rows.add(mixed(ContentId.of("m" + k), k, 1));
        }
        assertThatThrownBy(() -> table.commit("c1", rows, List.of(rejected("i1"))))
                .hasMessageContaining("No space left on device");
        assertThat(table.chunks()).isEmpty();
        assertThat(files()).hasSize(1).allMatch(file -> file.endsWith("rejected/stage=mix/c1.parquet"));
    }

    @Test
    void aChunkWhoseRefusedRowsCannotBeWrittenIsMissing() throws IOException {
        MixedTable table = new MixedTable(fullAfter(16), CAT);
        assertThatThrownBy(() -> table.commit("c1", List.of(mixed("m1", 0, 1)), List.of(rejected("i1"))))
                .hasMessageContaining("No space left on device");
        assertThat(run.chunks(Table.MIXED)).isEmpty();
        assertThat(files()).isEmpty();
    }

    private RunFolder fullAfter(int bytes) {
        Configuration conf = new Configuration();
        conf.set("fs.full.impl", FullDisk.class.getName());
        conf.setInt("fs.full.bytes", bytes);
        conf.setBoolean("fs.full.impl.disable.cache", true); // another test's disk has another size
        return new RunFolder("full://" + folder, conf);
    }

    private List<String> files() throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).map(Path::toString).toList();
        }
    }
}
