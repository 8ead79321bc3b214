package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.stage.Console;
import latentmix.stage.TinyRun;
import latentmix.table.ContentId;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The experiments on latents, on 2 classes × 8 images × 4 steps of the built-in model. */
class LatentExperimentsTest {
    private static final String STUDY =
            """
            title: Latents
            run:
              model: {checkpoint: "builtin:fashion", batch: 4}
              inversion: {steps: 4, guidance: 1}
              generation: {steps: 4, guidance: 2}
              run: {chunk: 4}
            experiments:
              - kind: paths
                name: pair
                methods: [fix/0, nin/chm, slerp]
                shown: [nin/chm, slerp]
                inputs: 2
                points: 5
                paths: 3
                frames: 3
              - kind: paths
                name: centroid
                methods: [lin/0, fix/cmm, ess/cmm, coh/cmm]
                inputs: 4
                points: 3
                paths: 3
                statistics: [norm, distance, low]
              - kind: bias
                name: bias
                methods: [fix/0, nin/chm]
                inputs: [1, 2, 4]
                repeats: 3
              - kind: perturbed
                name: made
                methods: [fix/0]
                inputs: [1, 2]
                images: 6
                repeats: 3
              - kind: offsets
                name: offsets
                classes: [5-sandal]
                channels: [0, 2]
                offsets: [0, 1, 4]
            """;

    @TempDir
    static Path folder;

    private static StudyConfig config;
    private static Path study;

    @BeforeAll
    static void aStudy() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        config = StudyFile.parse(STUDY, "test", List.of("run.input.root=" + input));
        study = folder.resolve("study");
        run();
    }

    private static void run() throws IOException {
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            assertThat(Study.run(spark, config, study.toString(), Console.SILENT))
                    .isZero();
        }
    }

    private static <T extends Record> List<T> table(String name, Class<T> type) throws IOException {
        return RowFile.read(
                new org.apache.hadoop.fs.Path(
                        study.resolve("tables/" + name + ".parquet").toString()),
                new Configuration(),
                type);
    }

    @Test
    void everyExperimentHasItsFiguresAndTables() throws IOException {
        try (Stream<Path> found = Files.list(study.resolve("figures"))) {
            assertThat(found.map(file -> file.getFileName().toString()).filter(file -> file.endsWith(".png")))
                    .containsExactlyInAnyOrder(
                            "pair-norm.png",
                            "pair-distance.png",
                            "pair-5-sandal.png",
                            "pair-9-ankle-boot.png",
                            "centroid-norm.png",
                            "centroid-distance.png",
                            "centroid-low.png",
                            "bias.png",
                            "bias-5-sandal.png",
                            "bias-low.png",
                            "bias-high.png",
                            "made-fix-0.png",
                            "made-5-sandal.png",
                            "made-9-ankle-boot.png",
                            "offsets-5-sandal.png");
        }
    }

    @Test
    void pathsBeginAtTheirInputUnlessTheNormIsFixedAndEndAtTheNominalNormWhereItIs() throws IOException {
        var rows = table("centroid", PathsSection.PathRow.class);
        for (var row : rows) {
            if (row.statistic().equals("distance") && row.position() == 0) {
                if (row.method().equals("fix/cmm")) {
                    assertThat(row.value()).isGreaterThan(0.01);
                } else {
                    assertThat(row.value()).as(row.method()).isLessThan(1e-6);
                }
            }
            assertThat(row.paths()).isEqualTo(6);
            assertThat(row.low()).isLessThanOrEqualTo(row.value());
        }
        assertThat(value(rows, "lin/0", 1, "norm")).isLessThan(value(rows, "coh/cmm", 1, "norm"));
        var pair = table("pair", PathsSection.PathRow.class);
        for (double position : new double[] {0, 0.5, 1, 1.5, 2}) {
            assertThat(value(pair, "fix/0", position, "norm")).isCloseTo(1, within(1e-12));
        }
        assertThat(value(pair, "slerp", 2, "distance")).isPositive();
    }

    private static double value(List<PathsSection.PathRow> rows, String method, double position, String statistic) {
        return rows.stream()
                .filter(row -> row.method().equals(method)
                        && row.position() == position
                        && row.statistic().equals(statistic))
                .findFirst()
                .orElseThrow()
                .value();
    }

    @Test
    void aBiasHasARowForEveryPatternAndALineForEveryClass() throws IOException {
        assertThat(table("bias", BiasSection.BiasRow.class))
                .hasSize(2 * 2 * 6 * 3); // classes, methods, patterns, counts
        assertThat(table("bias-slopes", BiasSection.SlopeRow.class))
                .hasSize(2 * 2 * 6)
                .allSatisfy(row -> {
                    assertThat(row.low()).isLessThanOrEqualTo(row.slope());
                    assertThat(row.high()).isGreaterThanOrEqualTo(row.slope());
                    assertThat(row.bend()).isPositive();
                });
    }

    @Test
    void perturbedImagesAreInvertedByARunOfTheirOwn() throws IOException {
        var rows = table("made", PerturbedSection.PerturbedRow.class);
        assertThat(rows).hasSize(2 * 3 * 2); // classes, sources, counts
        try (Stream<Path> found = Files.walk(study.resolve("work/made"))) {
            var files = found.filter(Files::isRegularFile)
                    .map(study::relativize)
                    .map(Path::toString)
                    .toList();
            assertThat(files)
                    .filteredOn(file -> file.matches(".*/images/[^/]+/\\d{6}\\.png"))
                    .hasSize(2 * 6);
            assertThat(files).anyMatch(file -> file.contains("/run/inverted/class_id=5-sandal/"));
        }
    }

    @Test
    void aSecondCallComputesNothingAndWritesTheSameBytes() throws IOException {
        var before = hashes();
        run();
        assertThat(hashes()).isEqualTo(before);
        for (String run : List.of("runs/all", work("run"))) {
            JsonNode summary = new ObjectMapper()
                    .readTree(Files.readString(study.resolve(run).resolve("run_summary.json")));
            for (JsonNode stage : summary.get("stages")) {
                assertThat(stage.get("networkEvaluations").asLong()).as(run).isZero();
            }
        }
    }

    private static String work(String name) throws IOException {
        try (Stream<Path> found = Files.list(study.resolve("work/made"))) {
            return study.relativize(found.findFirst().orElseThrow().resolve(name))
                    .toString();
        }
    }

    private static Map<String, String> hashes() throws IOException {
        var hashes = new TreeMap<String, String>();
        try (Stream<Path> found = Files.walk(study)) {
            for (Path file : found.filter(Files::isRegularFile).toList()) {
                String name = study.relativize(file).toString();
                if (name.startsWith("figures") || name.startsWith("tables") || name.startsWith("work/offsets")) {
                    hashes.put(name, ContentId.of("", Files.readAllBytes(file)));
                }
            }
        }
        assertThat(hashes).isNotEmpty();
        return hashes;
    }

    @Test
    void whatAnExperimentCannotTakeIsRefused() {
        assertThatThrownBy(() -> StudyFile.parse(
                        """
                        title: Wrong
                        run: {model: {checkpoint: "builtin:fashion"}, input: {root: "builtin:fashion-mnist-sample"}}
                        experiments:
                          - {kind: paths, name: a, methods: slerp, inputs: 3}
                          - {kind: bias, name: b, inputs: [4, 2], methods: slerp}
                          - {kind: perturbed, name: c, images: 8}
                          - {kind: offsets, name: d, channels: [1]}
                          - {kind: paths, name: e, statistics: energy, frames: 1}
                        """,
                        "test",
                        List.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("slerp")
                .hasMessageContaining("rising counts")
                .hasMessageContaining("twice the largest count")
                .hasMessageContaining("channels")
                .hasMessageContaining("energy")
                .hasMessageContaining("a path has two ends");
    }

    @Test
    void aClassThatIsTooSmallIsRefusedWithItsName() throws IOException {
        var small = StudyFile.parse(
                """
                title: Small
                run:
                  model: {checkpoint: "builtin:fashion", batch: 4}
                  inversion: {steps: 4, guidance: 1}
                experiments:
                  - {kind: bias, name: b, inputs: [1, 8]}
                """,
                "test",
                List.of("run.input.root=" + folder.resolve("in")));
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            assertThatThrownBy(() ->
                            Study.run(spark, small, folder.resolve("small").toString(), Console.SILENT))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("5-sandal")
                    .hasMessageContaining("16");
        }
    }
}
