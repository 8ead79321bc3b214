package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Pixels;
import latentmix.table.GeneratedRow;
import latentmix.table.InvertedRow;
import latentmix.table.MixedRow;
import latentmix.table.RowFile;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The methods beside the grid in one run: inputs, noise, where sampling begins, what it costs. */
class BaselinesTest {
    private static final List<String> TWO = List.of("nin/chm", "slerp", "spherical-mean", "nao", "adain", "cog", "arc");
    private static final List<String> ONE = List.of("tint(0.3)", "sdedit(0.25)", "sdedit(0.75)", "sdedit(1.0)");

    @TempDir
    static Path folder;

    private static Path input;
    private static RunConfig config;
    private static Path run;
    private static List<MixedRow> mixed;
    private static Map<String, Pixels> pictures;

    @BeforeAll
    static void aRun() throws Exception {
        input = TinyRun.input(folder.resolve("in"), 8);
        config = TinyRun.config(
                input,
                "mixing=[{name: two, methods: [" + String.join(", ", TWO) + "], inputs: 2, count: 2},"
                        + " {name: one, methods: [" + String.join(", ", ONE) + "], inputs: 1, count: 3},"
                        + " {name: none, methods: prompt, inputs: 0, count: 2, export: true}]",
                "inversion.steps=8",
                "generation.steps=8");
        run = folder.resolve("run");
        assertThat(TinyRun.run(2, config, run)).isZero();
        mixed = rows("mixed", MixedRow.class);
        pictures = new HashMap<>();
        for (GeneratedRow row : rows("generated", GeneratedRow.class)) {
            pictures.put(row.mixId(), ImageDecoder.decode(row.image().bytes(), 1 << 20));
        }
    }

    @Test
    void everyMixtureOfEveryMethodIsGeneratedAndExported() throws Exception {
        assertThat(mixed).hasSize(2 * (2 * TWO.size() + 3 * ONE.size() + 2));
        assertThat(pictures).hasSameSizeAs(mixed);
        assertThat(run.resolve("rejected")).doesNotExist();
        assertThat(mixed.stream().map(MixedRow::method).distinct())
                .containsExactlyInAnyOrderElementsOf(Stream.of(TWO, ONE, List.of("prompt"))
                        .flatMap(List::stream)
                        .toList());
        String report = Files.readString(run.resolve("report.html"));
        assertThat(report).contains("<th>slerp</th>", "<th>sdedit(0.25)</th>", "prompt\nN 0");
        try (Stream<Path> images = Files.walk(run.resolve("dataset/images"))) {
            assertThat(images.filter(file -> file.toString().endsWith(".png"))).hasSameSizeAs(mixed);
        }
    }

    @Test
    void networkEvaluationsAreThoseOfTheStepsThatAreTaken() throws Exception {
        long fromNoise = 2L * (2 * TWO.size() + 3 + 2); // tint and prompt among them
        long steps = 8 * fromNoise + 2 * 3 * (2 + 6 + 8);
        assertThat(TinyRun.evaluations(run, "generate")).isEqualTo(2 * steps); // two branches of guidance
    }

    @Test
    void methodsOfOneInputCountHaveTheSameInputsWeightsAndNoise() {
        for (List<String> methods : List.of(TWO, ONE)) {
            var byRepeat = mixed.stream()
                    .filter(row -> methods.contains(row.method()))
                    .collect(Collectors.groupingBy(row -> row.classId() + " " + row.k() / methods.size()));
            assertThat(byRepeat).hasSize(methods.equals(TWO) ? 4 : 6);
            byRepeat.forEach((repeat, rows) -> {
                assertThat(rows).hasSameSizeAs(methods);
                assertThat(rows.stream().map(MixedRow::sourceIds).distinct()).hasSize(1);
                assertThat(rows.stream().map(MixedRow::weights).distinct()).hasSize(1);
                assertThat(rows.stream()
                                .filter(row -> row.method().startsWith("sdedit"))
                                .map(row -> row.latent().latent())
                                .distinct()
                                .count())
                        .isLessThan(2);
            });
        }
        assertThat(mixed.stream().map(row -> row.latent().latent()).distinct())
                .hasSize(mixed.size() - 2 * 3 * 2); // three strengths of one noise
    }

    @Test
    void imageToImageBeginsWithTheEncodedSourceAndEverythingElseWithNoise() throws Exception {
        Map<String, InvertedRow> inverted = rows("inverted", InvertedRow.class).stream()
                .collect(Collectors.toMap(InvertedRow::imageId, row -> row));
        for (MixedRow row : mixed) {
            if (row.method().startsWith("sdedit")) {
                assertThat(row.strength())
                        .isEqualTo(Double.parseDouble(row.method().replaceAll("[^0-9.]", "")));
                assertThat(row.original().latent())
                        .isEqualTo(
                                inverted.get(row.sourceIds().get(0)).encoded().latent());
            } else {
                assertThat(row.strength()).isEqualTo(1);
                assertThat(row.original().isNone()).isTrue();
            }
            assertThat(row.sourceIds())
                    .hasSize(TWO.contains(row.method()) ? 2 : row.method().equals("prompt") ? 0 : 1);
        }
    }

    @Test
    void theWeakerTheStrengthTheNearerTheSource() throws Exception {
        Map<String, String> paths = rows("inverted", InvertedRow.class).stream()
                .collect(Collectors.toMap(InvertedRow::imageId, InvertedRow::path));
        Map<String, Double> distances = new HashMap<>();
        for (MixedRow row : mixed) {
            if (row.method().startsWith("sdedit")) {
                Pixels source = ImageDecoder.decode(
                        Files.readAllBytes(
                                input.resolve(paths.get(row.sourceIds().get(0)))),
                        1 << 20);
                distances.merge(row.method(), distance(source, pictures.get(row.mixId())), Double::sum);
            }
        }
        assertThat(distances.get("sdedit(0.25)")).isLessThan(0.75 * distances.get("sdedit(0.75)"));
        assertThat(distances.get("sdedit(0.75)")).isLessThan(distances.get("sdedit(1.0)"));
    }

    @Test
    void aSecondRunComputesNothingAndOneCoreGivesTheSameBytes() throws Exception {
        Map<String, String> before = TinyRun.tables(run);
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(before);
        assertThat(TinyRun.evaluations(run, "generate")).isZero();
        Path again = folder.resolve("one-core");
        assertThat(TinyRun.run(1, config, again)).isZero();
        assertThat(TinyRun.tables(again)).isEqualTo(before);
    }

    private static double distance(Pixels one, Pixels other) {
        double sum = 0;
        for (int i = 0; i < one.rgb().length; i++) {
            sum += Math.pow((one.rgb()[i] & 0xff) - (other.rgb()[i] & 0xff), 2);
        }
        return Math.sqrt(sum / one.rgb().length);
    }

    private static <T extends Record> List<T> rows(String table, Class<T> type) throws IOException {
        List<T> rows = new ArrayList<>();
        try (Stream<Path> files = Files.walk(run.resolve(table))) {
            for (Path file : files.filter(path -> path.toString().endsWith(".parquet"))
                    .sorted()
                    .toList()) {
                rows.addAll(RowFile.read(new org.apache.hadoop.fs.Path(file.toUri()), new Configuration(), type));
            }
        }
        return rows;
    }
}
