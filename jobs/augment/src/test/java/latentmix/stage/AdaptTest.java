package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.djl.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.checkpoint.CheckpointSpec;
import latentmix.checkpoint.Embedding;
import latentmix.codec.LittleEndian;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.TextEncoder;
import latentmix.plan.ExitCode;
import latentmix.report.RunSummary;
import latentmix.report.StageLeft;
import latentmix.table.AdapterRow;
import latentmix.table.CompanionRow;
import latentmix.table.DatasetRow;
import latentmix.table.ImageRow;
import latentmix.table.InvertedRow;
import latentmix.table.MixedTable;
import latentmix.table.PromptRow;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tokens learnt in tiny runs of the built-in model. */
class AdaptTest {
    private static final List<StageName> ALL = List.of(StageName.values());
    private static final String[] ADAPT = {"adapt.steps=5", "adapt.batch=3", "adapt.learning_rate=0.01"};
    private static final long EVALUATIONS = 5 * 3 + 2 * 64; // of a class
    private static final String SANDAL = TinyRun.CLASSES.get(0);
    private static final String BOOT = TinyRun.CLASSES.get(1);

    @TempDir
    static Path folder;

    private static Path input;
    private static Path run;
    private static JavaSparkContext spark;
    private static List<StageLeft> planned;

    @BeforeAll
    static void aRunThatAdapts() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 8);
        run = folder.resolve("run");
        spark = TinyRun.spark(2);
        planned = Pipeline.plan(spark, config(input), run.toString()).stages();
        assertThat(summary(config(input), run, ALL).exitCode()).isEqualTo(ExitCode.DONE);
    }

    @AfterAll
    static void end() {
        spark.close();
    }

    private static RunConfig config(Path input, String... more) {
        return TinyRun.config(
                input,
                Stream.of(new String[] {"mixing.1.inputs=2", "generation.steps=2", "inversion.steps=2"}, ADAPT, more)
                        .flatMap(Stream::of)
                        .toArray(String[]::new));
    }

    private static RunSummary summary(RunConfig config, Path run, List<StageName> stages) throws IOException {
        return Pipeline.summary(spark, config, run.toString(), stages);
    }

    private static Map<String, AdapterRow> adapters(Path of) throws IOException {
        Map<String, AdapterRow> rows = new TreeMap<>();
        TinyRun.rows(of, "adapters", AdapterRow.class).forEach(row -> rows.put(row.classId(), row));
        return rows;
    }

    /** The file that diffusers loads. */
    static Path learnt(Path of, AdapterRow row) {
        return of.resolve("adapted/" + row.classId() + "/" + row.adapterId() + "/learned_embeds.safetensors");
    }

    @Test
    void aClassIsToldItsTokenFromTheInversionToTheDataset() throws IOException {
        Map<String, AdapterRow> adapters = adapters(run);
        assertThat(adapters.keySet()).containsExactly(SANDAL, BOOT);
        adapters.values().forEach(row -> {
            assertThat(row.token()).matches("<(5-sandal|9-ankle-boot)-[0-9a-f]{8}>");
            assertThat(row.prompt()).isEqualTo("a photo of a " + row.token());
            assertThat(row.losses()).hasSize(5).allMatch(loss -> loss > 0);
            assertThat(row.loss()).isPositive().isNotEqualTo(row.plainLoss());
        });
        TinyRun.rows(run, "inverted", InvertedRow.class).forEach(row -> assertThat(row.prompt())
                .isEqualTo(adapters.get(row.classId()).prompt()));
        assertThat(TinyRun.rows(run, "mixed", MixedTable.Trail.class).stream()
                        .map(MixedTable.Trail::prompt)
                        .collect(Collectors.toSet()))
                .isEqualTo(adapters.values().stream().map(AdapterRow::prompt).collect(Collectors.toSet()));
        assertThat(TinyRun.rows(run, "dataset/parquet", DatasetRow.class)).isNotEmpty();
        assertThat(Files.readString(run.resolve("dataset/README.md")))
                .contains("a token learnt of its images by textual-inversion, 5 steps of 3 images, rate 0.01");
    }

    /** Another class's images change nothing of what is learnt of a class. */
    @Test
    void aClassIsLearntFromItsOwnImagesAlone() throws IOException {
        Map<String, Set<String>> images = TinyRun.rows(run, "images", ImageRow.class).stream()
                .collect(Collectors.groupingBy(
                        ImageRow::classId, Collectors.mapping(ImageRow::imageId, Collectors.toSet())));
        adapters(run).forEach((classId, row) -> assertThat(Set.copyOf(row.imageIds()))
                .isEqualTo(images.get(classId))
                .hasSize(8));

        Path other = folder.resolve("other-in");
        TinyRun.copy(other, SANDAL, 0, 8);
        TinyRun.copy(other, BOOT, 10, 15);
        Path apart = folder.resolve("other");
        assertThat(summary(config(other), apart, List.of(StageName.ADAPT)).exitCode())
                .isEqualTo(ExitCode.DONE);
        Map<String, String> whole = TinyRun.tables(run);
        Map<String, String> sandals = TinyRun.tables(apart);
        sandals.keySet().removeIf(file -> !file.startsWith("adapt") || !file.contains(SANDAL));
        assertThat(sandals).hasSize(2);
        sandals.forEach((file, hash) -> assertThat(whole).containsEntry(file, hash));
        assertThat(adapters(apart).get(BOOT).token())
                .isNotEqualTo(adapters(run).get(BOOT).token());
    }

    /**
     * What is there when a task is killed: nothing, the file alone, the file and the prompt; and a prompt that is lost.
     */
    @ParameterizedTest
    @CsvSource({"true, true, true", "false, true, true", "false, false, true", "false, true, false"})
    void whateverAKilledTaskLeavesTheNextRunEndsWithTheSameBytes(boolean file, boolean prompt, boolean row)
            throws IOException {
        Path killed = TinyRun.copy(run, folder.resolve("killed-" + file + prompt + row));
        AdapterRow boot = adapters(killed).get(BOOT);
        if (file) {
            Files.delete(learnt(killed, boot));
        }
        if (prompt) {
            Files.delete(prompts(killed).get(boot.prompt()));
        }
        if (row) {
            Files.delete(killed.resolve("adapters/class_id=" + BOOT + "/" + boot.adapterId() + ".parquet"));
        }
        List<StageLeft> left =
                Pipeline.plan(spark, config(input), killed.toString()).stages();
        assertThat(left.get(0).rows()).isEqualTo(1);
        assertThat(summary(config(input), killed, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        TinyRun.assertSameTables(killed, run);
        assertThat(TinyRun.evaluations(killed, "adapt")).isEqualTo(row ? EVALUATIONS : 0);
        assertThat(TinyRun.evaluations(killed, "invert")).isZero();
    }

    static Map<String, Path> prompts(Path of) throws IOException {
        Map<String, Path> files = new TreeMap<>();
        for (PromptRow row : TinyRun.rows(of, "prompts", PromptRow.class)) {
            files.put(row.text(), of.resolve("prompts/" + row.promptId() + ".parquet"));
        }
        return files;
    }

    @Test
    void aPlanForetellsWhatARunLearns() throws IOException {
        assertThat(planned.get(0)).isEqualTo(new StageLeft("adapt", 2, 2, 2 * EVALUATIONS));
        assertThat(TinyRun.evaluations(run, "adapt")).isEqualTo(2 * EVALUATIONS);
        assertThat(TinyRun.summary(run).at("/adapted/0/token").asText())
                .isEqualTo(adapters(run).get(SANDAL).token());
        assertThat(Pipeline.plan(spark, config(input), run.toString()).stages()).allMatch(stage -> stage.rows() == 0);
    }

    @Test
    void theFileIsTheSameTokenForAnyoneWhoLoadsIt() throws IOException {
        Map<String, PromptRow> prompts = TinyRun.rows(run, "prompts", PromptRow.class).stream()
                .collect(Collectors.toMap(PromptRow::text, row -> row));
        for (AdapterRow row : adapters(run).values()) {
            CheckpointFolder loaded = CheckpointSpec.of("builtin:fashion")
                    .withEmbeddings(List.of(new Embedding(learnt(run, row).toString(), row.token())))
                    .open(new Configuration());
            try (TextEncoder encoder = Models.textEncoder(loaded, Device.cpu(), Dtype.FLOAT32)) {
                float[] expected = LittleEndian.floats(prompts.get(row.prompt()).embeds());
                float[] found = encoder.encode(row.prompt()).values();
                assertThat(found).hasSameSizeAs(expected);
                for (int i = 0; i < found.length; i++) {
                    assertThat(Math.abs(found[i] - expected[i])).isLessThan(1e-5f);
                }
            }
        }
    }

    @Test
    void anImageThatIsAddedHasItsClassLearntAnewAndNoOther() throws IOException {
        Path grown = TinyRun.copy(run, folder.resolve("grown"));
        Path more = TinyRun.copy(input, folder.resolve("more"));
        TinyRun.copy(more, BOOT, 8, 9);
        assertThat(summary(config(more), grown, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        assertThat(TinyRun.evaluations(grown, "adapt")).isEqualTo(EVALUATIONS);
        assertThat(TinyRun.rows(grown, "adapters", AdapterRow.class)).hasSize(3);
        assertThat(TinyRun.evaluations(grown, "invert")).isEqualTo(9 * 2); // boots of the new token, 2 steps
    }

    @Test
    void aTraceNamesWhatWasLearntAndMakesTheImageAgain() throws IOException {
        String mixId =
                TinyRun.rows(run, "dataset/parquet", DatasetRow.class).get(0).mixId();
        Trace trace = Pipeline.trace(spark, config(input), run.toString(), mixId);
        assertThat(trace.lines()).anySatisfy(line -> assertThat(line)
                .matches("learnt     <.*> from 8 images, \\d vectors, in .*/learned_embeds\\.safetensors"));
        assertThat(trace.replay(Console.SILENT)).isTrue();
        assertThat(Files.readString(run.resolve("report.html"))).contains("What was learnt of the classes");
    }

    @Test
    void nullTextFindsItsEmbeddingsBesideTheToken() throws IOException {
        Path nullText = folder.resolve("null-text");
        RunConfig config = config(input, "inversion.method=null-text(2)");
        assertThat(summary(config, nullText, List.of(StageName.INVERT)).exitCode())
                .isEqualTo(ExitCode.DONE);
        assertThat(TinyRun.rows(nullText, "companions", CompanionRow.class))
                .hasSize(16)
                .allMatch(row -> row.prompt().startsWith("a photo of a <"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "adapt.vectors=20; adapt.vectors: expected room for them in the prompt of class 5-sandal",
                "adapt.batch=1000000; adapt.batch: expected memory for the backward pass of textual-inversion",
                "input.limit=1; adapt: expected two images of a class or more"
            })
    void whatCannotBeLearntIsRefusedByAPlanAndARun(String override, String problem) {
        RunConfig config =
                config(input, override, "mixing.0.inputs=1", "mixing.1.methods=nin/chm", "mixing.1.inputs=1");
        String refused = folder.resolve("refused").toString();
        List.<ThrowingCallable>of(
                        () -> Pipeline.plan(spark, config, refused), () -> Pipeline.run(spark, config, refused, ALL))
                .forEach(call -> assertThat(catchThrowableOfType(ConfigException.class, call)
                                .problems())
                        .anySatisfy(line -> assertThat(line).startsWith(problem)));
    }

    @Test
    void theStageAloneIsRefusedWhereNothingIsToBeLearnt() {
        assertThatThrownBy(() -> Pipeline.run(
                        spark,
                        TinyRun.config(input),
                        folder.resolve("none").toString(),
                        List.copyOf(EnumSet.of(StageName.ADAPT))))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("write adapt: {method: textual-inversion}");
    }
}
