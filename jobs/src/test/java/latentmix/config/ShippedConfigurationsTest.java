package latentmix.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is in conf/ is right as it stands. */
class ShippedConfigurationsTest {
    private static final Path CONF = Path.of("../conf");

    static Stream<Path> yamlFiles() throws IOException {
        try (Stream<Path> files = Files.list(CONF)) {
            return files.filter(file -> file.toString().endsWith(".yaml")).toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("yamlFiles")
    void everyConfigurationCanBeRead(Path file) {
        assertThat(ConfigFile.read(file, List.of()).mixing()).isNotEmpty();
    }

    @Test
    void theDemoMakesTwelveExportedAndEightComparedMixturesAClass() {
        List<RunConfig.MixingEntry> mixing =
                ConfigFile.read(CONF.resolve("demo.yaml"), List.of()).mixing();
        assertThat(mixing)
                .extracting(entry -> entry.methods().size() * entry.inputs().size() * entry.count())
                .containsExactly(12, 8);
        assertThat(mixing).extracting(RunConfig.MixingEntry::export).containsExactly(true, false);
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
