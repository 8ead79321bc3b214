package latentmix.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import latentmix.Repository;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference and the JSON Schema say what the declarations of keys say. */
class RunReferenceTest {
    private static final String LEAST = "input: {root: images}\nmodel: {checkpoint: \"builtin:fashion\"}\n";

    private static final String INTRODUCTION =
            """
            # Configuration

            This page lists every key of a run's configuration. It is written from the code that checks the file.
            [Studies and trainings](configuration-research.md) have files of their own.

            A configuration is a YAML file:

                ./latentmix run --config conf/sd15.yaml --run runs/birds --set input.root=/data/birds

            * Only `input.root` and `model.checkpoint` must be there. Every other key may be left out.
            * `null` as a value is the same as leaving the key out, but for `model.text_encoder_3`.
            * `--set KEY=VALUE` replaces one value. The value is YAML: `--set 'inversion.method=fixed-point(5)'`.
            * `--set mixing.0.count=5` changes the first entry of `mixing`. `--set mixing.count=5` changes all.
            * A location is a path or `s3a://bucket/…`; images and models may also be built in, `builtin:…`. It
              holds no credentials.
            * Everything wrong with a file is reported at once, with exit code 2, before a model runs. A misspelt key or
              word is answered by the nearest right one.
            * Some keys [must fit each other](concepts.md#settings-that-must-fit-each-other).

            The shipped files begin with a line for editors such as VS Code, which then complete and check the keys:

                # yaml-language-server: $schema=latentmix.schema.json

            """;

    static Stream<Path> shipped() throws IOException {
        try (Stream<Path> files = Files.list(Repository.file("conf"))) {
            return files.filter(file -> file.toString().endsWith(".yaml")).toList().stream();
        }
    }

    @Test
    void theReferenceIsFresh() throws IOException {
        Written.isFresh("docs/configuration.md", INTRODUCTION + ReferenceWriter.sections(RunKeys.RUN, "##"));
    }

    @Test
    void theSchemaIsFresh() throws IOException {
        Written.isFresh("conf/latentmix.schema.json", SchemaWriter.schema(RunKeys.RUN));
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void everyShippedFileNamesTheSchemaAndKeepsIt(Path file) throws IOException {
        assertThat(Schemas.problems(file)).isEmpty();
    }

    @Test
    void everyKeysExampleIsRightTogetherWithTheOthers() {
        String plain = ReferenceWriter.example(RunKeys.RUN.without(RunKeys.ADAPT));
        String adapting = ReferenceWriter.example(RunKeys.RUN.without(RunKeys.PROMPT)); // whose examples have no token
        assertThat(ConfigFile.parse(plain, "examples", List.of()).mixing()).hasSize(1);
        assertThat(ConfigFile.parse(adapting, "examples", List.of()).adapt()).isPresent();
        assertThat(refused(ReferenceWriter.example(RunKeys.RUN))).isEmpty();
    }

    @Test
    void whatMayBeLeftOutMayAlsoBeNull() {
        assertThat(refused(LEAST + "evaluation: null\nprompt: {classes: null, template: null}\nmixing: null"))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "runn: {}",
                "run: {seed: 1.5}",
                "run: {max_rejected: 1.5}",
                "run: 3",
                "generation: {steps: 0}",
                "generation: {stepps: 5}",
                "generation: {guidance: much}",
                "generation: {guidance_interval: [1]}",
                "generation: {solver: heun}",
                "inversion: {method: dpm-solver++(2m)}",
                "inversion: {dtype: float8}",
                "mixing: [{methods: nim/chm}]",
                "mixing: [{methods: [fix/0, fix/0]}]",
                "mixing: [{inputs: many}]",
                "mixing: [{weights: dirichlet}]",
                "mixing: [{gate: maybe}]",
                "mixing: [{pool: some}]",
                "mixing: [{count: 0}]",
                "mixing: [{count: balanced}]",
                "mixing: [{count: {}}]",
                "mixing: [{count: {to: 1.5}}]",
                "mixing: [{count: {ratio: 0}}]",
                "mixing: [{count: {ratio: five}}]",
                "mixing: [{count: {wren: -1}}]",
                "mixing: [{count: {wren: 3, ratio: 0.5}}]",
                "mixing: [{name: a b}]",
                "mixing: [{export: 3}]",
                "mixing: {}",
                "evaluation: {inception: {file: a.pt, sha256: abc}}",
                "evaluation: {inception: {file: a.pt}}",
                "evaluation: {clip: builtin:clip}"
            })
    void whatARunRefusesTheSchemaRefuses(String wrong) {
        assertThat(refused(LEAST + wrong)).isNotEmpty();
        assertThat(catchThrowable(() -> ConfigFile.parse(LEAST + wrong, "test", List.of())))
                .isInstanceOf(ConfigException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"variant: a.b", "vae: 'builtin:nothing'", "scheduler: ddim", "text_encoder_3: none"})
    void whatARunRefusesOfACheckpointTheSchemaRefuses(String wrong) {
        String yaml = "input: {root: images}\nmodel: {checkpoint: a, " + wrong + "}\n";
        assertThat(refused(yaml)).isNotEmpty();
        assertThatThrownBy(() -> ConfigFile.parse(yaml, "test", List.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("model." + wrong.replaceAll(":.*", "") + ": expected ")
                .hasMessageNotContaining("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"5", "balance", "{to: 1300}", "{ratio: 0.5}", "{wren: 20, robin: 0, default: 5}"})
    void everyFormOfACountIsTakenByARunAndTheSchema(String count) {
        String yaml = LEAST + "mixing: [{count: " + count + "}]";
        assertThat(refused(yaml)).isEmpty();
        RunConfig.Mixing entry =
                ConfigFile.parse(yaml, "test", List.of()).mixing().get(0);
        assertThat(entry.count()).hasToString(count);
    }

    @Test
    void imagesAndCheckpointAreRequired() {
        assertThat(refused("model: {checkpoint: a}")).isNotEmpty();
        assertThat(refused("input: {}\nmodel: {checkpoint: a}")).isNotEmpty();
    }

    private static List<String> refused(String yaml) {
        JsonSchema schema =
                JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V7).getSchema(SchemaWriter.schema(RunKeys.RUN));
        return schema.validate(SchemaWriter.yaml(yaml)).stream()
                .map(Object::toString)
                .toList();
    }
}
