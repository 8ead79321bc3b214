package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import latentmix.config.RunConfig;
import latentmix.plan.LoraTag;
import latentmix.table.GeneratedRow;
import latentmix.table.MixedRow;
import latentmix.table.PromptRow;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import latentmix.view.ViewServer;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mixtures of neighbours that draw a context and a guidance scale, beside others that draw none. */
class DrawnTest {
    private static final String PLAIN = "{name: plain, methods: nin/chm, inputs: 2, count: 2}";
    private static final String DRAWN = "{name: drawn, methods: [nin/chm, fix/0], inputs: 2, neighbours: 3, count: 4,"
            + " contexts: [in a forest, 'a print of {prompt}'], context_share: 0.5, guidance: [1, 3]}";
    private static final String[] BOTH = {"mixing=[" + PLAIN + ", " + DRAWN + "]"};

    @TempDir
    static Path folder;

    private static JavaSparkContext spark;
    private static Path input;
    private static Path run;
    private static List<MixedRow> mixed;
    private static long evaluations; // of generation

    @BeforeAll
    static void aRun() throws IOException {
        spark = TinyRun.spark(2);
        input = TinyRun.input(folder.resolve("in"), 6);
        run = folder.resolve("run");
        run(TinyRun.config(input, BOTH), run);
        mixed = TinyRun.rows(run, "mixed", MixedRow.class);
        evaluations = TinyRun.evaluations(run, "generate");
    }

    @AfterAll
    static void end() {
        spark.close();
    }

    private static void run(RunConfig config, Path run, StageName... stages) throws IOException {
        assertThat(Pipeline.run(
                        spark, config, run.toString(), List.of(stages.length == 0 ? StageName.values() : stages)))
                .isZero();
    }

    private static List<MixedRow> drawn(Path run) throws IOException {
        return TinyRun.rows(run, "mixed", MixedRow.class).stream()
                .filter(row -> !row.prompts().isEmpty())
                .toList();
    }

    @Test
    void everyMixtureHasAnImageOfWhatItDrew() throws IOException {
        assertThat(drawn(run)).hasSize(2 * 2 * 4).allSatisfy(row -> {
            assertThat(row.prompts().get(0)).isIn(row.prompt() + " in a forest", "a print of " + row.prompt());
            assertThat(row.prompts().get(1)).isEqualTo(row.prompt());
            assertThat(row.guidance().get(0)).isIn(1.0, 3.0);
        });
        assertThat(TinyRun.rows(run, "generated", GeneratedRow.class)).hasSize(2 * (2 + 2 * 4));
        assertThat(TinyRun.rows(run, "prompts", PromptRow.class))
                .extracting(PromptRow::text)
                .hasSize(2 * 3 + 1)
                .doesNotHaveDuplicates();
        long guided =
                drawn(run).stream().filter(row -> row.guidance().get(0) > 1).count();
        assertThat(evaluations).isEqualTo(4 * (2 * 2 * 2 + 16 + guided));
    }

    @Test
    void mixturesThatDrawNothingHaveTheBytesThatTheyHaveAlone() throws IOException {
        Path alone = folder.resolve("alone");
        run(TinyRun.config(input, "mixing=[" + PLAIN + "]"), alone);
        Map<String, String> tables = TinyRun.tables(alone);
        tables.keySet().removeIf(name -> !name.matches("(inverted|mixed|generated|settings)/.*"));
        assertThat(TinyRun.tables(run)).containsAllEntriesOf(tables);
    }

    @Test
    void aSecondRunComputesNothingAndOtherFilesOfTheSameRunHaveTheSameBytes() throws IOException {
        Map<String, String> before = TinyRun.tables(run);
        run(TinyRun.config(input, BOTH), run);
        assertThat(TinyRun.evaluations(run, "generate")).isZero();
        Path again = folder.resolve("again");
        run(TinyRun.config(input, BOTH), again);
        assertThat(TinyRun.tables(again)).isEqualTo(before);
    }

    @Test
    void aPlanKnowsWhatGuidanceWasDrawn() throws IOException {
        Path planned = folder.resolve("planned");
        RunConfig config = TinyRun.config(input, BOTH);
        run(config, planned, StageName.INVERT);
        assertThat(generate(config, planned)).isEqualTo(evaluations);
        run(config, planned, StageName.MIX);
        assertThat(generate(config, planned)).isEqualTo(evaluations);
    }

    private static long generate(RunConfig config, Path run) throws IOException {
        return Pipeline.plan(spark, config, run.toString()).stages().stream()
                .filter(stage -> stage.stage().equals("generate"))
                .findFirst()
                .orElseThrow()
                .networkEvaluations();
    }

    @Test
    void anAddedImageMakesOtherMixturesAndTheOldOnesStay() throws IOException {
        Path grown = TinyRun.copy(input, folder.resolve("grown"));
        TinyRun.copy(grown, "9-ankle-boot", 6, 7);
        Path more = TinyRun.copy(run, folder.resolve("more"));
        run(TinyRun.config(grown, BOTH), more);
        List<String> before = mixed.stream().map(MixedRow::mixId).toList();
        assertThat(TinyRun.rows(more, "mixed", MixedRow.class))
                .extracting(MixedRow::mixId)
                .hasSize(before.size() + 2 + 8)
                .containsAll(before)
                .doesNotHaveDuplicates();
        Map<String, String> tables = TinyRun.tables(run);
        tables.keySet().removeIf(name -> !name.startsWith("mixed/"));
        assertThat(TinyRun.tables(more)).containsAllEntriesOf(tables);
    }

    @Test
    void aTraceAPageAndTheDatasetsCardSayWhatIsDrawn() throws IOException {
        assertThat(Files.readString(run.resolve("dataset/README.md")))
                .contains("weights dirichlet(1), drawn among the 3 nearest of the first, in one of the contexts in a"
                        + " forest; a print of {prompt} for 0.5 of the steps, at one of the guidances 1, 3, ");
        MixedRow row = drawn(run).get(0);
        assertThat(Pipeline.trace(spark, TinyRun.config(input, BOTH), run.toString(), row.mixId())
                        .lines())
                .contains(
                        "prompt     " + row.prompt(),
                        "told       0.50 of the steps: " + row.prompts().get(0),
                        "guidance   " + row.guidance().get(0));
        RunFolder looked = new RunFolder(run.toString(), new Configuration(false));
        try (ViewServer server = ViewServer.start(looked, new ViewServer.Terms("127.0.0.1", 0, ViewServer.Mode.LOOK))) {
            URI page = URI.create(server.address() + "api/image?class=" + row.classId() + "&id=" + row.mixId());
            JsonNode details =
                    new ObjectMapper().readTree(page.toURL().openStream()).get("details");
            assertThat(details.get("prompt").asText()).isEqualTo(row.prompts().get(0) + "; then " + row.prompt());
            assertThat(details.get("recipe").asText())
                    .contains("guidance: " + row.guidance().get(0));
        }
    }

    /** The token and the LoRA of a class tell its contexts, too. A context that is new learns nothing again. */
    @Test
    void anAdaptedClassIsToldItsTokenAndItsLoraInEveryContext() throws IOException {
        Path adapted = folder.resolve("adapted");
        String[] adapt = {
            "adapt={method: both, steps: 2, batch: 2, rank: 2, vectors: 1}", "generation.steps=2", "inversion.steps=2"
        };
        RunConfig plain = TinyRun.config(
                input,
                Stream.concat(Stream.of("mixing=[" + PLAIN + "]"), Stream.of(adapt))
                        .toArray(String[]::new));
        RunConfig both = TinyRun.config(
                input, Stream.concat(Stream.of(BOTH), Stream.of(adapt)).toArray(String[]::new));
        run(plain, adapted);
        run(both, adapted);
        assertThat(TinyRun.evaluations(adapted, "adapt")).isZero();
        assertThat(drawn(adapted)).hasSize(2 * 2 * 4).allSatisfy(row -> {
            assertThat(LoraTag.adapter(row.prompts().get(0))).isEqualTo(LoraTag.adapter(row.prompt()));
            assertThat(row.prompts().get(0)).contains("<" + row.classId());
        });
        Path once = folder.resolve("once");
        run(both, once);
        Map<String, String> expected = TinyRun.tables(once);
        expected.keySet().removeIf(name -> !name.matches("(prompts|generated|adapters)/.*"));
        assertThat(TinyRun.tables(adapted)).containsAllEntriesOf(expected);
    }

    @Test
    void tooLongAContextIsRefusedBesideATokenBeforeAnythingIsLearnt() {
        RunConfig config = TinyRun.config(
                input, "adapt={steps: 2}", "mixing=[{inputs: 2, contexts: ['" + "of a coat ".repeat(9) + "']}]");
        assertThatThrownBy(() -> run(config, folder.resolve("long")))
                .hasMessageContaining("shorten prompt.template or mixing.contexts");
    }
}
