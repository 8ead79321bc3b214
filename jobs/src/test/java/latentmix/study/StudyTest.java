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
import latentmix.config.StudyConfig;
import latentmix.config.StudyFile;
import latentmix.stage.TinyRun;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A study of the built-in model on 2 classes × 8 images × 4 steps. */
class StudyTest {
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
            assertThat(Study.run(spark, config, study.toString())).isZero();
        }
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
                .containsExactly(
                        "figures/counts-5-sandal-1.png",
                        "figures/counts-5-sandal-2.png",
                        "figures/examples-5-sandal.png",
                        "figures/examples-9-ankle-boot.png",
                        "report.html");
        String report = Files.readString(study.resolve("report.html"));
        assertThat(report)
                .contains("A tiny study", "First &lt;paragraph&gt;.", "Second.", "Examples", "builtin:fashion")
                .doesNotContain("http://", "https://", "<script", "<link", "url(");
        assertThat(report.split("data:image/png;base64,", -1)).hasSize(1 + 4);
    }

    @Test
    void runsShareTheirInversionsAndTheCostIsWhatIsComputed() throws IOException {
        assertThat(StudyRuns.of(config)).hasSize(3); // one class, and two classes at two guidances
        StudyCost cost = StudyCost.of(config, new org.apache.hadoop.conf.Configuration());
        assertThat(cost.runs())
                .containsExactly(
                        new StudyCost.RunCost(8, 8 * 4, 10, 10 * 4 * 2),
                        new StudyCost.RunCost(8, 8 * 4, 12, 12 * 4),
                        new StudyCost.RunCost(0, 0, 12, 12 * 4 * 2));
        assertThat(cost.text(config, 2)).startsWith("16 images to invert and 34 to generate: 288 network evaluations");
        List<String> stood =
                new ArrayList<>(TinyRun.tables(study.resolve("runs/all")).keySet());
        assertThat(stood.stream().filter(file -> file.startsWith("inverted"))).hasSize(4);
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
