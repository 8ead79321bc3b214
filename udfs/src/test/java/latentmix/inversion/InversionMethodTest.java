package latentmix.inversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import latentmix.Golden;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class InversionMethodTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "ddim | ddim",
                "fixed-point(5) | fixed-point(5)",
                "fixed-point(5,averaged) | fixed-point(5, averaged)",
                "fixed-point( 20 , residual = 1e-4 ) | fixed-point(20, residual=1.0E-4)",
                "fixed-point(20, residual=1e-4, averaged) | fixed-point(20, averaged, residual=1.0E-4)",
                "negative-prompt | negative-prompt",
                "null-text(10) | null-text(10, guidance=7.5)",
                "null-text(10, guidance=2) | null-text(10, guidance=2.0)",
                "renoise(4) | renoise(4)",
                "bdia | bdia"
            })
    void aSpellingIsReadAndItsTextIsReadBackAsTheSame(String spelling, String canonical) {
        InversionMethod method = InversionMethod.parse(spelling, 7.5);
        assertThat(method).hasToString(canonical);
        assertThat(InversionMethod.parse(canonical, 1)).isEqualTo(method);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "DDIM",
                "ddim(3)",
                "fixed-point",
                "fixed-point()",
                "fixed-point(0)",
                "fixed-point(1001)",
                "fixed-point(5, residual)",
                "fixed-point(5, residual=0)",
                "fixed-point(5, residual=small)",
                "fixed-point(5, guidance=2)",
                "fixed-point(5, residual=1, residual=2)",
                "renoise(4, averaged)",
                "null-text",
                "null-text(10, guidance=2, guidance=3)",
                "o-belm"
            })
    void anotherSpellingIsRefusedWithThoseThereAre(String spelling) {
        assertThatThrownBy(() -> InversionMethod.parse(spelling, 7.5))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("fixed-point(5, averaged)")
                .hasMessageEndingWith("cannot be: " + spelling);
    }

    @ParameterizedTest
    @ValueSource(strings = {"negative-prompt", "null-text(10)"})
    void whatReplacesTheUnconditionalBranchInvertsWithoutGuidance(String spelling) throws IOException {
        Scheduler scheduler = scheduler("sd15-eps");
        assertThatThrownBy(() -> InversionMethod.parse(spelling, 7.5).inversion(scheduler, 10, new Guidance(2)))
                .hasMessageContaining("inversion.guidance must be 1");
    }

    @Test
    void nullTextNeedsGuidanceToUndo() throws IOException {
        Scheduler scheduler = scheduler("sd15-eps");
        assertThatThrownBy(() -> InversionMethod.parse("null-text(10)", 1).inversion(scheduler, 10, Guidance.NONE))
                .hasMessageContaining("generation.guidance");
    }

    @Test
    void renoiseNeedsPredictedNoise() throws IOException {
        Scheduler scheduler = scheduler("sd21-v");
        assertThatThrownBy(() -> InversionMethod.parse("renoise(4)", 1).inversion(scheduler, 10, Guidance.NONE))
                .hasMessageContaining("prediction_type must be epsilon");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ddim", "fixed-point(5)", "negative-prompt"})
    void aMethodMayGoOnFromANoisedLatentAtTheCostOfTheStepsThatAreLeft(String spelling) throws IOException {
        Scheduler scheduler = scheduler("sd15-eps");
        InversionMethod method = InversionMethod.parse(spelling, 1);
        long whole = method.inversion(scheduler, 10, Guidance.NONE).evaluations();
        assertThat(method.inversion(scheduler, 10, Guidance.NONE, 3).evaluations())
                .isEqualTo(whole * 7 / 10);
        assertThat(method.inversion(scheduler, 10, Guidance.NONE, 0).evaluations())
                .isEqualTo(whole);
        assertThatThrownBy(() -> method.inversion(scheduler, 10, Guidance.NONE, 10))
                .hasMessage("The first steps must be fewer than all 10 of them, cannot be: 10");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null-text(10)", "renoise(4)", "bdia"})
    void aMethodThatFollowsTheImagesOwnLatentBeginsAtNoNoise(String spelling) throws IOException {
        Scheduler scheduler = scheduler("sd15-eps");
        InversionMethod method = InversionMethod.parse(spelling, 7.5);
        assertThatThrownBy(() -> method.inversion(scheduler, 10, Guidance.NONE, 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("inversion.forward_first must be 0 with " + method);
    }

    private static Scheduler scheduler(String variant) throws IOException {
        return Scheduler.of(new ObjectMapper()
                .readTree(Golden.folder("schedulers-ddim")
                        .resolve(variant + "/scheduler/scheduler_config.json")
                        .toFile()));
    }
}
