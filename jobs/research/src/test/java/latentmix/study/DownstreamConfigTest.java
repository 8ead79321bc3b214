package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
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
                          - {kind: downstream, name: few, test: test, %s}
                        """
                                .formatted(experiment),
                        "test",
                        List.of())
                .experiments()
                .get(0);
    }

    @Test
    void aMixtureTakesAtMostHalfOfTheRealImages() {
        Downstream few = parse("shots: [5, 10, 50], inputs: 2..8");
        assertThat(few.inputs(5)).hasToString("2");
        assertThat(few.inputs(10)).hasToString("2..5");
        assertThat(few.inputs(50)).hasToString("2..8");
        assertThat(few.inputs(1)).hasToString("1");
    }

    @Test
    void everyMethodHasAnEntryOfItsOwnForTheMostImagesThatAreAskedFor() {
        Downstream few = parse(
                "shots: [10, 20], methods: [fix/cmm, prompt], multiple: 5, closer: {shots: 10, multiples: [1, 10]}");
        assertThat(few.entries(10)).extracting(entry -> entry.count().number()).containsExactly(100, 100);
        assertThat(few.entries(20)).extracting(entry -> entry.count().number()).containsExactly(100, 100);
        assertThat(few.entries(20)).extracting(RunConfig.Mixing::methods).hasToString("[[fix/cmm], [prompt]]");
        assertThat(few.entries(20)).extracting(RunConfig.Mixing::inputs).hasToString("[[2..8], [0]]");
        assertThat(few.settings()).as("runs that experiments share").isEmpty();
    }

    @Test
    void settingsReplaceThoseOfTheStudy() {
        Downstream few = parse("settings: {generation.steps: 7, prompt.template: things}");
        assertThat(few.run().generation().steps()).isEqualTo(7);
        assertThat(few.run().prompt().template()).isEqualTo("things");
    }

    @Test
    void whatCannotBeTrainedIsRefusedAtOnce() {
        assertThatThrownBy(
                        () -> parse("shots: [1, few], methods: fix/0, multiple: 0, classifier: {batch: 0, epochs: 3},"
                                + " closer: {multiples: -1}, settings: {input.root: x}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("experiments.0.shots: expected a whole number from 1 to 99999, or a list of such,"
                        + " got [1,\"few\"]")
                .hasMessageContaining("experiments.0.multiple: ")
                .hasMessageContaining("experiments.0.classifier.batch: ")
                .hasMessageContaining("experiments.0.classifier.epochs: unknown key")
                .hasMessageContaining("experiments.0.closer.multiples: ")
                .hasMessageContaining("experiments.0.settings: expected a key path");
    }
}
