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
                    methods: [fix/cmm, prompt]
                    inputs: 2..8
                    multiple: 2
                    closer: {shots: 4, multiples: 1}
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
        // real, augmented; by either method: twice as many, the same augmented, once as many
        Map<String, String> first = accuracies(study);
        assertThat(first).hasSize((2 + 2 * 3) * 2);
        List<String> table = Files.readAllLines(study.resolve("tables/tiny.csv"));
        assertThat(table).hasSize(1 + 8);
        assertThat(table.get(0)).startsWith("shots,training,multiple,seeds,accuracy,low,high,gain");
        assertThat(table)
                .filteredOn(line -> line.startsWith("4,real + fix/cmm,2,2,"))
                .singleElement()
                .satisfies(line -> assertThat(line).endsWith(",8,16.0"));
        assertThat(Files.readString(study.resolve("report.html"))).contains("real + fix/cmm + augmentation");

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
