package latentmix.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import latentmix.stage.TinyRun;
import latentmix.table.DatasetRow;
import latentmix.table.RunFolder;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pages of a run of the built-in model on 2 classes of 8 images, each of which learns a token. */
class ViewedRunTest {
    private static final String CLASS = "5-sandal";
    private static final String BOOT = "9-ankle-boot";

    static final String YAML =
            """
            input: {root: replaced}
            model: {checkpoint: "builtin:fashion", batch: 4}
            run: {chunk: 4}
            inversion: {steps: 4}
            generation: {steps: 4, guidance: 2}
            mixing:
              - {name: dataset, methods: nin/chm, inputs: 3, weights: dirichlet(1), count: 6, export: true}
              - {name: comparison, methods: [lin/0, fix/cmm], inputs: 2, weights: equal, count: 1, export: false}
            """;

    @TempDir
    static Path folder;

    private static Path config;
    private static Path input;
    private static Path run;
    private static ViewServer server;
    private static Browser browser;

    @BeforeAll
    static void serve() throws IOException {
        config = Files.writeString(
                folder.resolve("tiny.yaml"),
                YAML.replace("export: false", "export: false, contexts: big, context_share: 0.5, guidance: [2, 3]")
                        + "adapt: {method: both, steps: 2, batch: 2}\n");
        input = TinyRun.input(folder.resolve("in"), 8);
        run = folder.resolve("run");
        assertThat(TinyRun.run(2, config, input, run)).isZero();
        server = server();
        browser = new Browser(server.address());
    }

    private static ViewServer server() throws IOException {
        return ViewServer.start(
                new RunFolder(run.toString(), new Configuration(false)),
                new ViewServer.Terms("127.0.0.1", 0, ViewServer.Mode.EDIT));
    }

    @AfterAll
    static void close() {
        server.close();
    }

    /** All of a class's pictures, once they are read. */
    private static List<JsonNode> pictures(Browser of, Map<String, ?> query) throws IOException {
        JsonNode page;
        do {
            page = of.json("api/class", query);
        } while (page.get("read").asInt() < page.get("of").asInt());
        List<JsonNode> pictures = new ArrayList<>();
        page.get("shown").forEach(pictures::add);
        return pictures;
    }

    private static List<String> ids(List<JsonNode> pictures) {
        return pictures.stream()
                .map(shown -> shown.get("picture").get("id").asText())
                .toList();
    }

    @Test
    void aClassHasItsRealImagesAndItsMixturesSiftedAndSorted() throws IOException {
        assertThat(pictures(browser, Map.of("id", CLASS))).hasSize(8 + 6 + 2);
        assertThat(pictures(browser, Map.of("id", CLASS, "kind", "real"))).hasSize(8);
        assertThat(pictures(browser, Map.of("id", CLASS, "method", "nin/chm"))).hasSize(6);
        assertThat(pictures(browser, Map.of("id", CLASS, "inputs", "2"))).hasSize(2);
        List<JsonNode> sorted =
                pictures(browser, Map.of("id", CLASS, "kind", "made", "sort", "entropy", "order", "down"));
        List<Double> entropies = sorted.stream()
                .map(shown -> shown.get("picture")
                        .get("scores")
                        .get(Score.ENTROPY.at())
                        .asDouble())
                .toList();
        assertThat(entropies).isSortedAccordingTo((a, b) -> Double.compare(b, a));
        List<JsonNode> inside = pictures(
                browser, Map.of("id", CLASS, "kind", "made", "verdict", "inside", "least.entropy", entropies.get(2)));
        assertThat(ids(inside)).containsExactlyInAnyOrderElementsOf(ids(sorted.subList(0, 3)));
    }

    @Test
    void anImageSaysWhatItWasMadeOf() throws IOException {
        String id =
                ids(pictures(browser, Map.of("id", CLASS, "method", "nin/chm"))).get(0);
        JsonNode details =
                browser.json("api/image", Map.of("class", CLASS, "id", id)).get("details");
        assertThat(details.get("inputs")).hasSize(3);
        double sum = 0;
        for (JsonNode one : details.get("inputs")) {
            sum += one.get("weight").asDouble();
            assertThat(input.resolve(one.get("path").asText())).exists();
        }
        assertThat(sum).isCloseTo(1, offset(1e-9));
        assertThat(details.get("recipe").asText())
                .contains("method: \"nin/chm\"", "mix_id: \"" + id + "\"", "seed:", "guidance: 2.0");
        assertThat(browser.json("api/nearest", Map.of("class", CLASS, "id", id)))
                .hasSize(4);
    }

    @Test
    void aClassIsToldTheTokenAndTheLoraThatItHasLearnt() throws IOException {
        String id =
                ids(pictures(browser, Map.of("id", CLASS, "method", "nin/chm"))).get(0);
        assertThat(browser.json("api/image", Map.of("class", CLASS, "id", id))
                        .get("details")
                        .get("prompt")
                        .asText())
                .matches("a photo of a <5-sandal-[0-9a-f]{8}> <lora:[0-9a-f]{32}>");
        JsonNode own = mixed("nin/chm", CLASS, CLASS).get("mixture");
        JsonNode other = mixed("nin/chm", BOOT, CLASS).get("mixture");
        assertThat(other.get("norm")).isEqualTo(own.get("norm"));
        assertThat(other.get("png")).isNotEqualTo(own.get("png"));
    }

    @Test
    void anImageIsMadeAgainToTheSameBytes() throws Exception {
        List<JsonNode> some = new ArrayList<>(
                pictures(browser, Map.of("id", CLASS, "kind", "made")).subList(4, 6));
        some.addAll(pictures(browser, Map.of("id", CLASS, "method", "lin/0"))); // which is told a context
        for (JsonNode shown : some) {
            Map<String, String> named = Map.of(
                    "classId", CLASS, "id", shown.get("picture").get("id").asText());
            JsonNode state = browser.post("api/again", named);
            while (state.get("state").asText().equals("going")) {
                Thread.sleep(100);
                state = browser.post("api/again", named);
            }
            assertThat(state.get("words").asText()).contains("The same bytes", "mixed anew");
        }
    }

    /** The first images of these classes, mixed, as the prompt of a class has it. */
    private static JsonNode mixed(String method, String prompt, String... classes) throws IOException {
        List<Map<String, Object>> inputs = new ArrayList<>();
        for (String of : classes) {
            for (String id : ids(pictures(browser, Map.of("id", of, "kind", "real", "count", 3)))) {
                inputs.add(Map.of("classId", of, "id", id, "weight", 1));
            }
        }
        return browser.post(
                "api/mix",
                Map.of(
                        "client",
                        "test",
                        "inputs",
                        inputs,
                        "prompt",
                        prompt,
                        "method",
                        method,
                        "steps",
                        4,
                        "guidance",
                        2));
    }

    @Test
    void thePlaygroundMixesBesideThePlainAverage() throws IOException {
        JsonNode plain = mixed("lin/0", CLASS, CLASS);
        for (String of : List.of("norm", "channelMeans", "latent")) { // rows of a batch may round otherwise
            assertThat(plain.get("mixture").get(of))
                    .as(of)
                    .isNotNull()
                    .isEqualTo(plain.get("plain").get(of));
        }
        assertThat(plain.get("ess").asDouble()).isCloseTo(3, offset(1e-9));
        JsonNode restored = mixed("fix/0", CLASS, CLASS);
        assertThat(restored.get("mixture").get("norm").asDouble()).isCloseTo(1, offset(1e-6));
        assertThat(restored.get("plain").get("norm").asDouble()).isLessThan(0.9);
        assertThat(restored.get("mixture").get("png"))
                .isNotEqualTo(plain.get("mixture").get("png"));
        assertThat(mixed("fix/cmm", CLASS, CLASS).get("mixture").get("channelMeans"))
                .hasSize(4);
        assertThat(mixed("nin/chm", CLASS, CLASS, BOOT).get("ess").asDouble()).isCloseTo(6, offset(1e-9));
        assertThat(mixed("nin/none", CLASS, CLASS).get("error").asText()).contains("its split must be one of");
        assertThat(mixed("nin/chm", CLASS).get("error").asText()).contains("1 to 64 images");
    }

    /** The mix ids of a run's dataset's images of the class. */
    static Set<String> dataset(Path run) throws IOException {
        return TinyRun.rows(run, "dataset/parquet", DatasetRow.class).stream()
                .filter(row -> row.className().equals(CLASS))
                .map(DatasetRow::mixId)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void decide(Browser of, String decision, String... ids) throws IOException {
        assertThat(of.post("api/decide", Map.of("classId", CLASS, "ids", ids, "decision", decision))
                        .has("error"))
                .isFalse();
    }

    private static JsonNode decideAll(String decision, int count, Map<String, ?> query) throws IOException {
        return browser.post(
                "api/decide-all", Map.of("classId", CLASS, "query", query, "count", count, "decision", decision));
    }

    @Test
    void allThatAFilterShowsIsDecidedAndTakenBackAtOnce() throws IOException {
        List<JsonNode> made = pictures(browser, Map.of("id", CLASS, "kind", "made", "sort", "entropy"));
        String limit =
                made.get(5).get("picture").get("scores").get(Score.ENTROPY.at()).asText();
        Map<String, String> below = Map.of("verdict", "outside", "least.entropy", limit);
        decide(browser, "keep", ids(made).get(0));

        assertThat(decideAll("drop", 4, below).get("error").asText()).contains("5 images now, not of 4");
        assertThat(decideAll("throw away", 5, below).get("error").asText()).contains("keep, drop or neither");
        assertThat(decideAll("drop", 5, below).get("decided").asInt()).isEqualTo(5);

        List<JsonNode> decided = pictures(browser, Map.of("id", CLASS, "verdict", "by hand"));
        assertThat(ids(decided)).containsExactlyInAnyOrderElementsOf(ids(made.subList(0, 5)));
        assertThat(decided).allMatch(shown -> shown.get("byHand").asText().equals("drop"));
        assertThat(browser.post("api/undo", Map.of()).get("ids")).hasSize(5);
        assertThat(ids(pictures(browser, Map.of("id", CLASS, "verdict", "by hand"))))
                .containsExactly(ids(made).get(0));
        decideAll("", 8, Map.of("kind", "made"));
        assertThat(pictures(browser, Map.of("id", CLASS, "verdict", "by hand"))).isEmpty();
        assertThat(browser.json("api/overview", Map.of()).get("byHand")).isEmpty();
    }

    @Test
    void whatAPersonDecidesOutlivesTheServerAndRunsAndIsExported() throws IOException {
        Set<String> before = dataset(run);
        List<String> asked = ids(pictures(browser, Map.of("id", CLASS, "method", "nin/chm")));
        assertThat(before).containsExactlyInAnyOrderElementsOf(asked);
        String dropped = asked.get(2);
        String taken =
                ids(pictures(browser, Map.of("id", CLASS, "method", "lin/0"))).get(0);
        decide(browser, "drop", dropped);
        decide(browser, "keep", taken);
        decide(browser, "drop", asked.get(0));
        assertThat(browser.post("api/undo", Map.of()).get("ids").get(0).asText())
                .isEqualTo(asked.get(0));

        assertThat(TinyRun.run(2, config, input, run)).isZero();

        Set<String> expected = new TreeSet<>(before);
        expected.remove(dropped);
        expected.add(taken);
        assertThat(dataset(run)).isEqualTo(expected);
        assertThat(Files.readString(run.resolve("dataset/README.md")))
                .contains("1 were dropped and 1 were kept by hand");
        try (ViewServer other = server()) {
            Browser later = new Browser(other.address());
            List<JsonNode> decided = pictures(later, Map.of("id", CLASS, "verdict", "by hand"));
            assertThat(ids(decided)).containsExactlyInAnyOrder(dropped, taken);
            assertThat(new String(later.get("curated.csv").body(), StandardCharsets.UTF_8))
                    .contains(
                            "class_id,mix_id,decision\n",
                            CLASS + "," + dropped + ",drop\n",
                            CLASS + "," + taken + ",keep\n");
            decide(later, "", dropped, taken);
        }

        assertThat(TinyRun.run(2, config, input, run)).isZero();
        assertThat(dataset(run)).isEqualTo(before);
    }
}
