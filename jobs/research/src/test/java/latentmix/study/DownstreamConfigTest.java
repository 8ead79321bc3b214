package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import latentmix.config.ConfigException;
import latentmix.config.Spelled;
import latentmix.study.StudyConfig.Downstream;
import org.junit.jupiter.api.Test;

class DownstreamConfigTest {
    private static Downstream parse(String experiment) {
        return (Downstream) StudyFile.parse(
                        """
                        title: few
                        run:
                          input: {root: images}
                          model: {checkpoint: "builtin:fashion"}
                          generation: {steps: 10}
                        experiments:
                          - {kind: downstream, name: few, %s}
                        """
                                .formatted(experiment),
                        "test",
                        List.of())
                .experiments()
                .get(0);
    }

    private static List<String> inputs(Downstream few, int shots, String method) {
        return few.arms().get(0).entry("few", method, shots, 7).inputs().stream()
                .map(Spelled::text)
                .toList();
    }

    @Test
    void aMixtureTakesAtMostAllRealImagesOrHalfWhereTheClassMeanIsTakenOut() {
        Downstream few = parse("arms: [{name: mixed, methods: [nin/chm, fix/cmm], inputs: 2..8}]");
        assertThat(inputs(few, 5, "fix/cmm")).containsExactly("2");
        assertThat(inputs(few, 10, "fix/cmm")).containsExactly("2..5");
        assertThat(inputs(few, 50, "fix/cmm")).containsExactly("2..8");
        assertThat(inputs(few, 5, "nin/chm")).containsExactly("2..5");
        assertThat(inputs(few, 1, "nin/chm")).containsExactly("1");
        assertThat(inputs(few, 5, "prompt")).containsExactly("0");
    }

    @Test
    void armsMayHaveSettingsOfTheirOwnAboveThoseOfTheExperiment() {
        Downstream few = parse("settings: {generation.steps: 7, prompt.template: things, input.root: other},"
                + " arms: [{name: plain}, {name: strong, settings: {generation.guidance: 4}}]");
        assertThat(few.run().generation().steps()).isEqualTo(7);
        assertThat(few.run().prompt().template()).isEqualTo("things");
        assertThat(few.run().input().root()).isEqualTo("other");
        assertThat(few.arms().get(0).run()).isEqualTo(few.run());
        assertThat(few.arms().get(1).run().generation().steps()).isEqualTo(7);
        assertThat(few.arms().get(1).run().generation().guidance())
                .isNotEqualTo(few.run().generation().guidance());
        assertThat(few.settings()).as("runs that experiments share").isEmpty();
    }

    @Test
    void whatCannotBeTrainedIsRefusedAtOnce() {
        assertThatThrownBy(() -> parse("arms: [{name: a, methods: diff-mix(0.7), inputs: 1}]"))
                .hasMessageContaining(
                        "arm a with 5 shots: expected methods of one class in a study, got diff-mix(0.7)");
        assertThatThrownBy(() -> parse("shots: [1, few], multiples: 0, shares: 2, classifier: {batch: 0, epochs: 3},"
                        + " settings: {mixing.0.count: 3},"
                        + " arms: [{name: a, methods: slerp}, {name: a, settings: {input.root: x}}]"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("experiments.0.shots: expected a whole number from 1 to 99999, or a list of such,"
                        + " got [1,\"few\"]")
                .hasMessageContaining("experiments.0.multiples: ")
                .hasMessageContaining("experiments.0.shares: ")
                .hasMessageContaining("experiments.0.classifier.batch: ")
                .hasMessageContaining("experiments.0.classifier.epochs: unknown key")
                .hasMessageContaining("experiments.0.arms: expected arms with different names, got [a, a]")
                .hasMessageContaining("experiments.0.settings: expected a key path")
                .hasMessageContaining("experiments.0.arms.1.settings: expected a key path");
    }
}
