package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.image.ImageDecoder;
import latentmix.image.Resize;
import latentmix.image.UnreadableImage;
import latentmix.plan.NetworkCost;
import latentmix.table.GeneratedRow.EncodedImage;
import latentmix.table.MixedTable;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import latentmix.table.RunFolder.Table;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs with each inversion: what it computes, keeps and finds again. */
class InversionRunTest {
    private static final long IMAGES = 2 * 8;
    private static final long MIXTURES = 2 * 10;

    @TempDir
    static Path folder;

    private static Path input;

    @BeforeAll
    static void images() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 8);
    }

    /** 4 steps; the generation's 2 branches make 8 evaluations. */
    @ParameterizedTest
    @CsvSource({
        "fixed-point(3), 12, 8, 0",
        "'fixed-point(3, averaged)', 12, 8, 0",
        "negative-prompt, 4, 4, 0",
        "renoise(2), 16, 8, 0",
        "bdia, 5, 8, 4",
    })
    void everyImageIsInvertedAndEveryMixtureGenerated(
            String method, long inversionEvaluations, long generationEvaluations, long companions) throws IOException {
        Path run = folder.resolve(method.replaceAll("\\W", "-"));
        RunConfig config = TinyRun.config(input, "inversion.method=" + method);
        NetworkCost planned = NetworkCost.of(
                config,
                CheckpointFolder.open(Path.of(BuiltIn.located("builtin:fashion")))
                        .schedulerConfig());
        assertThat(planned.inversion()).isEqualTo(inversionEvaluations);
        assertThat(planned.generation(new MixedTable.Effort(1, List.of()))).isEqualTo(generationEvaluations);

        assertThat(TinyRun.run(2, config, run)).isZero();

        assertThat(TinyRun.summary(run).get("counts").get("generated").asLong()).isEqualTo(MIXTURES);
        assertThat(TinyRun.evaluations(run, "invert")).isEqualTo(IMAGES * inversionEvaluations);
        assertThat(TinyRun.evaluations(run, "generate")).isEqualTo(MIXTURES * generationEvaluations);
        assertThat(companionFiles(run)).isEqualTo(companions);
    }

    /** Noise is drawn by the image's id, so a lost chunk has the same again. */
    @Test
    void forwardFirstSavesItsStepsAndIsInvertedAgainToTheSameBytes() throws IOException {
        Path run = folder.resolve("forward");
        RunConfig config = TinyRun.config(input, "inversion.forward_first=2");
        NetworkCost planned = NetworkCost.of(
                config,
                CheckpointFolder.open(Path.of(BuiltIn.located("builtin:fashion")))
                        .schedulerConfig());
        assertThat(planned.inversion()).isEqualTo(2);
        assertThat(TinyRun.run(2, config, run)).isZero();
        assertThat(TinyRun.evaluations(run, "invert")).isEqualTo(IMAGES * 2);
        Map<String, String> before = TinyRun.tables(run);

        for (String table : List.of("inverted/class_id=5-sandal", "mixed", "generated")) {
            try (Stream<Path> files = Files.walk(run.resolve(table))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Files.delete(file);
                }
            }
        }
        assertThat(TinyRun.run(1, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(before);

        Path plain = folder.resolve("plain");
        assertThat(TinyRun.run(2, TinyRun.config(input, "inversion.forward_first=0"), plain))
                .isZero();
        assertThat(TinyRun.tables(plain).keySet()).as("other ids").doesNotContainAnyElementsOf(inverted(before));
        try (Stream<Path> settings = Files.list(plain.resolve("settings"))) {
            assertThat(settings)
                    .as("ids as ever")
                    .noneSatisfy(file -> assertThat(file).content().contains("forwardFirst"));
        }
    }

    private static List<String> inverted(Map<String, String> tables) {
        List<String> names = tables.keySet().stream()
                .filter(name -> name.contains("inverted"))
                .toList();
        assertThat(names).isNotEmpty();
        return names;
    }

    /** As a job that is killed after a chunk's companions and before its noise. */
    @ParameterizedTest
    @CsvSource({"bdia", "null-text(2)", "renoise(2)"})
    void aLostChunkIsInvertedAgainToTheSameBytes(String method) throws IOException {
        Path run = folder.resolve("lost-" + method.replaceAll("\\W", "-"));
        RunConfig config = TinyRun.config(input, "inversion.method=" + method);
        assertThat(TinyRun.run(2, config, run)).isZero();
        Map<String, String> before = TinyRun.tables(run);

        try (Stream<Path> files = Files.walk(run.resolve("inverted/class_id=5-sandal"))) {
            Files.delete(files.filter(Files::isRegularFile).findFirst().orElseThrow());
        }
        if (Files.exists(run.resolve("companions"))) {
            try (Stream<Path> files = Files.walk(run.resolve("companions/class_id=9-ankle-boot"))) {
                assertThat(files.filter(Files::isRegularFile).count()).isEqualTo(2);
            }
        }
        try (Stream<Path> files = Files.walk(run.resolve("generated"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
        assertThat(TinyRun.run(1, config, run)).isZero();
        assertThat(TinyRun.tables(run)).isEqualTo(before);
    }

    /** One image alone, 12 steps: guided sampling goes far away, the embeddings that were found bring it back. */
    @Test
    void aMixtureOfOneImageComesBackWithItsOwnNullTextEmbeddingsAndItsOwnBdiaState() throws IOException {
        Map<String, Double> errors = new TreeMap<>();
        for (String method : new String[] {"ddim", "null-text(10)", "bdia"}) {
            RunConfig config = TinyRun.config(
                    input,
                    "inversion.method=" + method,
                    "inversion.steps=12",
                    "generation.steps=12",
                    "generation.guidance=" + (method.equals("bdia") ? "1" : "4"),
                    "mixing.methods=lin/0",
                    "mixing.inputs=1",
                    "mixing.weights=equal");
            Path run = folder.resolve("alone-" + method.replaceAll("\\W", "-"));
            assertThat(TinyRun.run(2, config, run)).isZero();
            errors.put(method, rmsOfPixels(run));
        }
        // BDIA comes back to the latents exactly: its error is the autoencoder's, which all three have.
        double autoencoder = Math.pow(errors.get("bdia"), 2);
        double unguided = Math.pow(errors.get("null-text(10)"), 2) - autoencoder;
        double lost = Math.pow(errors.get("ddim"), 2) - autoencoder;
        assertThat(unguided).isBetween(0.0, lost / 2);
    }

    @Test
    void aBackwardPassThatNoMachineHoldsIsRefusedBeforeTheFirstTask() {
        Path run = folder.resolve("memory");
        RunConfig config =
                TinyRun.config(input, "inversion.method=null-text(10)", "model.batch=1000000", "run.chunk=1000000");

        assertThatThrownBy(() -> TinyRun.run(2, config, run))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("2 tasks of 1000000 latents")
                .hasMessageContaining("set model.batch to at most ");

        assertThat(run.resolve("prompts")).doesNotExist();
        assertThat(run.resolve("inverted")).doesNotExist();
    }

    private record Mixed(String mixId, String classId, List<String> sourceIds) {}

    private record Generated(String mixId, EncodedImage image) {}

    private record Inverted(String imageId, String path) {}

    /** Root mean square difference, of 255, between the generated images and their only source. */
    private static double rmsOfPixels(Path folder) throws IOException {
        RunFolder run = new RunFolder(folder.toString(), new Configuration());
        double sum = 0;
        long count = 0;
        for (String classId : TinyRun.CLASSES) {
            Map<String, String> paths = new HashMap<>();
            for (Inverted row : rows(run, Table.INVERTED, classId, Inverted.class)) {
                paths.put(row.imageId(), row.path());
            }
            Map<String, EncodedImage> images = new HashMap<>();
            for (Generated row : rows(run, Table.GENERATED, classId, Generated.class)) {
                images.put(row.mixId(), row.image());
            }
            for (Mixed row : rows(run, Table.MIXED, classId, Mixed.class)) {
                byte[] source = pixels(Files.readAllBytes(
                        input.resolve(paths.get(row.sourceIds().get(0)))));
                byte[] made = pixels(images.get(row.mixId()).bytes());
                for (int i = 0; i < made.length; i++) {
                    double difference = (made[i] & 0xff) - (source[i] & 0xff);
                    sum += difference * difference;
                    count++;
                }
            }
        }
        return Math.sqrt(sum / count);
    }

    private static byte[] pixels(byte[] file) {
        try {
            return Resize.square(ImageDecoder.decode(file, 1_000_000), 32).rgb();
        } catch (UnreadableImage e) {
            throw new AssertionError(e);
        }
    }

    private static <T extends Record> List<T> rows(RunFolder run, Table table, String classId, Class<T> type)
            throws IOException {
        List<T> rows = new ArrayList<>();
        for (String chunk : run.chunks(table, classId)) {
            rows.addAll(RowFile.read(run.chunk(table, classId, chunk), run.conf(), type));
        }
        return rows;
    }

    private static long companionFiles(Path run) throws IOException {
        if (!Files.exists(run.resolve("companions"))) {
            return 0;
        }
        try (Stream<Path> files = Files.walk(run.resolve("companions"))) {
            return files.filter(Files::isRegularFile).count();
        }
    }
}
