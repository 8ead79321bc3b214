package latentmix.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import latentmix.Golden;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against diffusers' schedules: golden/schedulers-ddim. */
class NoiseScheduleTest {
    private static final Golden GOLDEN = Golden.open("schedulers-ddim");

    @ParameterizedTest
    @ValueSource(strings = {"sd15-eps", "sd21-v", "zsnr-v-trailing", "p2p-eps-offset0"})
    void betasAndLevelsAreThoseOfDiffusers(String variant) {
        DdimScheduler scheduler = DdimSchedulerTest.golden(variant);
        float[] betas = GOLDEN.floats(variant + ".betas");
        float[] alphasCumprod = GOLDEN.floats(variant + ".alphas_cumprod");
        double bound = variant.startsWith("zsnr") ? 3e-5 : 1e-8; // rescaled: derived from tiny levels, in float32 there

        assertThat(scheduler.noise().trainTimesteps()).isEqualTo(1000);
        for (int t = 0; t < 1000; t++) {
            assertThat(scheduler.noise().beta(t)).as("beta %d", t).isCloseTo(betas[t], within(bound));
            assertThat(scheduler.noise().alphaCumprod(t))
                    .as("alpha_cumprod %d", t)
                    .isCloseTo(alphasCumprod[t], within(1e-6));
        }
        assertThat(scheduler.finalAlphaCumprod())
                .isCloseTo(GOLDEN.floats(variant + ".final_alpha_cumprod")[0], within(1e-6));
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd15-eps", "sd21-v", "zsnr-v-trailing", "p2p-eps-offset0"})
    void noiseIsAddedAsDiffusersAddsIt(String variant) {
        NoiseSchedule noise = DdimSchedulerTest.golden(variant).noise();
        float[] expected = GOLDEN.floats(variant + ".add_noise.t1_t981");
        float[] original = GOLDEN.floats("step.sample");
        float[] noises = GOLDEN.floats("step.variance_noise");
        int latent = original.length / 2;

        assertThat(noise.addNoise(Arrays.copyOf(original, latent), Arrays.copyOf(noises, latent), 1))
                .containsExactly(Arrays.copyOf(expected, latent), within(3e-6f));
        assertThat(noise.addNoise(
                        Arrays.copyOfRange(original, latent, 2 * latent),
                        Arrays.copyOfRange(noises, latent, 2 * latent),
                        981))
                .containsExactly(Arrays.copyOfRange(expected, latent, 2 * latent), within(3e-6f));
    }

    @Test
    void linearBetasAreEvenlySpaced() {
        NoiseSchedule noise = NoiseSchedule.linear(0.0001, 0.02, 1000);

        assertThat(noise.beta(0)).isEqualTo(0.0001);
        assertThat(noise.beta(333)).isCloseTo(0.0001 + 0.0199 / 3, within(1e-15));
        assertThat(noise.beta(999)).isCloseTo(0.02, within(1e-15));
        assertThat(noise.alphaCumprod(1)).isCloseTo(0.9999 * (1 - 0.0001 - 0.0199 / 999), within(1e-15));
    }

    @Test
    void squaredCosineLevelsFollowTheCosine() {
        NoiseSchedule noise = NoiseSchedule.squaredCosine(1000);

        for (int t = 0; t < 999; t++) {
            double level = Math.pow(Math.cos(((t + 1) / 1000.0 + 0.008) / 1.008 * Math.PI / 2), 2);
            double start = Math.pow(Math.cos(0.008 / 1.008 * Math.PI / 2), 2);
            assertThat(noise.alphaCumprod(t)).as("timestep %d", t).isCloseTo(level / start, within(1e-12));
        }
        assertThat(noise.beta(999)).isEqualTo(0.999);
    }

    @Test
    void rescalingLeavesNoSignalAtTheEndAndTheStartAsItWas() {
        NoiseSchedule noise = NoiseSchedule.scaledLinear(0.00085, 0.012, 1000);
        NoiseSchedule rescaled = noise.zeroTerminalSnr();

        assertThat(rescaled.alphaCumprod(999)).isZero();
        assertThat(rescaled.alphaCumprod(0)).isEqualTo(noise.alphaCumprod(0));
        assertThat(rescaled.beta(999)).isEqualTo(1);
    }

    @Test
    void betasThatAreNoVariancesAreRefused() {
        assertThatThrownBy(() -> NoiseSchedule.ofBetas(0.1, -0.1)).hasMessageContaining("beta 1 cannot be: -0.1");
        assertThatThrownBy(() -> NoiseSchedule.ofBetas(1, 0.1)).hasMessageContaining("beta 0 cannot be: 1.0");
        assertThatThrownBy(() -> NoiseSchedule.ofBetas(Double.NaN)).hasMessageContaining("cannot be: NaN");
        assertThatThrownBy(NoiseSchedule::ofBetas).hasMessageContaining("at least 1 beta");
        assertThatThrownBy(() -> NoiseSchedule.ofBetas(0.1).addNoise(new float[2], new float[3], 0))
                .hasMessageContaining("2 entries, cannot have: 3");
    }
}
