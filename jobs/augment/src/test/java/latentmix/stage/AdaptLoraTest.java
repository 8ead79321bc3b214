package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.report.RunSummary;
import latentmix.report.StageLeft;
import latentmix.table.AdapterRow;
import latentmix.table.CompanionRow;
import latentmix.table.DatasetRow;
import latentmix.table.GeneratedRow;
import latentmix.table.InvertedRow;
import latentmix.table.MixedTable;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** LoRAs learnt in tiny runs of the built-in model, alone and beside a token. */
class AdaptLoraTest {
    private static final List<StageName> ALL = List.of(StageName.values());
    private static final long EVALUATIONS = 4 * 3 + 2 * 64; // of a class
    private static final String SANDAL = TinyRun.CLASSES.get(0);
    private static final String BOOT = TinyRun.CLASSES.get(1);

    @TempDir
    static Path folder;

    private static Path input;
    private static Path run;
    private static JavaSparkContext spark;
    private static List<StageLeft> planned;

    @BeforeAll
    static void aRunWhoseClassesShareADevice() throws IOException {
        input = TinyRun.input(folder.resolve("in"), 6);
        run = folder.resolve("run");
        spark = TinyRun.spark(2);
        planned = Pipeline.plan(spark, config(input), run.toString()).stages();
        assertThat(summary(config(input), run, ALL).exitCode()).isEqualTo(ExitCode.DONE);
    }

    @AfterAll
    static void end() {
        spark.close();
    }

    private static RunConfig plain(Path input, String... more) {
        return TinyRun.config(
                input,
                Stream.concat(
                                Stream.of("mixing.1.inputs=2", "generation.steps=2", "inversion.steps=2"),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    /** A high rate, so that few steps are seen. */
    private static RunConfig config(Path input, String... more) {
        return plain(
                input,
                Stream.concat(
                                Stream.of("adapt={method: lora, rank: 2, alpha: 4, lora_learning_rate: 0.01, steps: 4,"
                                        + " batch: 3, prompt_dropout: 0.2}"),
                                Stream.of(more))
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
        return of.resolve("adapted/" + row.classId() + "/" + row.adapterId() + "/pytorch_lora_weights.safetensors");
    }

    @Test
    void aClassesPromptTellsItsLoraFromTheInversionToTheDataset() throws IOException {
        Map<String, AdapterRow> adapters = adapters(run);
        assertThat(adapters.keySet()).containsExactly(SANDAL, BOOT);
        adapters.values().forEach(row -> {
            assertThat(row.prompt()).isEqualTo("a photo of a " + row.className() + " <lora:" + row.adapterId() + ">");
            assertThat(row.token()).isEmpty();
            assertThat(row.rank()).isEqualTo(2);
            assertThat(row.losses()).hasSize(4);
            assertThat(row.loss()).isPositive().isNotEqualTo(row.plainLoss());
            assertThat(learnt(run, row)).exists();
        });
        TinyRun.rows(run, "inverted", InvertedRow.class).forEach(row -> assertThat(row.prompt())
                .isEqualTo(adapters.get(row.classId()).prompt()));
        assertThat(TinyRun.rows(run, "mixed", MixedTable.Trail.class).stream()
                        .map(MixedTable.Trail::prompt)
                        .collect(Collectors.toSet()))
                .isEqualTo(adapters.values().stream().map(AdapterRow::prompt).collect(Collectors.toSet()));
        assertThat(Files.readString(run.resolve("dataset/README.md")))
                .contains("a LoRA of rank 2 learnt of its images at the rate 0.01, 4 steps of 3 images");
        assertThat(Files.readString(run.resolve("report.html")))
                .contains("LoRA of rank 2")
                .contains("<polyline");
        assertThat(planned.get(0)).isEqualTo(new StageLeft("adapt", 2, 2, 2 * EVALUATIONS));
        assertThat(TinyRun.evaluations(run, "adapt")).isEqualTo(2 * EVALUATIONS);
    }

    /**
     * The other class's task ran beside it on the same network, or did not run at all: a class's LoRA, inversions and
     * images are the same bytes.
     */
    @Test
    void aClassIsLearntInvertedAndMadeAsIfItWereAlone() throws IOException {
        Path alone = folder.resolve("alone");
        assertThat(summary(config(input).of(BOOT), alone, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        Map<String, String> whole = TinyRun.tables(run);
        Map<String, String> boots = TinyRun.tables(alone);
        boots.keySet().removeIf(file -> !file.matches("(adapt|inverted|mixed|generated).*" + BOOT + ".*"));
        assertThat(boots).hasSizeGreaterThan(6);
        boots.forEach((file, hash) -> assertThat(whole).containsEntry(file, hash));
    }

    /** Inverted and made with the file merged into the weights, as anyone may load it. */
    @Test
    void theFileMergedIntoTheCheckpointDoesTheSame() throws IOException {
        AdapterRow boot = adapters(run).get(BOOT);
        Path merged = folder.resolve("merged");
        RunConfig config = plain(input, "model.loras=[{file: '" + learnt(run, boot) + "', scale: 1}]")
                .of(BOOT);
        assertThat(summary(config, merged, List.of(StageName.INVERT)).exitCode())
                .isEqualTo(ExitCode.DONE);
        Path without = folder.resolve("without");
        assertThat(summary(plain(input).of(BOOT), without, List.of(StageName.INVERT))
                        .exitCode())
                .isEqualTo(ExitCode.DONE);
        Map<String, float[]> adapted = latents(run);
        double own = 0;
        double other = 0;
        for (Map.Entry<String, float[]> image : latents(merged).entrySet()) {
            own = Math.max(own, difference(adapted.get(image.getKey()), image.getValue()));
            other = Math.max(other, difference(latents(without).get(image.getKey()), image.getValue()));
        }
        assertThat(own).isLessThan(1e-3);
        assertThat(other).isGreaterThan(10 * own).isGreaterThan(1e-2);
    }

    private static Map<String, float[]> latents(Path of) throws IOException {
        return TinyRun.rows(of, "inverted", InvertedRow.class).stream()
                .filter(row -> row.classId().equals(BOOT))
                .collect(Collectors.toMap(
                        InvertedRow::imageId, row -> row.latent().latent().toFloats()));
    }

    private static double difference(float[] some, float[] others) {
        double most = 0;
        for (int i = 0; i < some.length; i++) {
            most = Math.max(most, Math.abs(some[i] - others[i]));
        }
        return most;
    }

    /** A run without adapt in the same folder makes rows of its own, and takes none away. */
    @Test
    void whatIsMadeWithALoraHasIdsOfItsOwn() throws IOException {
        Path both = TinyRun.copy(run, folder.resolve("both-ways"));
        Map<String, String> before = TinyRun.tables(both);
        assertThat(summary(plain(input), both, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        assertThat(TinyRun.evaluations(both, "invert")).isEqualTo(2 * 6 * 2);
        Map<String, String> after = TinyRun.tables(both);
        for (String table : List.of("inverted", "mixed", "generated")) {
            before.keySet().stream().filter(file -> file.startsWith(table)).forEach(file -> assertThat(after)
                    .containsEntry(file, before.get(file)));
            assertThat(after.keySet().stream().filter(file -> file.startsWith(table)))
                    .hasSize(2
                            * (int) before.keySet().stream()
                                    .filter(file -> file.startsWith(table))
                                    .count());
        }
        assertThat(TinyRun.rows(both, "generated", GeneratedRow.class).stream()
                        .map(GeneratedRow::mixId)
                        .distinct())
                .hasSize(TinyRun.rows(both, "generated", GeneratedRow.class).size());
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
            Files.delete(AdaptTest.prompts(killed).get(boot.prompt()));
        }
        if (row) {
            Files.delete(killed.resolve("adapters/class_id=" + BOOT + "/" + boot.adapterId() + ".parquet"));
        }
        assertThat(summary(config(input), killed, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        TinyRun.assertSameTables(killed, run);
        assertThat(TinyRun.evaluations(killed, "adapt")).isEqualTo(row ? EVALUATIONS : 0);
        assertThat(TinyRun.evaluations(killed, "invert")).isZero();
    }

    @Test
    void aTokenAndALoraAreLearntAtOnceAndTheImageIsMadeAgain() throws IOException {
        Path both = folder.resolve("both");
        RunConfig config = config(input, "adapt.method=both", "adapt.vectors=2", "adapt.learning_rate=0.01");
        assertThat(summary(config, both, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        adapters(both).values().forEach(row -> {
            assertThat(row.prompt())
                    .isEqualTo("a photo of a " + row.token() + " <lora:" + row.adapterId() + ">")
                    .matches(".*<(5-sandal|9-ankle-boot)-[0-9a-f]{8}> .*");
            assertThat(learnt(both, row)).exists();
            assertThat(AdaptTest.learnt(both, row)).exists();
        });
        String mixId =
                TinyRun.rows(both, "dataset/parquet", DatasetRow.class).get(0).mixId();
        Trace trace = Pipeline.trace(spark, config, both.toString(), mixId);
        assertThat(trace.lines()).anySatisfy(line -> assertThat(line)
                .matches("learnt     <.*> from 6 images, 2 vectors, LoRA of rank 2, in .*learned_embeds.safetensors"
                        + " and .*pytorch_lora_weights.safetensors"));
        assertThat(trace.replay(Console.SILENT)).isTrue();
    }

    private static RunConfig shared(String... more) {
        return config(
                input,
                Stream.concat(Stream.of("adapt.scope=dataset"), Stream.of(more)).toArray(String[]::new));
    }

    /** One task learns both classes: one LoRA, which lies in one place, and which both classes' prompts tell. */
    @Test
    void classesMayShareALora() throws IOException {
        Path dataset = folder.resolve("dataset");
        assertThat(Pipeline.plan(spark, shared(), dataset.toString()).stages().get(0))
                .isEqualTo(new StageLeft("adapt", 1, 2, EVALUATIONS));
        assertThat(summary(shared(), dataset, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        assertThat(TinyRun.evaluations(dataset, "adapt")).isEqualTo(EVALUATIONS);
        Map<String, AdapterRow> adapters = adapters(dataset);
        AdapterRow both = adapters.remove("");
        assertThat(both.images()).isEqualTo(12);
        assertThat(both.lora()).isNotEmpty();
        assertThat(adapters.keySet()).containsExactly(SANDAL, BOOT);
        adapters.values().forEach(row -> {
            assertThat(row.adapterId()).isEqualTo(both.adapterId());
            assertThat(row.prompt()).isEqualTo("a photo of a " + row.className() + " <lora:" + both.adapterId() + ">");
            assertThat(row.lora()).isEmpty();
            assertThat(row.losses()).isEqualTo(both.losses()).hasSize(4);
        });
        assertThat(sharedFile(dataset, both)).exists();
        assertThat(Files.readString(dataset.resolve("dataset/README.md")))
                .contains("a LoRA of rank 2 learnt of the images of all classes at the rate 0.01");
        assertThat(Files.readString(dataset.resolve("report.html"))).contains("LoRA of rank 2");
        String mixId = TinyRun.rows(dataset, "dataset/parquet", DatasetRow.class)
                .get(0)
                .mixId();
        Trace trace = Pipeline.trace(spark, shared(), dataset.toString(), mixId);
        assertThat(trace.lines()).anySatisfy(line -> assertThat(line)
                .contains("LoRA of rank 2, in " + sharedFile(dataset, both).getParent()));
        assertThat(catchThrowableOfType(ConfigException.class, () -> trace.replay(Console.SILENT)))
                .hasMessageContaining(
                        "has a LoRA that is learnt of all classes; run the configuration in a new folder");
        AdapterRow own = adapters(run).get(BOOT);
        assertThat(latents(dataset).values().iterator().next())
                .isNotEqualTo(latents(run).values().iterator().next());
        assertThat(own.adapterId()).isNotEqualTo(both.adapterId());
        killedBeforeTheLoraOfAllWasThere(dataset, both);
    }

    /** The classes' rows are there, and what vouches for them is not. */
    private static void killedBeforeTheLoraOfAllWasThere(Path dataset, AdapterRow both) throws IOException {
        Path killed = TinyRun.copy(dataset, folder.resolve("killed-shared"));
        Files.delete(sharedFile(killed, both));
        Files.delete(killed.resolve("adapters/class_id=__HIVE_DEFAULT_PARTITION__/" + both.adapterId() + ".parquet"));
        assertThat(summary(shared(), killed, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        TinyRun.assertSameTables(killed, dataset);
        assertThat(TinyRun.evaluations(killed, "invert")).isZero();
        Files.delete(AdaptTest.prompts(killed).get(adapters(killed).get(BOOT).prompt()));
        assertThat(summary(shared(), killed, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        TinyRun.assertSameTables(killed, dataset);
        assertThat(TinyRun.evaluations(killed, "adapt")).isZero();
    }

    private static Path sharedFile(Path of, AdapterRow row) {
        return of.resolve(
                "adapted/__HIVE_DEFAULT_PARTITION__/" + row.adapterId() + "/pytorch_lora_weights.safetensors");
    }

    /** As Diff-Mix does: a token of each class beside the LoRA of all, and mixtures whose prompts are summed. */
    @Test
    void classesShareALoraAndHaveATokenEach() throws IOException {
        Path tokens = folder.resolve("tokens");
        RunConfig config = shared(
                "adapt.method=both",
                "adapt.vectors=1",
                "adapt.learning_rate=0.01",
                "prompt.mixture=mix",
                "mixing.0.across=classes",
                "mixing.0.inputs=2",
                "export.soft_labels=heaviest");
        assertThat(summary(config, tokens, ALL).exitCode()).isEqualTo(ExitCode.DONE);
        Map<String, AdapterRow> adapters = adapters(tokens);
        AdapterRow both = adapters.remove("");
        assertThat(adapters.values()).hasSize(2).allSatisfy(row -> {
            assertThat(row.prompt()).isEqualTo("a photo of a " + row.token() + " <lora:" + both.adapterId() + ">");
            assertThat(AdaptTest.learnt(tokens, row)).exists();
        });
        assertThat(adapters.get(BOOT).clipL()).isNotEqualTo(adapters.get(SANDAL).clipL());
    }

    /** One image of a class is too few to learn what its images share, and enough beside the other class's. */
    @Test
    void aClassOfOneImageMayShareALora() throws IOException {
        assertThat(summary(
                                shared(
                                        "input.limit=1",
                                        "mixing.0.inputs=1",
                                        "mixing.1.methods=nin/chm",
                                        "mixing.1.inputs=1"),
                                folder.resolve("one"),
                                List.of(StageName.INVERT))
                        .exitCode())
                .isEqualTo(ExitCode.DONE);
    }

    @Test
    void nullTextFindsItsEmbeddingsWithTheLora() throws IOException {
        Path nullText = folder.resolve("null-text");
        RunConfig config = config(input, "inversion.method=null-text(2)").of(BOOT);
        assertThat(summary(config, nullText, List.of(StageName.INVERT)).exitCode())
                .isEqualTo(ExitCode.DONE);
        assertThat(TinyRun.rows(nullText, "companions", CompanionRow.class))
                .hasSize(6)
                .allMatch(row -> row.prompt().contains("<lora:"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "adapt.batch=1000000; adapt.batch: expected memory for the backward pass of lora",
                "input.limit=1; adapt: expected two images of a class or more"
            })
    void whatCannotBeLearntIsRefusedBeforehand(String override, String problem) {
        RunConfig config =
                config(input, override, "mixing.0.inputs=1", "mixing.1.methods=nin/chm", "mixing.1.inputs=1");
        assertThat(catchThrowableOfType(
                                ConfigException.class,
                                () -> Pipeline.run(
                                        spark, config, folder.resolve("refused").toString(), ALL))
                        .problems())
                .anySatisfy(line -> assertThat(line).startsWith(problem));
    }
}
