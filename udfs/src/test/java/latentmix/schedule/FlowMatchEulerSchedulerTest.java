package latentmix.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import latentmix.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against diffusers' FlowMatchEulerDiscreteScheduler: golden/schedulers-flow. */
class FlowMatchEulerSchedulerTest {
    private static final Golden GOLDEN = Golden.open("schedulers-flow");

    private static Scheduler golden(String variant, Solver solver) throws IOException {
        JsonNode config = new ObjectMapper()
                .readTree(Golden.folder("schedulers-flow")
                        .resolve(variant + "/scheduler/scheduler_config.json")
                        .toFile());
        return Scheduler.of(config, solver);
    }

    static List<String> sigmaNames() {
        return GOLDEN.names(".*\\.sigmas_\\d+");
    }

    @ParameterizedTest
    @MethodSource("sigmaNames")
    void levelsAndTimestepsAreThoseOfDiffusers(String name) throws IOException {
        Scheduler scheduler = golden(name.substring(0, name.indexOf('.')), Solver.EULER);
        int steps = Integer.parseInt(name.substring(name.lastIndexOf('_') + 1));
        double[] timesteps = GOLDEN.doubles(name.replace(".sigmas_", ".timesteps_"));

        assertThat(((FlowMatchEulerScheduler) scheduler).flow().descending(steps))
                .containsExactly(GOLDEN.doubles(name), within(1e-7)); // rounded to float32 there
        assertThat(scheduler.sampling(steps).stream()
                        .mapToDouble(Step::timestep)
                        .toArray())
                .containsExactly(timesteps, within(1e-4)); // the same, times 1000
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd35", "shift1"})
    void theLeastLevelIsShiftedBeforeAndAfterTheSpacing(String variant) throws IOException {
        FlowSchedule flow = ((FlowMatchEulerScheduler) golden(variant, Solver.EULER)).flow();
        double least = GOLDEN.doubles(variant + ".sigma_min_max")[0];
        double twice = flow.shift() * least / (1 + (flow.shift() - 1) * least);

        assertThat(flow.descending(28)[27]).isCloseTo(twice, within(1e-9));
    }

    static List<String> outputNames() {
        return GOLDEN.names(".*\\.model_out");
    }

    /** Every output that the golden file holds: of all steps of the inversions, of three of the samplings. */
    @ParameterizedTest
    @MethodSource("outputNames")
    void aModelOutputOfDiffusersLeadsToItsNextLatents(String name) throws IOException {
        String trace = name.replaceAll("\\.\\d+\\.model_out", "");
        int i = Integer.parseInt(name.replaceAll(".*\\.(\\d+)\\.model_out", "$1"));
        boolean inverts = trace.startsWith("invert_");
        Scheduler scheduler = golden("sd35", trace.equals("invert_target10") ? Solver.EULER_AT_TARGET : Solver.EULER);
        Step step = (inverts ? scheduler.inversion(10) : scheduler.sampling(28)).get(i);
        float[] latents = GOLDEN.floats(i > 0 ? trace + "." + (i - 1) + ".latent" : inverts ? "x0" : "noise");
        float[] output = GOLDEN.floats(name);

        for (int j = 0; j < latents.length; j++) {
            latents[j] =
                    (float) (step.samples().get(0) * latents[j] + step.outputs().get(0) * output[j]);
        }
        Golden.assertForward(name, latents, GOLDEN.floats(trace + "." + i + ".latent"));
    }

    @Test
    void anInversionIsEvaluatedWhereItsStepsStartOrWhereTheyLead() throws IOException {
        double[] sigmas = GOLDEN.doubles("inversion_sigmas_10");
        for (int i = 0; i < 10; i++) {
            assertThat(golden("sd35", Solver.EULER).inversion(10).get(i).timestep())
                    .isCloseTo(1000 * sigmas[i], within(1e-4));
            assertThat(golden("sd35", Solver.EULER_AT_TARGET)
                            .inversion(10)
                            .get(i)
                            .timestep())
                    .isCloseTo(1000 * sigmas[i + 1], within(1e-4));
        }
    }

    @Test
    void noiseIsAddedAsDiffusersAddsIt() throws IOException {
        double sigma = GOLDEN.doubles("scale_noise_t3.sigma")[0];
        Golden.assertForward(
                "scale_noise_t3",
                golden("sd35", Solver.EULER).addNoise(GOLDEN.floats("x0"), GOLDEN.floats("noise"), 1000 * sigma),
                GOLDEN.floats("scale_noise_t3"));
        assertThatThrownBy(() -> golden("sd35", Solver.EULER).addNoise(new float[2], new float[3], 5))
                .hasMessageContaining("2 entries, cannot have: 3");
    }

    @Test
    void whatIsNoScheduleIsRefused() {
        FlowSchedule flow = new FlowSchedule(3, 1000);
        assertThatThrownBy(() -> flow.descending(0)).hasMessage("steps must be in 1..1000, cannot be: 0");
        assertThatThrownBy(() -> flow.ascending(1001)).hasMessage("steps must be in 1..1000, cannot be: 1001");
        assertThatThrownBy(() -> new FlowSchedule(0, 1000)).hasMessage("shift must be above 0, cannot be: 0.0");
        assertThatThrownBy(() -> new FlowSchedule(1, 0)).hasMessageContaining("at least 1, cannot be: 0");
        assertThat(flow.descending(1)).containsExactly(1, 0);
    }
}
