package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.stage.Console;
import latentmix.table.ContentId;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two classes, four real images each, four steps: small enough to run several times over. */
class DownstreamTest {
    private static final List<String> CLASSES = List.of("5-sandal", "9-ankle-boot");

    @TempDir
    private Path folder;

    private Path images(String name, int from, int to) throws IOException {
        Path root = folder.resolve(name);
        for (String label : CLASSES) {
            Path sample = BuiltIn.FASHION_MNIST_SAMPLE.folder().resolve(label);
            Files.createDirectories(root.resolve(label));
            try (Stream<Path> files = Files.list(sample)) {
                for (Path file : files.sorted().skip(from).limit(to - from).toList()) {
                    Files.copy(file, root.resolve(label).resolve(file.getFileName()));
                }
            }
        }
        return root;
    }

    private StudyConfig config() throws IOException {
        if (!Files.exists(folder.resolve("pool"))) {
            images("pool", 0, 8);
            images("test", 8, 16);
        }
        return StudyFile.parse(
                """
                title: tiny
                run:
                  input: {root: "%1$s/pool"}
                  model: {checkpoint: "builtin:fashion", batch: 4}
                  inversion: {steps: 4}
                  generation: {steps: 4, guidance: 1}
                  run: {chunk: 4}
                experiments:
                  - kind: downstream
                    name: tiny
                    test: "%1$s/test"
                    shots: 4
                    seeds: 2
                    validation: 2
                    arms:
                      - {name: mixtures, methods: [fix/cmm, fill], inputs: 2..8}
                      - {name: everything, methods: [fix/cmm, prompt], together: true}
                      - {name: weak prompts, methods: prompt, settings: {generation.guidance: 2}}
                      - {name: learnt, methods: prompt, settings: {adapt.steps: 1, adapt.batch: 2, generation.guidance: 2}}
                    multiples: [1, 2]
                    shares: [0.25, 0.5]
                    classifier: {steps: 3, batch: 4}
                """
                        .formatted(folder),
                "tiny study",
                List.of());
    }

    private static int run(StudyConfig config, Path study) throws IOException {
        try (JavaSparkContext spark = new JavaSparkContext(new SparkConf()
                .setAppName("test")
                .setMaster("local[2]")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1"))) {
            return Study.run(spark, config, study.toString(), Console.SILENT);
        }
    }

    private static Map<String, String> accuracies(Path study) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> found = Files.list(study.resolve("work/accuracy"))) {
            for (Path file : found.toList()) {
                files.put(file.getFileName().toString(), ContentId.of("", Files.readAllBytes(file)));
            }
        }
        return files;
    }

    @Test
    void trainsEveryWayWithEverySeedAndGoesOnWhereItStopped() throws IOException {
        StudyConfig config = config();
        Path study = folder.resolve("study");
        assertThat(run(config, study)).isZero();
        // real, augmented; by each method once and twice as many, a quarter and a half of a batch
        Map<String, String> first = accuracies(study);
        assertThat(first).hasSize((2 + 5 * 2 * 2) * 2);
        List<String> table = Files.readAllLines(study.resolve("tables/tiny.csv"));
        assertThat(table).hasSize(1 + 7);
        assertThat(table.get(0)).startsWith("shots,arm,chosen,seeds,accuracy,low,high,gain");
        assertThat(table)
                .filteredOn(line -> line.startsWith("4,+ weak prompts,"))
                .singleElement()
                .satisfies(line -> assertThat(line).contains("prompt p 0."));
        assertThat(Files.readAllLines(study.resolve("tables/tiny-trainings.csv")))
                .filteredOn(line -> line.contains(",weak prompts,prompt,0.5,2,standard,1,8,16,4,16,"))
                .hasSize(1);
        assertThat(Files.readAllLines(study.resolve("tables/tiny-trainings.csv")))
                .as("as many made images as of one method")
                .filteredOn(line -> line.contains(",everything,fix/cmm & prompt,0.25,1,standard,0,8,8,"))
                .hasSize(1);
        assertThat(Files.readString(study.resolve("report.html"))).contains("+ mixtures");

        Path lost =
                study.resolve("work/accuracy").resolve(first.keySet().iterator().next());
        Path kept = study.resolve("work/accuracy")
                .resolve(List.copyOf(first.keySet()).get(1));
        FileTime longAgo = FileTime.fromMillis(0);
        Files.setLastModifiedTime(kept, longAgo);
        Files.delete(lost);
        assertThat(run(config, study)).isZero();
        assertThat(accuracies(study)).isEqualTo(first);
        assertThat(Files.getLastModifiedTime(kept)).as("not trained again").isEqualTo(longAgo);
    }

    @Test
    void imagesOfTheSamePoolJudgeWhereThereIsNoFolderOfThem() throws IOException {
        StudyConfig config = StudyFile.parse(
                """
                title: tiny
                run:
                  input: {root: "%s/pool", classes: "builtin:fashion-mnist-sample/classes.tsv"}
                  model: {checkpoint: "builtin:fashion"}
                  inversion: {steps: 2}
                  generation: {steps: 2, guidance: 1}
                experiments:
                  - {kind: downstream, name: tiny, shots: [1, 4], seeds: 1, validation: 2, shares: 0.5,
                     arms: [{name: mixed, inputs: 2}], classifier: {steps: 3, batch: 4}}
                """
                        .formatted(images("pool", 0, 8).getParent()),
                "tiny study",
                List.of());
        assertThat(run(config, folder.resolve("study"))).isZero();
        assertThat(Files.readAllLines(folder.resolve("study/tables/tiny-trainings.csv")))
                .as("of eight images four are the most shots and two choose")
                .filteredOn(line -> line.contains(",0,4,4,"))
                .hasSize(4);
    }

    /** Classes of four and of two images, filled up to eight; with a filter, with soft labels, under corruptions. */
    @Test
    void aLongTailIsFilledUpAndJudgedUnderCorruptions() throws IOException {
        images("pool", 0, 8);
        StudyConfig config = StudyFile.parse(
                """
                title: tiny
                run:
                  input: {root: "%s/pool", classes: "builtin:fashion-mnist-sample/classes.tsv"}
                  model: {checkpoint: "builtin:fashion"}
                  inversion: {steps: 2}
                  generation: {steps: 2, guidance: 1}
                experiments:
                  - kind: downstream
                    name: tiny
                    shots: 4
                    tail: 2
                    seeds: 1
                    validation: 2
                    shares: 0.5
                    multiples: [1, 2]
                    corruptions: [contrast, gaussian_noise]
                    arms:
                      - {name: mixed, methods: fill, inputs: 2, contexts: [in rain], guidance: [1, 2]}
                      - {name: across, methods: fill, inputs: 2, across: classes}
                      - {name: other, methods: diff-mix(0.5), inputs: 1}
                      - name: filtered
                        methods: fill
                        inputs: 2
                        settings: {evaluation: {}, filter: {tries: 2, blank: {sharpness: 1000000}}}
                    classifier: {steps: 3, batch: 4}
                """
                        .formatted(folder),
                "tiny study",
                List.of());
        assertThat(run(config, folder.resolve("study"))).isZero();
        List<String> trainings = Files.readAllLines(folder.resolve("study/tables/tiny-trainings.csv"));
        assertThat(trainings.get(0)).endsWith("validation,accuracy,tail,corrupted");
        assertThat(trainings)
                .filteredOn(line -> line.contains(",1,standard,0,6,2,"))
                .as("2 made")
                .hasSize(3);
        assertThat(trainings)
                .filteredOn(line -> line.contains(",2,standard,0,6,10,"))
                .hasSize(3);
        assertThat(trainings).filteredOn(line -> line.contains(",filtered,")).allSatisfy(line -> assertThat(line)
                .contains(",standard,0,6,0,"));
        assertThat(trainings.subList(1, trainings.size())).noneMatch(line -> line.contains("NaN"));
        assertThat(Files.readString(folder.resolve("study/report.html")))
                .contains("test images spoilt by contrast, gaussian_noise, severity 3")
                .contains("Advice for k = 4: ");
    }

    @Test
    void neitherNamesNorPlacesOfTheImagesMatter() throws IOException {
        StudyConfig config = config();
        assertThat(run(config, folder.resolve("study"))).isZero();
        Map<String, String> first = accuracies(folder.resolve("study"));
        for (String label : CLASSES) {
            try (Stream<Path> files = Files.list(folder.resolve("pool").resolve(label))) {
                int i = 100;
                for (Path file : files.sorted().toList()) {
                    Files.move(file, file.resolveSibling(--i + ".png"));
                }
            }
        }
        assertThat(run(config, folder.resolve("elsewhere"))).isZero();
        assertThat(accuracies(folder.resolve("elsewhere"))).isEqualTo(first);
    }
}
