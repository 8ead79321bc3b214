package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import latentmix.config.ConfigFile;
import latentmix.schedule.Step;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SolvingTest {
    private static final String DIFFUSION = "{\"_class_name\": \"PNDMScheduler\", \"steps_offset\": 1}";
    private static final String FLOW = "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3.0}";

    private static List<String> problems(String schedulerConfig, String... overrides) {
        String yaml = "{input: {root: images}, model: {checkpoint: sd}}";
        try {
            return Solving.problems(
                    ConfigFile.parse(yaml, "test", List.of(overrides)), new ObjectMapper().readTree(schedulerConfig));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Test
    void theDefaultsSuitADiffusionAndAFlow() {
        assertThat(problems(DIFFUSION)).isEmpty();
        assertThat(problems(FLOW)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"euler", "euler-at-target", "midpoint", "fireflow"})
    void aFlowIsInvertedByItsOwnMethods(String method) {
        assertThat(problems(FLOW, "inversion.method=" + method)).isEmpty();
        assertThat(problems(DIFFUSION, "inversion.method=" + method)).hasSize(1);
    }

    @Test
    void everythingThatDoesNotSuitIsNamedWithWhatToDo() {
        assertThat(problems(FLOW, "inversion.method=ddim", "generation.solver=dpm-solver++(2m)"))
                .containsExactly(
                        "inversion.method: The solver must suit the checkpoint's process, which is a flow, cannot be:"
                                + " ddim; choose euler, midpoint or fireflow, or leave it out",
                        "generation.solver: The solver must suit the checkpoint's process, which is a flow, cannot be:"
                                + " dpm-solver++(2m); choose euler, midpoint or fireflow, or leave it out");
        assertThat(problems(DIFFUSION, "inversion.steps=1000"))
                .containsExactly(
                        "inversion.steps: steps must keep to the trained timesteps 0..999, cannot be: 1000, which with"
                                + " steps_offset 1 reaches timestep 1000; choose fewer steps");
        assertThat(problems(DIFFUSION, "generation.guidance_interval=[2, 20]"))
                .containsExactly(
                        "generation.guidance_interval: expected at least one of the 50 timesteps from 1.0 to 981.0 in"
                                + " it, got [2.0, 20.0]; widen it, or set generation.guidance to 1");
    }

    @Test
    void dpmSolverStartsWhereTheInversionEnds() throws JsonProcessingException {
        String yaml =
                "{input: {root: images}, model: {checkpoint: sd}, generation: {solver: dpm-solver++(2m), steps: 4}}";
        var config = ConfigFile.parse(yaml, "test", List.of());

        assertThat(config.sampler(new ObjectMapper().readTree(DIFFUSION)).sampling(4))
                .extracting(Step::timestep)
                .containsExactly(981.0, 736.0, 490.0, 245.0); // 490.5 to even
    }
}
