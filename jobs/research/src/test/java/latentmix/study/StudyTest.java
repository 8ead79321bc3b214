package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import latentmix.stage.Console;
import latentmix.stage.TinyRun;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A study of the built-in model on 2 classes × 8 images × 4 steps. */
class StudyTest {
    private static final List<String> SAID = new ArrayList<>();
    private static final Console CONSOLE = new Console() {
        @Override
        public void say(String line) {
            SAID.add(line);
        }

        @Override
        public void progress(String line) {}

        @Override
        public void warn(String line) {}
    };

    private static final String STUDY =
            """
            title: A tiny study
            about: |
              First <paragraph>.

              Second.
            run:
              model: {checkpoint: "builtin:fashion", batch: 4}
              inversion: {steps: 4, guidance: 1}
              generation: {steps: 4, guidance: 2}
              evaluation: {neighbours: 2}
              run: {chunk: 4}
            experiments:
              - kind: grid
                name: counts
                classes: [5-sandal]
                methods: [lin/0, nin/chm, prompt]
                inputs: [2, 4]
                examples: 2
              - kind: grid
                name: examples
                title: Examples
                classes: [5-sandal, 9-ankle-boot]
                methods: [fix/0, fix/cmm]
                inputs: [4]
                examples: 3
                factor: guidance
                settings:
                  1: {generation.guidance: 1}
                  2: {generation.guidance: 2}
              - kind: curves
                name: quality
                methods: [fix/0, nin/chm, prompt]
                inputs: [1, 2, 4]
                count: 3
            """;

    @TempDir
    static Path folder;

    private static StudyConfig config;
    private static Path study;

    @BeforeAll
    static void aStudy() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        config = StudyFile.parse(
                STUDY,
                "test",
                List.of("run.input.root=" + input, "run.input.classes=builtin:fashion-mnist-sample/classes.tsv"));
        study = folder.resolve("study");
        run();
    }

    private static void run() throws IOException {
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            assertThat(Study.run(spark, config, study.toString(), CONSOLE)).isZero();
        }
    }

    @Test
    void theStudyHasTheLastWordAndItsRunsHaveNone() {
        assertThat(SAID)
                .filteredOn(line -> line.contains("report.html"))
                .singleElement()
                .satisfies(last ->
                        assertThat(last).contains(study.resolve("report.html").toString()));
    }

    private static List<Path> files() throws IOException {
        try (Stream<Path> found = Files.walk(study)) {
            return found.filter(Files::isRegularFile)
                    .filter(file -> !file.startsWith(study.resolve("runs")))
                    .map(study::relativize)
                    .sorted()
                    .toList();
        }
    }

    /** Network evaluations of the last pipeline run. */
    private static long evaluations() throws IOException {
        JsonNode summary = new ObjectMapper().readTree(Files.readString(study.resolve("runs/all/run_summary.json")));
        long evaluations = 0;
        for (JsonNode stage : summary.get("stages")) {
            evaluations += stage.get("networkEvaluations").asLong();
        }
        return evaluations;
    }

    @Test
    void everyFigureIsPublishedAndTheReportHoldsThemAll() throws IOException {
        assertThat(files())
                .map(Path::toString)
                .filteredOn(file -> !file.startsWith("figures/quality-"))
                .containsExactly(
                        "figures/counts-5-sandal-1.png",
                        "figures/counts-5-sandal-2.png",
                        "figures/examples-5-sandal.png",
                        "figures/examples-9-ankle-boot.png",
                        "report.html",
                        "tables/quality.csv",
                        "tables/quality.parquet");
        String report = Files.readString(study.resolve("report.html"));
        assertThat(report)
                .contains("A tiny study", "First &lt;paragraph&gt;.", "Second.", "Examples", "builtin:fashion")
                .doesNotContain("http://", "https://", "<script", "<link", "url(");
        assertThat(report.split("data:image/png;base64,", -1)).hasSize(1 + 4);
        assertThat(report.split("data:image/svg", -1)).hasSizeGreaterThan(1 + 10);
    }

    /** A mixture has one id and many images, by how it is generated. */
    @Test
    void whatAnOutputKeepsIsMeasuredOnTheImagesOfItsOwnSettings() throws IOException {
        List<String> both = kept("both", "{1: {generation.guidance: 1}, 7: {generation.guidance: 7}}");
        List<String> one = kept("one", "{1: {generation.guidance: 1}}");
        assertThat(one).isNotEmpty();
        assertThat(both).hasSize(2 * one.size()).containsAll(one);
        assertThat(both.stream().map(row -> row.replaceFirst("^[17],", "")).distinct())
                .hasSizeGreaterThan(one.size());
    }

    /** The rows of a study with these settings that say what outputs keep of their inputs. */
    private static List<String> kept(String name, String settings) throws IOException {
        Path run = folder.resolve(name);
        StudyConfig config = StudyFile.parse(
                STUDY.substring(0, STUDY.indexOf("experiments:"))
                        + """
                        experiments:
                          - kind: curves
                            name: quality
                            methods: [nin/chm]
                            inputs: [2]
                            count: 3
                            x: setting
                            factor: guidance
                            settings: %s
                        """
                                .formatted(settings),
                "test",
                List.of(
                        "run.input.root=" + folder.resolve("in"),
                        "run.input.classes=builtin:fashion-mnist-sample/classes.tsv"));
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            assertThat(Study.run(spark, config, run.toString(), Console.SILENT)).isZero();
        }
        try (Stream<String> rows = Files.lines(run.resolve("tables/quality.csv"))) {
            return rows.filter(row -> row.contains(",kept_")).toList();
        }
    }

    @Test
    void runsShareTheirInversionsAndTheCostIsWhatIsComputed() throws IOException {
        assertThat(StudyRuns.of(config)).hasSize(4); // one class; two classes at two guidances; what is measured
        StudyCost cost = StudyCost.of(config, new Configuration());
        assertThat(cost.runs())
                .containsExactly(
                        new StudyCost.RunCost(8, 8 * 4, 10, 10 * 4 * 2),
                        new StudyCost.RunCost(8, 8 * 4, 12, 12 * 4),
                        new StudyCost.RunCost(0, 0, 12, 12 * 4 * 2),
                        new StudyCost.RunCost(0, 0, 42, 42 * 4 * 2));
        assertThat(cost.text(config, 2)).startsWith("16 images to invert and 76 to generate: 624 network evaluations");
        List<String> stood =
                new ArrayList<>(TinyRun.tables(study.resolve("runs/all")).keySet());
        assertThat(stood.stream().filter(file -> file.startsWith("inverted"))).hasSize(4);
    }

    @Test
    void curvesAreTheMetricsOfEveryCellAsTheConfigurationListsThem() throws IOException {
        List<String> lines = Files.readAllLines(study.resolve("tables/quality.csv"));
        assertThat(lines.get(0)).isEqualTo("setting,scope,method,inputs,weights,pool,metric,value,low,high,images");
        List<List<String>> cells = lines.stream()
                .skip(1)
                .map(line -> List.of(line.split(",", -1)))
                .filter(cell -> cell.get(1).equals("all") && cell.get(6).equals("frechet_classifier"))
                .toList();
        assertThat(cells)
                .extracting(cell -> cell.get(2) + " " + cell.get(3) + " " + cell.get(10))
                .containsExactly(
                        "real 0 10", // one half of the input, which is the reference too, against the other
                        "reconstruction 0 16",
                        "fix/0 1 6",
                        "fix/0 2 6",
                        "fix/0 4 6",
                        "nin/chm 1 6",
                        "nin/chm 2 6",
                        "nin/chm 4 6",
                        "prompt 0 6");
        assertThat(cells).allMatch(cell -> Double.parseDouble(cell.get(7)) >= 0);
        assertThat(RowFile.read(
                        new org.apache.hadoop.fs.Path(
                                study.resolve("tables/quality.parquet").toString()),
                        new Configuration(),
                        CurveRow.class))
                .hasSize(lines.size() - 1);
        assertThat(Files.readString(study.resolve("report.html")))
                .contains("Fréchet distance classifier (lower is better)", "6 images a point");
    }

    @Test
    void anOutputOfOneInputKeepsItAndOneOfThePromptIsMixedFromNone() throws IOException {
        List<String> kept = Files.readAllLines(study.resolve("tables/quality.csv")).stream()
                .filter(line -> line.startsWith(",all,") && line.contains(",kept_chance,"))
                .toList();
        assertThat(kept).hasSize(6); // of prompt there is none
        double one = Double.parseDouble(kept.get(3).split(",", -1)[7]);
        double four = Double.parseDouble(kept.get(5).split(",", -1)[7]);
        assertThat(kept.get(3)).contains(",nin/chm,1,");
        assertThat(one).isGreaterThan(0.9).isGreaterThan(four);
    }

    @Test
    void aSecondCallEvaluatesNoNetworkAndWritesTheSameBytes() throws IOException {
        byte[] figure = Files.readAllBytes(study.resolve("figures/counts-5-sandal-1.png"));
        var tables = TinyRun.tables(study.resolve("runs/all"));
        assertThat(evaluations()).isPositive();

        run();

        assertThat(evaluations()).isZero();
        assertThat(TinyRun.tables(study.resolve("runs/all"))).isEqualTo(tables);
        assertThat(study.resolve("figures/counts-5-sandal-1.png")).hasBinaryContent(figure);
    }
}
