package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.latent.LatentPool;
import latentmix.latent.Method;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Recipe;
import latentmix.table.DatasetRow;
import latentmix.table.InvertedRow;
import latentmix.table.LatentColumn;
import latentmix.table.MixedRow;
import latentmix.table.RunFolder;
import latentmix.view.ViewServer;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mixtures of two classes, beside ones of one class: their inputs, labels, bytes and places in the dataset. */
class AcrossTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String WITHIN = "{name: within, methods: nin/chm, inputs: 2, count: 2}";
    private static final String ACROSS =
            "{name: across, methods: [nin/chm, slerp], inputs: 2, across: classes, count: 3}";
    private static final String DIFF_MIX =
            "{name: diff-mix, methods: [diff-mix(0.5), sdedit(0.5)], inputs: 1, count: 2}";
    private static final String ALL = "mixing=[" + WITHIN + ", " + ACROSS + ", " + DIFF_MIX + "]";
    private static final String HEAVIEST = "export.soft_labels=heaviest";

    @TempDir
    static Path folder;

    private static Path input;
    private static Path run;
    private static List<MixedRow> mixed;
    private static Map<String, InvertedRow> inverted;

    @BeforeAll
    static void aRun() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 6);
        run = folder.resolve("run");
        assertThat(TinyRun.run(2, TinyRun.config(input, ALL, HEAVIEST), run)).isZero();
        mixed = TinyRun.rows(run, "mixed", MixedRow.class);
        inverted = TinyRun.rows(run, "inverted", InvertedRow.class).stream()
                .collect(Collectors.toMap(InvertedRow::imageId, row -> row));
    }

    private static List<MixedRow> mixed(int sources, int classes) {
        return mixed.stream()
                .filter(row ->
                        row.sourceIds().size() == sources && row.labelClasses().size() == classes)
                .toList();
    }

    @Test
    void aMixtureAcrossClassesHasAnInputOfEachAndTheOwnOneIsTheHeaviest() {
        List<MixedRow> across = mixed(2, 2);
        assertThat(across).hasSize(2 * 2 * 3).allSatisfy(row -> {
            assertThat(row.sourceClasses()).containsExactlyInAnyOrderElementsOf(TinyRun.CLASSES);
            assertThat(row.sourceClasses())
                    .isEqualTo(row.sourceIds().stream()
                            .map(id -> inverted.get(id).classId())
                            .toList());
            assertThat(row.sourcePrompts())
                    .isEqualTo(row.sourceIds().stream()
                            .map(id -> inverted.get(id).prompt())
                            .toList());
            assertThat(row.labelClasses()).isEqualTo(row.sourceClasses()).startsWith(row.classId());
            assertThat(row.labelWeights()).isEqualTo(row.weights());
            assertThat(row.weights().get(0))
                    .isGreaterThanOrEqualTo(row.weights().get(1));
            assertThat(row.latent().latent()).isEqualTo(mixedAlone(row).latent());
        });
        assertThat(across.stream().map(MixedRow::sourceIds).distinct().count())
                .as("both methods see the same inputs")
                .isBetween(2L, 2L * 3);
    }

    /** Of its inputs in the order of their ids. */
    private static LatentColumn mixedAlone(MixedRow row) {
        List<Integer> order = IntStream.range(0, row.sourceIds().size())
                .boxed()
                .sorted((a, b) ->
                        row.sourceIds().get(a).compareTo(row.sourceIds().get(b)))
                .toList();
        LatentPool pool = LatentPool.of(order.stream()
                .map(i -> inverted.get(row.sourceIds().get(i)).latent().latent())
                .toList());
        Recipe recipe = new Recipe(
                Method.parse(row.method()),
                IntStream.range(0, order.size()).toArray(),
                order.stream().mapToDouble(i -> row.weights().get(i)).toArray(),
                Recipe.Pool.ALL);
        return LatentColumn.of(((Mixture.Mixed) Mixer.mix(pool, List.of(recipe)).get(0)).latent());
    }

    @Test
    void diffMixBeginsWithAnImageOfAnotherClassAndHasItsOwnByTheStrength() {
        double own = Math.pow(0.5, 0.8);
        assertThat(mixed(1, 2)).hasSize(2 * 2).allSatisfy(row -> {
            InvertedRow source = inverted.get(row.sourceIds().get(0));
            assertThat(row.method()).isEqualTo("diff-mix(0.5)");
            assertThat(source.classId()).isNotEqualTo(row.classId());
            assertThat(row.original().latent()).isEqualTo(source.encoded().latent());
            assertThat(row.strength()).isEqualTo(0.5);
            assertThat(row.prompt()).contains(row.className());
            assertThat(row.labelClasses()).containsExactly(row.classId(), source.classId());
            assertThat(row.labelWeights().get(0)).isCloseTo(own, within(1e-12));
            assertThat(row.labelWeights().get(1)).isCloseTo(1 - own, within(1e-12));
        });
        assertThat(mixed(1, 1)).as("image to image beside it").hasSize(2 * 2).allSatisfy(row -> {
            assertThat(row.sourceClasses()).containsExactly(row.classId());
            assertThat(row.labelWeights()).containsExactly(1.0);
        });
    }

    @Test
    void aCardACroissantAndAPageSayWhichClassesAnImageIsOf() throws IOException {
        assertThat(Files.readString(run.resolve("dataset/README.md")))
                .contains("of the same class or of several, whose labels are soft")
                .contains("| `labels`, `label_weights` |")
                .contains("shares[row[\"labels\"]]");
        List<String> fields = new ArrayList<>();
        JSON.readTree(run.resolve("dataset/croissant.json").toFile())
                .at("/recordSet/0/field")
                .forEach(field -> fields.add(field.get("@id").asText() + " " + field.path("repeated")));
        assertThat(fields).endsWith("rows/labels true", "rows/label_weights true");

        RunFolder looked = new RunFolder(run.toString(), new Configuration(false));
        try (ViewServer server = ViewServer.start(looked, new ViewServer.Terms("127.0.0.1", 0, ViewServer.Mode.LOOK))) {
            for (MixedRow row : List.of(mixed(2, 2).get(0), mixed(2, 0).get(0))) {
                JsonNode details = JSON.readTree(
                                URI.create(server.address() + "api/image?class=" + row.classId() + "&id=" + row.mixId())
                                        .toURL()
                                        .openStream())
                        .get("details");
                assertThat(details.get("inputs"))
                        .extracting(input -> input.get("classId").asText())
                        .isEqualTo(row.sourceIds().stream()
                                .map(id -> inverted.get(id).classId())
                                .toList());
                assertThat(details.get("inputs"))
                        .extracting(input -> input.get("path").asText())
                        .isEqualTo(row.sourceIds().stream()
                                .map(id -> inverted.get(id).path())
                                .toList());
                assertThat(details.get("shares")).extracting(JsonNode::asDouble).isEqualTo(row.labelWeights());
            }
        }
    }

    @Test
    void everyFormatHasTheSoftLabelsAndFoldersAreOfTheOwnClass() throws IOException {
        Map<String, MixedRow> byId = mixed.stream().collect(Collectors.toMap(MixedRow::mixId, row -> row));
        List<DatasetRow> rows = TinyRun.rows(run, "dataset/parquet", DatasetRow.class);
        assertThat(rows).hasSameSizeAs(mixed).allSatisfy(row -> {
            MixedRow of = byId.get(row.mixId());
            assertThat(row.label()).isEqualTo(of.label());
            assertThat(row.labels().get(0)).isEqualTo(row.label());
            assertThat(row.labelWeights()).isEqualTo(of.labelWeights().isEmpty() ? List.of(1.0) : of.labelWeights());
            assertThat(row.labels()).hasSameSizeAs(row.labelWeights());
            assertThat(run.resolve("dataset/images").resolve(row.image().path()))
                    .exists();
            assertThat(row.image().path()).startsWith(of.classId() + "/");
        });
        JsonNode line = JSON.readTree(Files.readAllLines(run.resolve("dataset/images/5-sandal/metadata.jsonl"))
                .get(0));
        assertThat(line.path("labels").size())
                .isEqualTo(line.path("label_weights").size())
                .isPositive();
    }

    @Test
    void aSecondRunComputesNothingAndOneCoreGivesTheSameBytes() throws IOException {
        Map<String, String> before = TinyRun.tables(run);
        RunConfig config = TinyRun.config(input, ALL, HEAVIEST);
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.evaluations(run, "generate")).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(before);
        Path again = folder.resolve("one-core");
        assertThat(TinyRun.run(1, config, again)).isZero();
        assertThat(TinyRun.tables(again)).isEqualTo(before);
    }

    /** Mixtures of one class are as they are alone; an image of another class changes those across classes only. */
    @Test
    void mixturesOfOneClassStayWhatTheyAreAndThoseOfSeveralFollowAllPools() throws IOException {
        Path alone = folder.resolve("alone");
        assertThat(TinyRun.run(2, TinyRun.config(input, "mixing=[" + WITHIN + "]"), alone))
                .isZero();
        Map<String, String> tables = TinyRun.tables(alone);
        tables.keySet().removeIf(name -> !name.matches("(inverted|mixed|generated|settings)/.*"));
        assertThat(TinyRun.tables(run)).containsAllEntriesOf(tables);

        Path grown = TinyRun.copy(input, folder.resolve("grown"));
        TinyRun.copy(grown, "9-ankle-boot", 6, 7);
        Path more = TinyRun.copy(run, folder.resolve("more"));
        assertThat(TinyRun.run(2, TinyRun.config(grown, ALL, HEAVIEST), more)).isZero();
        List<MixedRow> sandals = TinyRun.rows(more, "mixed", MixedRow.class).stream()
                .filter(row -> row.classId().equals("5-sandal"))
                .toList();
        assertThat(sandals).hasSize(2 + 2 * (2 * 3 + 2 * 2));
        assertThat(sandals.stream().map(MixedRow::poolId).distinct()).hasSize(3);
        assertThat(TinyRun.summary(more).get("counts").get("mixed").asLong()).isEqualTo(2 * (2 + 2 * 3 + 2 * 2));
    }

    @Test
    void imagesOfSeveralClassesMayBeLeftOutOfFolders() throws IOException {
        Path other = folder.resolve("left-out");
        assertThat(TinyRun.run(2, TinyRun.config(input, ALL, "export.soft_labels=leave-out"), other))
                .isZero();
        assertThat(TinyRun.rows(other, "dataset/parquet", DatasetRow.class)).hasSameSizeAs(mixed);
        try (Stream<Path> files = Files.walk(other.resolve("dataset/images"))) {
            assertThat(files.filter(file -> file.toString().endsWith(".png"))).hasSize(2 * 2);
        }
    }

    @Test
    void whatCannotBeAcrossClassesIsRefusedWithTheRemedy() {
        assertThatThrownBy(() -> TinyRun.config(input, ALL))
                .hasMessageContaining("export.soft_labels: expected heaviest or leave-out with the format images")
                .hasMessageContaining("set it, or set export.formats: [parquet]");
        assertThatThrownBy(() -> TinyRun.config(
                        input,
                        "mixing=[{methods: fix/cmm, inputs: 1, weights: path(1), across: classes, export: false}]"))
                .isInstanceOfSatisfying(ConfigException.class, e -> assertThat(e.problems())
                        .hasSize(3)
                        .anyMatch(problem -> problem.startsWith("mixing.0.methods: expected methods without a class's"))
                        .anyMatch(problem -> problem.startsWith("mixing.0.inputs: expected 2 inputs or more"))
                        .anyMatch(problem -> problem.startsWith("mixing.0.weights: expected weights other than")));
        assertThatThrownBy(() -> TinyRun.config(
                        input, HEAVIEST, "mixing=[{methods: diff-mix(0.25), inputs: 1}]", "prompt.mixture=mix"))
                .hasMessageContaining("diff-mix(0.25), whose own class has 33 %")
                .hasMessageContaining("prompt.mixture: expected class with diff-mix");
        assertThatThrownBy(() -> TinyRun.config(
                        input,
                        "inversion.method=bdia",
                        "mixing=[{methods: nin/chm, inputs: 2, across: classes, export: false}]"))
                .hasMessageContaining("another inversion than bdia with mixtures of several classes");
        assertThatThrownBy(() -> TinyRun.config(
                        input,
                        "adapt={method: lora}",
                        "prompt.mixture=mix",
                        "mixing=[{methods: nin/chm, inputs: 2, across: classes, export: false}]"))
                .hasMessageContaining("prompt.mixture: expected class with across: classes and a LoRA of each class");
        assertThatThrownBy(() -> TinyRun.run(
                        1,
                        TinyRun.config(
                                input,
                                HEAVIEST,
                                "mixing=[{methods: nin/chm, inputs: 3, across: classes, name: three}]"),
                        folder.resolve("three")))
                .hasMessageContaining("mixing.three: expected 3 classes or more");
    }
}
