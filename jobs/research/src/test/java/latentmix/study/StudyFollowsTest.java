package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.stage.Console;
import latentmix.stage.TinyRun;
import latentmix.table.ContentId;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A study is about the images that exist when it runs. */
class StudyFollowsTest {
    private static final String STUDY =
            """
            title: A study that follows its images
            run:
              model: {checkpoint: "builtin:fashion", batch: 4}
              inversion: {steps: 4, guidance: 1}
              generation: {steps: 4, guidance: 2}
              evaluation: {neighbours: 2}
              run: {chunk: 4}
            experiments:
              - kind: curves
                name: quality
                methods: [nin/chm]
                inputs: [2]
                count: 3
              - kind: perturbed
                name: made
                methods: [fix/0]
                inputs: [1, 2]
                images: 4
                repeats: 3
            """;

    @TempDir
    Path folder;

    @Test
    void anImageThatCameAndWentLeavesNoTrace() throws IOException {
        Path input = TinyRun.input(folder.resolve("in"), 8);
        StudyConfig config = StudyFile.parse(
                STUDY,
                "test",
                List.of("run.input.root=" + input, "run.input.classes=builtin:fashion-mnist-sample/classes.tsv"));
        Map<String, String> before = run(config);
        Path another = input.resolve("5-sandal/another.png");
        Path sample = TinyRun.input(folder.resolve("more"), 9).resolve("5-sandal");
        try (Stream<Path> files = Files.list(sample)) {
            Files.copy(files.sorted().skip(8).findFirst().orElseThrow(), another);
        }
        Map<String, String> with = run(config);
        assertThat(with.keySet()).isEqualTo(before.keySet());
        assertThat(with.entrySet())
                .allSatisfy(
                        file -> assertThat(file.getValue()).as(file.getKey()).isNotEqualTo(before.get(file.getKey())));
        Files.delete(another);
        assertThat(run(config)).isEqualTo(before);
    }

    /** The study's tables and pictures, by name with a hash of their bytes. */
    private Map<String, String> run(StudyConfig config) throws IOException {
        Path study = folder.resolve("study");
        try (JavaSparkContext spark = TinyRun.spark(2)) {
            assertThat(Study.run(spark, config, study.toString(), Console.SILENT))
                    .isZero();
        }
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> found = Files.walk(study)) {
            for (Path file : found.toList()) {
                String name = study.relativize(file).toString();
                if (name.matches("tables/.*csv|figures/.*-5-sandal.*png")) {
                    files.put(name, ContentId.of("", Files.readAllBytes(file)));
                }
            }
        }
        return files;
    }
}
