package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import latentmix.config.ConfigException;
import latentmix.config.MixtureCount;
import latentmix.config.RunConfig;
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
        return few.arms().get(0).entry("few", method, shots, few.made(shots)).inputs().stream()
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
    void aLongTailFillsClassesUpAndTakesNoMoreInputsThanItsFewest() {
        Downstream few = parse("shots: 10, tail: 2, multiples: [1, 3], arms: [{name: mixed, inputs: 2..8}]");
        assertThat(few.made(10)).isEqualTo(new MixtureCount.To(30));
        assertThat(few.arms()
                        .get(0)
                        .entry("few", "nin/chm", few.least(10), few.made(10))
                        .inputs())
                .extracting(Spelled::text)
                .containsExactly("2");
        assertThat(few.classifier().training().balanced()).isTrue();
        assertThat(parse("arms: [{name: mixed}]").classifier().training().balanced())
                .isFalse();
    }

    @Test
    void anArmDrawsWhatARunDrawsAndIsRefusedAsARunIs() {
        RunConfig.Mixing entry = parse("arms: [{name: a, methods: fill, inputs: 2..3, neighbours: 4,"
                        + " contexts: [in rain], context_share: 0.3, guidance: [1, 2]}]")
                .arms()
                .get(0)
                .entry("few", "fill", 5, new MixtureCount.Fixed(10));
        assertThat(entry.neighbours()).isEqualTo(4);
        assertThat(entry.contexts()).containsExactly("in rain");
        assertThat(entry.contextShare()).isEqualTo(0.3);
        assertThat(entry.guidance()).containsExactly(1.0, 2.0);
        assertThatThrownBy(() -> parse("arms: [{name: a, methods: fill, inputs: 2..3, neighbours: 1}]"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("2 to 2 inputs with neighbours: 1");
        assertThatThrownBy(
                        () -> parse("arms: [{name: a, methods: fill, inputs: 2..3, neighbours: 4, across: classes}]"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("inputs of one class with neighbours");
    }

    @Test
    void whatCannotBeTrainedIsRefusedAtOnce() {
        assertThatThrownBy(() -> parse("shots: [8, 4], tail: 5, severity: 6, corruptions: fog,"
                        + " arms: [{name: a, methods: nin/chm, across: cities}]"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("experiments.0.tail: expected at most the smallest number of shots, 4, got 5")
                .hasMessageContaining("experiments.0.severity: ")
                .hasMessageContaining("experiments.0.corruptions: expected one of gaussian_noise, ")
                .hasMessageContaining("experiments.0.arms.0.across: ");
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
