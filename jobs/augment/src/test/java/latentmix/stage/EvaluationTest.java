package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.UnreadableImage;
import latentmix.metric.FrechetDistance;
import latentmix.metric.GaussianStatistics;
import latentmix.model.Dtype;
import latentmix.model.ImageClassifier;
import latentmix.model.ImageClassifier.Classification;
import latentmix.model.Models;
import latentmix.report.RunSummary;
import latentmix.table.MetricRow;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The evaluation of a tiny run of the built-in model. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EvaluationTest {
    private static final int HELD_OUT = 24;

    @TempDir
    static Path folder;

    private Path input;
    private Path heldOut;
    private Path run;
    private RunConfig config;

    @BeforeAll
    void evaluate() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 16);
        heldOut = folder.resolve("held out");
        for (String name : TinyRun.CLASSES) {
            TinyRun.copy(heldOut, name, 12, 12 + HELD_OUT); // four of them are in the input too
        }
        run = folder.resolve("run");
        config = config("evaluation.reference=" + heldOut);
        assertThat(TinyRun.run(2, config, run)).isZero();
    }

    private RunConfig config(String... overrides) {
        List<String> all = new ArrayList<>(List.of(
                "input.classes=" + BuiltIn.located("builtin:fashion-mnist-sample/classes.tsv"),
                "evaluation.neighbours=2",
                "mixing.0.count=20"));
        all.addAll(List.of(overrides));
        return TinyRun.config(input, all.toArray(String[]::new));
    }

    private static List<MetricRow> metrics(Path run) throws IOException {
        RunFolder tables = new RunFolder(run.toString(), new Configuration());
        List<MetricRow> rows = new ArrayList<>();
        for (String name : tables.metrics()) {
            rows.addAll(RowFile.read(tables.metrics(name), tables.conf(), MetricRow.class));
        }
        return rows;
    }

    private static MetricRow row(List<MetricRow> rows, String scope, String entry, String method, String metric) {
        return rows.stream()
                .filter(row -> row.scope().equals(scope)
                        && row.entry().equals(entry)
                        && row.method().equals(method)
                        && row.metric().equals(metric))
                .findFirst()
                .orElseThrow(() -> new AssertionError(scope + " " + entry + " " + method + " " + metric));
    }

    private static List<Classification> seen(Path images, String className, int from) throws IOException {
        try (Stream<Path> files = Files.list(images.resolve(className));
                ImageClassifier classifier = Models.classifier(
                        BuiltIn.FASHION.folder().resolve("classifier"), Device.cpu(), Dtype.FLOAT32)) {
            return files.filter(file -> file.toString().endsWith(".png"))
                    .sorted()
                    .skip(from)
                    .map(file -> {
                        try {
                            return classifier
                                    .classify(List.of(ImageDecoder.decode(Files.readAllBytes(file), 1 << 20)))
                                    .get(0);
                        } catch (IOException | UnreadableImage e) {
                            throw new IllegalStateException(e);
                        }
                    })
                    .toList();
        }
    }

    private static GaussianStatistics statistics(List<Classification> images) {
        GaussianStatistics statistics = new GaussianStatistics(64);
        images.forEach(image -> statistics.add(image.features()));
        return statistics;
    }

    /** The exported images, looked at here one by one. */
    @Test
    void theNumbersAreThoseOfTheImagesThatWereExported() throws IOException {
        List<MetricRow> rows = metrics(run);
        GaussianStatistics made = new GaussianStatistics(64);
        GaussianStatistics real = new GaussianStatistics(64);
        int right = 0;
        double confidence = 0;
        for (String name : TinyRun.CLASSES) {
            List<Classification> images = seen(run.resolve("dataset/images"), name, 0);
            assertThat(images).hasSize(20);
            List<Classification> reference = seen(heldOut, name, 0);
            double distance = FrechetDistance.between(statistics(images), statistics(reference))
                    .value();
            MetricRow frechet = row(rows, name, "dataset", "nin/chm", "frechet_classifier");
            assertThat(frechet.value()).isCloseTo(distance, within(1e-3 * distance));
            assertThat(frechet.images()).isEqualTo(20);
            assertThat(frechet.low()).isLessThan(frechet.value());
            assertThat(frechet.high()).isGreaterThan(frechet.value());
            made.merge(statistics(images));
            real.merge(statistics(reference));
            int label = Integer.parseInt(name.substring(0, 1));
            right += (int)
                    images.stream().filter(image -> image.label() == label).count();
            for (Classification image : images) {
                double sum = 0;
                for (float logit : image.logits()) {
                    sum += Math.exp(logit - image.logits()[image.label()]);
                }
                confidence += 1 / sum;
            }
        }
        double distance = FrechetDistance.between(made, real).value();
        assertThat(row(rows, "all", "dataset", "nin/chm", "frechet_classifier").value())
                .isCloseTo(distance, within(1e-3 * distance));
        MetricRow accuracy = row(rows, "all", "dataset", "nin/chm", "accuracy");
        assertThat(accuracy.value()).isCloseTo(right / 40.0, within(1e-12));
        assertThat(accuracy.images()).isEqualTo(40);
        assertThat(row(rows, "all", "dataset", "nin/chm", "confidence").value())
                .isCloseTo(confidence / 40, within(1e-3));
    }

    @Test
    void everyCellHasItsMetricsByClassAndForAll() throws IOException {
        Map<String, List<MetricRow>> cells = metrics(run).stream()
                .collect(Collectors.groupingBy(row -> row.scope() + " " + row.entry() + " " + row.method() + " "
                        + row.sourceCount() + " " + row.weights()));
        assertThat(cells.keySet())
                .contains(
                        "all dataset nin/chm 3 dirichlet(1)",
                        "5-sandal dataset nin/chm 3 dirichlet(1)",
                        "all comparison lin/0 2 equal",
                        "all comparison lin/0 4 equal",
                        "all comparison fix/cmm 4 equal",
                        "all  real 0 ",
                        "all  reconstruction 0 ",
                        "9-ankle-boot  real 0 ");
        assertThat(cells.get("all dataset nin/chm 3 dirichlet(1)"))
                .extracting(MetricRow::metric)
                .containsExactlyInAnyOrder(
                        "frechet_classifier",
                        "kid_classifier",
                        "precision_classifier",
                        "recall_classifier",
                        "density_classifier",
                        "coverage_classifier",
                        "distance_classifier",
                        "diversity_classifier",
                        "accuracy",
                        "confidence");
        assertThat(metrics(run)).allMatch(row -> Double.isFinite(row.value()));
    }

    /** Sixteen of the input a class, of which four are in the reference. */
    @Test
    void noRealImageIsComparedWithASetThatHoldsIt() throws IOException {
        assertThat(row(metrics(run), "5-sandal", "", "real", "accuracy").images())
                .isEqualTo(12);

        Path alone = folder.resolve("alone");
        assertThat(TinyRun.run(2, config(), alone)).isZero();
        List<MetricRow> rows = metrics(alone);
        long half = row(rows, "5-sandal", "", "real", "accuracy").images();
        assertThat(half).isBetween(2L, 14L);
        assertThat(row(rows, "5-sandal", "", "real", "frechet_classifier").value())
                .isPositive();
        assertThat(row(rows, "5-sandal", "", "reconstruction", "accuracy").images())
                .isEqualTo(16);
    }

    @Test
    void aSecondRunMeasuresNothingAndOtherCoresGiveTheSameBytes() throws IOException {
        Map<String, String> before = TinyRun.tables(run);
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            RunSummary again = Pipeline.summary(spark, config, run.toString(), List.of(StageName.EVALUATE));
            assertThat(again.stages())
                    .hasSize(1)
                    .allMatch(stage -> stage.chunks() == 0 && stage.chunksDoneBefore() > 0);
            assertThat(again.settings().evaluate()).hasSize(3);
        }
        assertThat(TinyRun.tables(run)).isEqualTo(before);

        Path other = folder.resolve("other");
        assertThat(TinyRun.run(1, config, other)).isZero();
        assertThat(TinyRun.tables(other)).isEqualTo(before);
    }

    @Test
    void moreMixturesReplaceTheirMetricsAndLeaveRealFeaturesAsTheyAre() throws IOException {
        Path grown = folder.resolve("grown");
        assertThat(TinyRun.run(2, config("mixing.0.count=8"), grown)).isZero();
        assertThat(row(metrics(grown), "all", "dataset", "nin/chm", "accuracy").images())
                .isEqualTo(16);
        assertThat(TinyRun.run(2, config("mixing.0.count=12"), grown)).isZero();
        assertThat(metrics(grown).stream()
                        .filter(row -> row.entry().equals("dataset")
                                && row.scope().equals("all")
                                && row.metric().equals("accuracy")))
                .hasSize(1)
                .allMatch(row -> row.images() == 24);
    }

    @Test
    void whatIsMeasuredFollowsTheImagesAndIsMeasuredAgainOfNoneThatStands() throws IOException {
        Path in = TinyRun.input(folder.resolve("following-in"), 10);
        String classes = "input.classes=" + BuiltIn.located("builtin:fashion-mnist-sample/classes.tsv");
        RunConfig own = TinyRun.config(in, classes, "evaluation.neighbours=2");
        Path following = folder.resolve("following");
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            List<MetricRow> before = measured(spark, own, following);
            assertThat(images(before, MetricRow.RECONSTRUCTION)).isEqualTo(20);
            Path image;
            try (Stream<Path> files = Files.list(in.resolve("5-sandal"))) {
                image = files.findAny().orElseThrow();
            }
            Path away = Files.move(image, folder.resolve("away"));
            List<MetricRow> without = measured(spark, own, following);
            assertThat(images(without, MetricRow.RECONSTRUCTION)).isEqualTo(19);
            assertThat(TinyRun.stage(following, "evaluate").get("rows").asLong())
                    .as("the images of the new mixtures alone")
                    .isEqualTo(10);
            Files.move(away, image);
            assertThat(measured(spark, own, following)).isEqualTo(before);
            assertThat(TinyRun.stage(following, "evaluate").get("rows").asLong())
                    .isZero();
        }
    }

    /** The metrics of a run's own settings. */
    private static List<MetricRow> measured(JavaSparkContext spark, RunConfig config, Path run) throws IOException {
        List<String> ids = Pipeline.summary(spark, config, run.toString(), List.of(StageName.values()))
                .settings()
                .evaluate();
        return metrics(run).stream()
                .filter(row -> ids.contains(row.settingsId()))
                .toList();
    }

    private static long images(List<MetricRow> rows, String method) {
        return rows.stream()
                .filter(row -> row.scope().equals(MetricRow.ALL) && row.method().equals(method))
                .findFirst()
                .orElseThrow()
                .images();
    }

    @Test
    void theReportShowsThem() throws IOException {
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("<h2>Metrics", "frechet classifier", "reconstruction");
    }

    @Test
    void whatCannotBeMeasuredIsRefusedBeforeAnyTask() throws IOException {
        Path none = folder.resolve("none");
        Files.createDirectories(folder.resolve("empty"));
        String[][] refused = {
            {
                "evaluation.reference: expected a folder for every class",
                "evaluation.reference=" + folder.resolve("empty")
            },
            {"evaluation: expected a network", "evaluation.classifier=none"},
            {"evaluation.clip: ", "evaluation.clip=" + folder.resolve("empty")},
            {"evaluation.classifier: expected classes numbered", "input.classes=null"},
            {
                "evaluation.inception: " + folder.resolve("no.pt"),
                "evaluation.inception={file: " + folder.resolve("no.pt") + ", sha256: " + "ab".repeat(32) + "}"
            }
        };
        try (JavaSparkContext spark = TinyRun.spark(1)) {
            for (String[] one : refused) {
                RunConfig bad = config(one[1]);
                assertThatThrownBy(() -> Pipeline.run(spark, bad, none.toString(), List.of(StageName.EVALUATE)))
                        .as(one[0])
                        .isInstanceOf(ConfigException.class)
                        .satisfies(e -> assertThat(e.getMessage()).contains("evaluation"));
            }
            RunConfig nothing = TinyRun.config(input);
            assertThatThrownBy(() -> Pipeline.run(spark, nothing, none.toString(), List.of(StageName.EVALUATE)))
                    .hasMessageContaining("evaluation: expected a section");
        }
    }
}
