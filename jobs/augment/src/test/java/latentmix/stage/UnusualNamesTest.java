package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.export.DatasetFeatures;
import latentmix.table.MixedRow;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classes and images whose names are not made of letters alone. */
class UnusualNamesTest {
    /** Names by folder. */
    private static final Map<String, String> CLASSES = new LinkedHashMap<>();

    static {
        CLASSES.put("naïve 日本語", "naïve 日本語");
        CLASSES.put("50%41 = #1?", "100 % \"wool\"/silk");
        CLASSES.put("it's <b> & {class}", "it's <b> & {class}");
        CLASSES.put("[a]*\\b", "'=' \\ [a]*");
    }

    @TempDir
    Path folder;

    @Test
    void anyNamesGoThroughTheWholeJob() throws Exception {
        Path input = folder.resolve("in put");
        List<String> lines = new ArrayList<>(List.of("index\tfolder\tname"));
        for (String name : CLASSES.keySet()) {
            TinyRun.copy(input, "5-sandal", 0, 3);
            Files.move(input.resolve("5-sandal"), input.resolve(name));
            try (Stream<Path> files = Files.list(input.resolve(name))) {
                Path first = files.sorted().findFirst().orElseThrow();
                Files.move(first, first.resolveSibling(" a %20 = é.png"));
            }
            lines.add(lines.size() - 1 + "\t" + name + "\t" + CLASSES.get(name));
        }
        Path tsv = Files.write(folder.resolve("classes.tsv"), lines);
        Path run = folder.resolve("run");
        int exit = TinyRun.run(
                2,
                TinyRun.config(
                        input,
                        "input.classes=" + tsv,
                        "input.conflicts=keep", // the same images under every name
                        "mixing=[{name: all, methods: [nin/chm, slerp], inputs: 2, count: 1}]",
                        "generation.steps=2",
                        "inversion.steps=2"),
                run);
        assertThat(exit).isZero();
        assertThat(run.resolve("rejected")).doesNotExist();

        Map<String, String> prompts = new LinkedHashMap<>();
        try (Stream<Path> files = Files.walk(run.resolve("mixed"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                for (MixedRow row : RowFile.read(
                        new org.apache.hadoop.fs.Path(file.toUri()), new Configuration(), MixedRow.class)) {
                    assertThat(row.className()).isEqualTo(CLASSES.get(row.classId()));
                    prompts.put(row.classId(), row.prompt());
                }
            }
        }
        assertThat(prompts).hasSize(4);
        CLASSES.forEach((id, name) -> assertThat(prompts.get(id)).isEqualTo("a photo of a " + name));

        for (String name : CLASSES.keySet()) {
            Path images = run.resolve("dataset/images").resolve(name);
            List<String> metadata = Files.readAllLines(images.resolve("metadata.jsonl"));
            assertThat(metadata).hasSize(2);
            for (String line : metadata) {
                JsonNode node = new ObjectMapper().readTree(line);
                assertThat(images.resolve(node.get("file_name").asText())).exists();
                assertThat(node.get("class_name").asText()).isEqualTo(CLASSES.get(name));
            }
        }
        String report = Files.readString(run.resolve("report.html"));
        assertThat(report).contains("it's &lt;b&gt; &amp; {class}", "naïve 日本語").doesNotContain("it's <b>");
        assertThat(new ObjectMapper()
                        .readTree(DatasetFeatures.json(List.copyOf(CLASSES.values())))
                        .findPath("names"))
                .extracting(JsonNode::asText)
                .containsExactlyElementsOf(CLASSES.values());

        try (JavaSparkContext spark = TinyRun.spark(1)) {
            List<Row> rows = SparkSession.builder()
                    .sparkContext(spark.sc())
                    .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
                    .getOrCreate()
                    .read()
                    .parquet(run.resolve("inverted").toString())
                    .select("class_id", "path")
                    .collectAsList();
            assertThat(rows).hasSize(4 * 3);
            assertThat(rows).allMatch(row -> row.getString(1).startsWith(row.getString(0) + "/"));
        }
    }

    @Test
    void aNameThatHadoopCannotSpellIsRefusedWithWhatToDo() throws Exception {
        Path input = TinyRun.input(folder.resolve("colon"), 3);
        Files.createDirectories(input.resolve("a:b"));
        Path run = folder.resolve("colon-run");
        assertThatThrownBy(() -> TinyRun.run(1, TinyRun.config(input), run))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("a:b")
                .hasMessageContaining("rename");
    }
}
