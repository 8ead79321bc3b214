package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import latentmix.Repository;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.config.Spelled;
import latentmix.latent.Gate;
import latentmix.latent.InputCount;
import latentmix.latent.Method;
import latentmix.latent.Recipe;
import latentmix.latent.WeightSampler;
import latentmix.study.StudyConfig.Axis;
import latentmix.study.StudyConfig.AxisScale;
import latentmix.study.StudyConfig.Curves;
import latentmix.study.StudyConfig.Grid;
import latentmix.study.StudyConfig.Setting;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class StudyFileTest {
    private static final Path SHIPPED = Repository.file("conf/study");

    private static final String BASE =
            """
            title: A study
            run:
              input: {root: images}
              model: {checkpoint: "builtin:fashion"}
              evaluation: {}
            """;

    private static StudyConfig parse(String yaml, String... overrides) {
        return StudyFile.parse(yaml, "test", List.of(overrides));
    }

    static Stream<Path> shipped() throws IOException {
        try (Stream<Path> files = Files.list(SHIPPED)) {
            return files.toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("shipped")
    void everyShippedStudyCanBeRead(Path file) {
        assertThat(StudyFile.read(file, List.of()).experiments()).isNotEmpty();
    }

    @Test
    void aGridMixesEveryMethodInAnEntryOfItsOwnAndMeasuresNothing() {
        Grid grid = (Grid) parse(
                        BASE
                                + """
                                experiments:
                                  - {kind: grid, name: g, classes: [a, b], methods: [fix/0, nin/chm], inputs: [2, 4],
                                     examples: 3}
                                """)
                .experiments()
                .get(0);

        RunConfig run = grid.settings().get(0).run();
        assertThat(run.evaluation()).isNull();
        assertThat(run.input().folders()).containsExactly("a", "b");
        assertThat(run.mixing())
                .containsExactly(
                        new RunConfig.Mixing(
                                "g--fix-0--equal--all",
                                List.of(Spelled.parse("fix/0", Method::parse)),
                                List.of(Spelled.parse("2", InputCount::parse), Spelled.parse("4", InputCount::parse)),
                                Spelled.parse("equal", WeightSampler::parse),
                                Recipe.Pool.ALL,
                                Gate.OFF,
                                3,
                                false),
                        new RunConfig.Mixing(
                                "g--nin-chm--equal--all",
                                List.of(Spelled.parse("nin/chm", Method::parse)),
                                List.of(Spelled.parse("2", InputCount::parse), Spelled.parse("4", InputCount::parse)),
                                Spelled.parse("equal", WeightSampler::parse),
                                Recipe.Pool.ALL,
                                Gate.OFF,
                                3,
                                false));
    }

    @Test
    void curvesVaryRunSettingsByKeyPath() {
        Curves curves = (Curves) parse(
                        BASE
                                + """
                                experiments:
                                  - kind: curves
                                    name: guidance
                                    factor: guidance
                                    settings:
                                      1: {generation.guidance: 1}
                                      7.5: {generation.guidance: 7.5, generation.steps: 20}
                                    x: setting
                                    scale: sqrt
                                    metrics: [accuracy]
                                """)
                .experiments()
                .get(0);

        assertThat(curves.axis()).isEqualTo(Axis.SETTING);
        assertThat(curves.scale()).isEqualTo(AxisScale.SQRT);
        assertThat(curves.settings()).extracting(Setting::label).containsExactly("1", "7.5");
        assertThat(curves.settings())
                .extracting(setting -> setting.run().generation())
                .containsExactly(
                        new RunConfig.Generation(50, 1, List.of(), Optional.empty()),
                        new RunConfig.Generation(20, 7.5, List.of(), Optional.empty()));
        assertThat(curves.settings())
                .extracting(setting -> setting.run().input().folders())
                .containsOnly(List.of());
    }

    @Test
    void settingsMayDifferInNeighboursContextsAndGuidanceOfTheirMixingAlone() {
        StudyConfig study = parse(
                BASE
                        + """
                        experiments:
                          - kind: curves
                            name: near
                            factor: neighbours
                            methods: [fix/0, cog]
                            inputs: [2, 4]
                            settings:
                              all: {}
                              8 nearest: {mixing.neighbours: 8, mixing.guidance: [2, 4]}
                        """);
        Curves curves = (Curves) study.experiments().get(0);
        RunConfig all = curves.settings().get(0).run();
        RunConfig near = curves.settings().get(1).run();
        assertThat(all.mixing()).extracting(RunConfig.Mixing::neighbours).containsOnly(0);
        assertThat(near.mixing()).extracting(RunConfig.Mixing::neighbours).containsOnly(8);
        assertThat(near.mixing()).extracting(RunConfig.Mixing::guidance).containsOnly(List.of(2.0, 4.0));
        assertThat(near.mixing())
                .extracting(RunConfig.Mixing::name)
                .containsExactly("near-8-nearest--fix-0--equal--all", "near-8-nearest--cog--equal--all");
        assertThat(StudyRuns.of(study))
                .as("one run makes both")
                .hasSize(1)
                .allMatch(run -> run.mixing().size() == 4);
        assertThatThrownBy(() ->
                        parse(BASE + "experiments: [{kind: curves, name: a, settings: {x: {mixing.gate: refuse}}}]"))
                .hasMessageContaining("mixing.gate")
                .hasMessageContaining("mixing.neighbours, mixing.contexts");
    }

    @Test
    void aMethodThatTakesNoneOfTheCountsHasItsOwnAndOthersTheCountsThatTheyTake() {
        StudyConfig.Cells cells = ((Curves)
                        parse(BASE + "experiments: [{name: c, methods: [prompt, slerp, fix/0], inputs: [2, 8]}]")
                                .experiments()
                                .get(0))
                .cells();

        assertThat(cells.inputs("prompt")).containsExactly("0");
        assertThat(cells.inputs("slerp")).containsExactly("2");
        assertThat(cells.inputs("fix/0")).containsExactly("2", "8");
        assertThat(cells.hasOwnInputs("prompt")).isTrue();
        assertThat(cells.hasOwnInputs("slerp")).isFalse();
    }

    @Test
    void overridesReachTheRunAndTheExperiments() {
        StudyConfig study = parse(
                BASE + "experiments: [{name: c}]\n", "run.generation.steps=7", "experiments.0.count=5", "title=Other");

        assertThat(study.title()).isEqualTo("Other");
        assertThat(study.base().generation().steps()).isEqualTo(7);
        RunConfig run = study.experiments().get(0).settings().get(0).run();
        assertThat(run.generation().steps()).isEqualTo(7);
        assertThat(run.mixing().get(0).count().number()).isEqualTo(5);
    }

    @Test
    void everythingWrongIsReportedAtOnce() {
        assertThatThrownBy(
                        () -> parse(
                                """
                        titel: A study
                        run:
                          input: {root: images}
                          model: {checkpoint: "builtin:fashion"}
                          prompt: {from: caption}
                          mixing: [{}]
                        experiments:
                          - {kind: grid, name: a b, methods: [nin/xyz]}
                          - {name: c, inputs: [8], weights: ["fixed(0.5,0.5)"], color: red}
                          - {name: c, pool: some, settings: {1: {generation.guidence: 1}, 2: {input.root: other}}}
                        """))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("title: expected a text, got nothing")
                .hasMessageContaining("titel: unknown key")
                .hasMessageContaining("run.mixing: unknown key; a study's experiments say what is mixed")
                .hasMessageContaining("run.prompt.from: expected class in a study")
                .hasMessageContaining("experiments.0.name: expected letters, digits, - and _, got a b")
                .hasMessageContaining("experiments.0.classes: expected the folders whose pictures are shown, got none")
                .hasMessageContaining("experiments.0.methods: ")
                .hasMessageContaining("nin/xyz")
                .hasMessageContaining("experiments.1.kind: expected run.evaluation beside curves")
                .hasMessageContaining("experiments.1.color: unknown key")
                .hasMessageContaining("run.mixing.0.weights: ")
                .hasMessageContaining("experiments.2.name: expected a name of its own for each experiment, got c")
                .hasMessageContaining("experiments.2.pool: ")
                .hasMessageContaining("experiments.2.factor: expected what differs between the settings, got nothing")
                .hasMessageContaining("run.generation.guidence: unknown key")
                .hasMessageContaining(
                        "experiments.2.settings.2: expected a key path of run that may differ here, got input.root");
    }
}
