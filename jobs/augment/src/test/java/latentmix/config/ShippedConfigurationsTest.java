package latentmix.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import latentmix.Repository;
import latentmix.stage.Gpus;
import org.apache.spark.SparkConf;
import org.apache.spark.metrics.sink.PrometheusServlet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is in conf/ is right as it stands. */
class ShippedConfigurationsTest {
    private static final Path CONF = Repository.file("conf");

    static Stream<Path> yamlFiles() throws IOException {
        try (Stream<Path> files = Files.list(CONF);
                Stream<Path> recipes = Files.list(CONF.resolve("recipes"))) {
            return Stream.concat(files, recipes).filter(file -> file.toString().endsWith(".yaml")).toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("yamlFiles")
    void everyConfigurationCanBeRead(Path file) {
        assertThat(ConfigFile.read(file, List.of()).mixing()).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource({"demo.yaml, 8, 8", "demo-fashion.yaml, 12, 8"})
    void theDemosMakeExportedAndComparedMixturesOfAClass(String file, int exported, int compared) {
        List<RunConfig.Mixing> mixing =
                ConfigFile.read(CONF.resolve(file), List.of()).mixing();
        assertThat(mixing)
                .extracting(entry -> entry.methods().size()
                        * entry.inputs().size()
                        * entry.count().number())
                .containsExactly(exported, compared);
        assertThat(mixing).extracting(RunConfig.Mixing::export).containsExactly(true, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"standalone", "yarn", "kubernetes"})
    void theDefaultsOfEveryKindOfClusterAskForGpusAndKeepAnEventLog(String kind) throws IOException {
        SparkConf conf = new SparkConf(false).set("spark.master", "yarn");
        Properties properties = new Properties();
        try (var in =
                Files.newBufferedReader(CONF.resolve("spark-defaults-" + kind + ".conf"), StandardCharsets.UTF_8)) {
            properties.load(in);
        }
        properties.forEach((key, value) -> conf.set(key.toString(), value.toString()));
        assertThat(Gpus.problems(conf)).isEmpty();
        assertThat(Gpus.of(conf)).hasValueSatisfying(gpus -> {
            assertThat(gpus.share()).as("two tasks an executor share its GPU").isEqualTo(0.5);
            assertThat(gpus.executors().vendor()).isEqualTo(kind.equals("kubernetes") ? "nvidia.com" : "");
        });
        assertThat(conf.get("spark.eventLog.enabled")).isEqualTo("true");
        assertThat(conf.get("spark.metrics.conf.*.sink.prometheusServlet.class"))
                .isEqualTo(PrometheusServlet.class.getName());
    }

    @Test
    void theThousandImageNetClassesHaveFoldersAndNamesOfTheirOwn() throws IOException {
        List<String> lines = Files.readAllLines(CONF.resolve("imagenet-1k-classes.tsv"));
        assertThat(lines.get(0)).isEqualTo("index\tfolder\tname");
        List<List<String>> rows =
                lines.stream().skip(1).map(line -> List.of(line.split("\t"))).toList();

        assertThat(rows).hasSize(1000).allMatch(row -> row.size() == 3);
        assertThat(rows.stream().map(row -> Integer.valueOf(row.get(0))))
                .containsExactlyElementsOf(IntStream.range(0, 1000).boxed().toList());
        assertThat(rows.stream().map(row -> row.get(1)))
                .allMatch(folder -> folder.matches("n\\d{8}"))
                .doesNotHaveDuplicates()
                .isSorted();
        assertThat(rows.stream().map(row -> row.get(2).toLowerCase(Locale.ROOT)))
                .allMatch(name -> name.equals(name.strip()) && !name.contains(","))
                .doesNotHaveDuplicates()
                .contains("crane bird", "construction crane", "maillot", "tank suit", "cardigan sweater");
    }
}
