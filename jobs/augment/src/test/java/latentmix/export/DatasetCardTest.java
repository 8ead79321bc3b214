package latentmix.export;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.plan.ByHand;
import latentmix.plan.ClassLabel;
import latentmix.plan.RunSettings;
import latentmix.report.FilterSummary;
import latentmix.report.Leakage;
import latentmix.table.ContentId;
import latentmix.table.MetricRow;
import latentmix.table.RunFolder;
import latentmix.work.ExportWork.ClassCount;
import org.junit.jupiter.api.Test;

/** What a dataset says of itself. */
class DatasetCardTest {
    private static final List<ClassCount> CLASSES = List.of(
            new ClassCount(new ClassLabel("train", 0, "train", ""), 5, 2),
            new ClassCount(new ClassLabel("b", 1, "a|b `c` <i>\n# $x$", ""), 7, 0));

    private static DatasetCard card(String export, List<ClassCount> classes, List<MetricRow> metrics)
            throws IOException {
        RunConfig config = ConfigFile.parse(
                "{input: {root: in}, model: {checkpoint: 'builtin:fashion'}, mixing: [{name: dataset}], export: "
                        + export + "}",
                "test",
                List.of());
        RunSettings settings = RunSettings.of(
                config,
                CheckpointFolder.open(BuiltIn.FASHION.folder()),
                "cpu",
                value -> ContentId.of(RunFolder.json(value)));
        return new DatasetCard(config, settings, classes, ByHand.NOTHING, List.of(), List.of(), metrics);
    }

    private static JsonNode frontMatter(String card) throws IOException {
        assertThat(card).startsWith("---\n");
        return new YAMLMapper().readTree(card.substring(4, card.indexOf("\n---\n")));
    }

    @Test
    void theFrontMatterNamesTheFilesSoThatNoClassIsTakenForASplit() throws IOException {
        JsonNode matter = frontMatter(
                card("{formats: [parquet, images]}", CLASSES, List.of()).markdown());
        assertThat(matter.at("/license").asText()).isEqualTo("unknown");
        assertThat(matter.at("/size_categories/0").asText()).isEqualTo("n<1K");
        assertThat(matter.at("/configs")).hasSize(1);
        assertThat(matter.at("/configs/0/data_files/0/split").asText()).isEqualTo("train");
        assertThat(matter.at("/configs/0/data_files/0/path").asText()).isEqualTo("parquet/*.parquet");
        assertThat(frontMatter(card("{formats: images, license: mit, real: true}", CLASSES, List.of())
                                .markdown())
                        .at("/configs/0/data_files/0/path")
                        .asText())
                .isEqualTo("images/**");
    }

    @Test
    void madeAndRealImagesAreConfigurationsOfTheirOwn() throws IOException {
        String card =
                card("{formats: webdataset, real: true}", CLASSES, List.of()).markdown();
        JsonNode configs = frontMatter(card).get("configs");
        assertThat(configs)
                .extracting(config -> config.get("config_name").asText())
                .containsExactly("default", "made", "real");
        assertThat(configs.at("/2/data_files/0/path").asText()).isEqualTo("webdataset/real-*.tar");
        assertThat(card).contains("12 synthetic images and 2 real ones of 2 classes", "| 0 | train | 5 | 2 |");
    }

    @Test
    void aNameIsShownAsItIs() throws IOException {
        assertThat(card("{}", CLASSES, List.of()).markdown()).contains("| 1 | a\\|b \\`c\\` \\<i\\> \\# \\$x\\$ | 7 |");
    }

    @Test
    void manyClassesAreCountedAndMeasurementsOfAllAreShown() throws IOException {
        List<ClassCount> many = new ArrayList<>();
        for (int i = 0; i < 120; i++) {
            many.add(new ClassCount(new ClassLabel("c" + i, i, "c" + i, ""), 10, 0));
        }
        MetricRow all =
                new MetricRow("s", MetricRow.ALL, "dataset", "nin/chm", 8, "equal", "fid", 12.345678, 1200, 12, 13);
        MetricRow one = new MetricRow("s", "c1", "dataset", "nin/chm", 8, "equal", "kid", 1, 10, 1, 1);
        String card = card("{}", many, List.of(all, one)).markdown();
        assertThat(card)
                .contains("And 20 more classes.", "| dataset | nin/chm | 8 | fid | 12.35 | 12 to 13 | 1200 |")
                .doesNotContain("kid");
        assertThat(frontMatter(card).at("/size_categories/0").asText()).isEqualTo("1K<n<10K");
        MetricRow real = new MetricRow("s", MetricRow.ALL, "", MetricRow.REAL, 0, "", "fid", 5, 1200, 4, 6);
        assertThat(card("{}", many, List.of(all, real)).markdown())
                .as("whatever the order of the tables' files")
                .isEqualTo(card("{}", many, List.of(real, one, all)).markdown());
    }

    @Test
    void theCardNamesTheFiltersWithWhatEachDropped() throws IOException {
        RunConfig config = ConfigFile.parse(
                "{input: {root: in}, model: {checkpoint: 'builtin:fashion'}, mixing: [{name: dataset}, {name: other,"
                        + " export: false}], filter: {copy: {hash: 3}, blank: {}}}",
                "test",
                List.of());
        RunSettings settings = RunSettings.of(
                config,
                CheckpointFolder.open(BuiltIn.FASHION.folder()),
                "cpu",
                value -> ContentId.of(RunFolder.json(value)));
        List<FilterSummary> filter = List.of(
                new FilterSummary("dataset", 20, 27, 20, 2, Map.of("copy", 4L, "blank", 1L), Map.of()),
                new FilterSummary("other", 20, 20, 20, 0, Map.of(), Map.of()));
        List<Leakage> leakage = List.of(
                new Leakage("made", "input", 20, 40, 0, 0, 1, 2, 2, 3, 5, 9),
                new Leakage("real", "te|st", 40, 10, 1, 4, 6, 2, 0, 1, 4, 8));
        assertThat(new DatasetCard(config, settings, CLASSES, ByHand.NOTHING, filter, leakage, List.of()).markdown())
                .contains(
                        "## What was filtered out",
                        "| copy | images farther from real ones than 3 bits of dHash |",
                        "| blank | images within the range of real ones: entropy quantile(0.01), saturation"
                                + " quantile(0.01), sharpness quantile(0.01) |",
                        "| dataset | 20 | 27 | 20 | 1 blank, 4 copy |",
                        "Near are images within 2 bits",
                        "| made | 20 | input | 40 | 0 | 1 | 2 | 3 | 5 | 9 |\n"
                                + "| real | 40 | te\\|st | 10 | 4 | 6 | 0 | 1 | 4 | 8 |")
                .doesNotContain("| other |");
        assertThat(card("{}", CLASSES, List.of()).markdown()).doesNotContain("filtered");
    }

    @Test
    void theCardSaysWhetherImagesAreMarked() throws IOException {
        assertThat(card("{}", CLASSES, List.of()).markdown()).contains("trainedAlgorithmicMedia", "synthetic");
        assertThat(card("{mark: false}", CLASSES, List.of()).markdown())
                .doesNotContain("trainedAlgorithmicMedia")
                .contains("**These images are synthetic.**");
    }

    @Test
    void sizesAreHuggingFacesWords() {
        assertThat(List.of(
                        DatasetCard.size(0),
                        DatasetCard.size(999),
                        DatasetCard.size(1000),
                        DatasetCard.size(99_999_999),
                        DatasetCard.size(2_000_000_000)))
                .containsExactly("n<1K", "n<1K", "1K<n<10K", "10M<n<100M", "1B<n<10B");
    }

    @Test
    void aFieldOfTheCroissantHasItsFiles() throws IOException {
        JsonNode croissant = new ObjectMapper()
                .readTree(card("{formats: [parquet, webdataset, images]}", CLASSES, List.of())
                        .croissant());
        assertThat(croissant.get("distribution"))
                .extracting(files -> files.get("includes").asText())
                .containsExactly("parquet/*.parquet", "webdataset/*.tar", "images/*/*.png");
        for (JsonNode records : croissant.get("recordSet")) {
            for (JsonNode field : records.get("field")) {
                assertThat(croissant.get("distribution"))
                        .extracting(files -> files.get("@id").asText())
                        .contains(field.at("/source/fileSet/@id").asText());
            }
        }
    }
}
