package latentmix.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against diffusers' DDIMScheduler and DDIMInverseScheduler: golden/schedulers-ddim. */
class DdimSchedulerTest {
    private static final Golden GOLDEN = Golden.open("schedulers-ddim");
    private static final NoiseSchedule STABLE_DIFFUSION = NoiseSchedule.scaledLinear(0.00085, 0.012, 1000);

    /** The scheduler of a golden variant, from its scheduler_config.json. */
    static DdimScheduler golden(String variant) {
        try {
            return (DdimScheduler) Scheduler.of(new ObjectMapper()
                    .readTree(Golden.folder("schedulers-ddim")
                            .resolve(variant + "/scheduler/scheduler_config.json")
                            .toFile()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("timestepNames")
    void timestepsAreThoseOfDiffusersBothWays(String name) {
        DdimScheduler scheduler = golden(variant(name));
        int steps = Integer.parseInt(name.substring(name.lastIndexOf('_') + 1));
        int[] ascending = scheduler.spacing().timesteps(steps, 1000, scheduler.stepsOffset());
        int[] descending =
                IntStream.range(0, steps).map(i -> ascending[steps - 1 - i]).toArray();

        assertThat(descending).isEqualTo(GOLDEN.ints(name));
        assertThat(ascending).isEqualTo(GOLDEN.ints(name.replace(".timesteps", ".inverse_timesteps")));
        if (ascending[steps - 1] < 1000) {
            assertThat(scheduler.sampling(steps)).extracting(Step::timestep).containsExactly(doubles(descending));
            assertThat(scheduler.inversion(steps)).extracting(Step::timestep).containsExactly(doubles(ascending));
        } else {
            assertThatThrownBy(() -> scheduler.sampling(steps))
                    .hasMessageContaining("steps must keep to the trained timesteps 0..999, cannot be: 1000");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 10})
    void aNoisedSampleComesBackByTheLastStepsWhereTheNetworkKnowsItsNoise(int last) {
        DdimScheduler scheduler = golden("sd15-eps");
        float[] original = {1, -2, 0.5f};
        float[] noise = {0.3f, 1, -1.5f};
        List<Step> table = scheduler.tail(10, last);
        assertThat(table).isEqualTo(scheduler.sampling(10).subList(10 - last, 10));

        float[] x = scheduler.addNoise(original, noise, table.get(0).timestep());
        for (Step step : table) {
            for (int i = 0; i < x.length; i++) {
                x[i] = (float) (step.samples().get(0) * x[i] + step.outputs().get(0) * noise[i]);
            }
        }
        double level = scheduler.finalAlphaCumprod();
        for (int i = 0; i < x.length; i++) {
            assertThat((double) x[i])
                    .isCloseTo(Math.sqrt(level) * original[i] + Math.sqrt(1 - level) * noise[i], within(1e-5));
        }
    }

    @Test
    void theLastStepsAreAtLeastOneAndAtMostAll() {
        assertThat(golden("sd15-eps").tail(10, 10)).hasSize(10);
        assertThatThrownBy(() -> golden("sd15-eps").tail(10, 0)).hasMessageContaining("1 to all 10");
        assertThatThrownBy(() -> golden("sd15-eps").tail(10, 11)).hasMessageContaining("1 to all 10");
    }

    static List<String> timestepNames() {
        return GOLDEN.names(".*\\.timesteps_\\d+");
    }

    @ParameterizedTest
    @MethodSource("stepNames")
    void singleStepsAreThoseOfDiffusers(String name) {
        DdimScheduler scheduler = golden(variant(name));
        List<Step> table = name.contains(".inv_step10.")
                ? scheduler.inversion(10)
                : scheduler.sampling(10, name.contains(".eta0.7.") ? 0.7 : 0);
        Step step = table.stream()
                .filter(row -> row.timestep() == timestep(name))
                .findFirst()
                .orElseThrow();

        Golden.assertForward(
                name, combination(step.samples().get(0), step.outputs().get(0), step.noise()), GOLDEN.floats(name));
    }

    static List<String> stepNames() {
        return GOLDEN.names(".*step10\\..*\\.prev_sample");
    }

    @ParameterizedTest
    @MethodSource("originalNames")
    void theOriginalIsPredictedAsDiffusersPredictsIt(String name) {
        DdimScheduler scheduler = golden(variant(name));
        PredictionType.Linear original =
                scheduler.prediction().original(scheduler.noise().alphaCumprod(timestep(name)));

        Golden.assertForward(name, combination(original.sample(), original.output(), 0), GOLDEN.floats(name));
    }

    static List<String> originalNames() {
        return GOLDEN.names(".*step10\\..*\\.pred_original_sample");
    }

    @ParameterizedTest
    @EnumSource(TimestepSpacing.class)
    void inversionUndoesSamplingForTheSameNoise(TimestepSpacing spacing) {
        DdimScheduler scheduler = new DdimScheduler(
                STABLE_DIFFUSION,
                PredictionType.EPSILON,
                spacing,
                1,
                STABLE_DIFFUSION.alphaCumprod(0),
                "DDIMScheduler");
        List<Step> down = scheduler.sampling(50);
        List<Step> up = scheduler.inversion(50);

        for (int i = 0; i < 50; i++) {
            Step sample = down.get(i);
            Step invert = up.get(49 - i);
            double there = invert.samples().get(0);
            assertThat(sample.timestep()).isEqualTo(invert.timestep());
            assertThat(sample.samples().get(0) * there).isCloseTo(1, within(1e-12));
            assertThat(sample.outputs().get(0) * there + invert.outputs().get(0))
                    .isCloseTo(0, within(1e-12));
        }
    }

    @ParameterizedTest
    @EnumSource(PredictionType.class)
    void everyPredictionOfTheSameNoiseMakesTheSameStep(PredictionType prediction) {
        double original = 0.3;
        double epsilon = -1.2;
        DdimScheduler scheduler = new DdimScheduler(
                STABLE_DIFFUSION, prediction, TimestepSpacing.LEADING, 1, STABLE_DIFFUSION.alphaCumprod(0), "");
        for (Step step : scheduler.sampling(20)) {
            int t = (int) step.timestep();
            double output =
                    switch (prediction) {
                        case EPSILON -> epsilon;
                        case SAMPLE -> original;
                        case V_PREDICTION -> noised(epsilon, -original, t);
                    };
            double next = step.samples().get(0) * noised(original, epsilon, t)
                    + step.outputs().get(0) * output;
            assertThat(next).isCloseTo(noised(original, epsilon, Math.max(0, t - 50)), within(1e-12));
        }
    }

    @Test
    void linspaceSpacingReachesBothEnds() {
        assertThat(TimestepSpacing.LINSPACE.timesteps(4, 1000, 1)).containsExactly(0, 333, 666, 999);
        assertThat(TimestepSpacing.LINSPACE.timesteps(3, 1000, 1)).containsExactly(0, 500, 999); // 499.5 to even
        assertThat(TimestepSpacing.LINSPACE.timesteps(1, 1000, 1)).containsExactly(0);
    }

    @Test
    void theLastStepEndsAtTheFinalLevel() {
        DdimScheduler scheduler = new DdimScheduler(
                STABLE_DIFFUSION, PredictionType.EPSILON, TimestepSpacing.LEADING, 0, 1, "DDIMScheduler");
        Step last = scheduler.sampling(50).get(49);
        double level = STABLE_DIFFUSION.alphaCumprod(0);

        assertThat(last.samples().get(0)).isCloseTo(1 / Math.sqrt(level), within(1e-15));
        assertThat(last.outputs().get(0)).isCloseTo(-Math.sqrt(1 - level) / Math.sqrt(level), within(1e-15));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 1001})
    void stepsOutOfRangeAreRefused(int steps) {
        assertThatThrownBy(() -> golden("sd15-eps").sampling(steps))
                .hasMessage("steps must be in 1..1000, cannot be: " + steps);
        assertThatThrownBy(() -> golden("sd15-eps").inversion(steps))
                .hasMessage("steps must be in 1..1000, cannot be: " + steps);
    }

    @Test
    void whatHasNoEquationIsRefused() {
        assertThatThrownBy(() -> new DdimScheduler(
                        STABLE_DIFFUSION.zeroTerminalSnr(), PredictionType.EPSILON, TimestepSpacing.TRAILING, 0, 1, ""))
                .hasMessageContaining("prediction_type must be v_prediction or sample");
        assertThatThrownBy(() -> new DdimScheduler(
                                STABLE_DIFFUSION, PredictionType.SAMPLE, TimestepSpacing.LEADING, 0, 1, "")
                        .inversion(50))
                .hasMessageContaining("set_alpha_to_one must be false");
        assertThatThrownBy(() -> golden("sd15-eps").sampling(50, 1.5)).hasMessageContaining("eta must be in [0, 1]");
    }

    private static double noised(double original, double noise, int t) {
        double level = STABLE_DIFFUSION.alphaCumprod(t);
        return Math.sqrt(level) * original + Math.sqrt(1 - level) * noise;
    }

    /** sample · x + output · m + noise · z over the golden inputs. */
    private static float[] combination(double sample, double output, double noise) {
        float[] samples = GOLDEN.floats("step.sample");
        float[] outputs = GOLDEN.floats("step.model_output");
        float[] noises = GOLDEN.floats("step.variance_noise");
        float[] sum = new float[samples.length];
        for (int i = 0; i < sum.length; i++) {
            sum[i] = (float) (sample * samples[i] + output * outputs[i] + noise * noises[i]);
        }
        return sum;
    }

    private static String variant(String name) {
        return name.substring(0, name.indexOf('.'));
    }

    /** The number after ".t" in a name such as sd15-eps.step10.t901.prev_sample. */
    private static int timestep(String name) {
        return Integer.parseInt(name.replaceAll(".*\\.t(\\d+)\\..*", "$1"));
    }

    private static Double[] doubles(int[] values) {
        return IntStream.of(values).mapToObj(Double::valueOf).toArray(Double[]::new);
    }
}
