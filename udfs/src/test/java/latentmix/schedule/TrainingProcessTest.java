package latentmix.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Arrays;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What networks are trained for. */
class TrainingProcessTest {
    private static final NoiseSchedule SCHEDULE = NoiseSchedule.scaledLinear(0.00085, 0.012, 1000);

    private static TrainingProcess process(String json) throws JsonProcessingException {
        return TrainingProcess.of(new ObjectMapper().readTree(json));
    }

    /** The way back is the samplers' own. */
    @ParameterizedTest
    @EnumSource(PredictionType.class)
    void aNetworkThatMeetsItsTargetLeadsASamplerToTheOriginalAndTheNoise(PredictionType prediction) {
        TrainingProcess.Diffusion process = new TrainingProcess.Diffusion(SCHEDULE, prediction);
        for (int timestep : new int[] {0, 1, 400, 999}) {
            TrainingProcess.Level level = process.at(timestep, 0);
            double alpha = SCHEDULE.alphaCumprod(timestep);
            double sample = level.signal() * 0.7 + level.deviation() * -1.3;
            double output = level.original() * 0.7 + level.noise() * -1.3;
            PredictionType.Linear original = prediction.original(alpha);
            PredictionType.Linear noise = prediction.noise(alpha);
            assertThat(original.sample() * sample + original.output() * output).isCloseTo(0.7, within(1e-9));
            assertThat(noise.sample() * sample + noise.output() * output).isCloseTo(-1.3, within(1e-9));
            assertThat(level.weight()).isEqualTo(1);
        }
    }

    /** An error e of the output is an error of the original, of which min(snr, γ) squares count. */
    @ParameterizedTest
    @EnumSource(PredictionType.class)
    void byMinSnrTheErrorOfTheOriginalCountsAlikeWhateverIsPredicted(PredictionType prediction) {
        TrainingProcess.Diffusion process = new TrainingProcess.Diffusion(SCHEDULE, prediction);
        for (int timestep : new int[] {0, 1, 400, 999}) {
            double alpha = SCHEDULE.alphaCumprod(timestep);
            double original = prediction.original(alpha).output(); // of an error of 1
            assertThat(process.at(timestep, 5).weight())
                    .isCloseTo(Math.min(alpha / (1 - alpha), 5) * original * original, within(1e-9));
        }
    }

    @Test
    void diffusionDrawsItsTimestepsEvenlyAndAFlowItsLevelsAroundTheMiddle() throws JsonProcessingException {
        UniformRandomProvider random = RandomSource.XO_RO_SHI_RO_128_PP.create(1);
        TrainingProcess diffusion = process("{\"_class_name\": \"DDIMScheduler\", \"clip_sample\": false}");
        TrainingProcess flow = process("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3.0}");
        int[] tenths = new int[10];
        double middle = 0;
        for (int i = 0; i < 10_000; i++) {
            tenths[(int) diffusion.level(diffusion.share(random), 0).timestep() / 100]++;
            double share = flow.share(random);
            middle += Math.abs(Math.log(share / (1 - share))) < 1 ? 1e-4 : 0;
        }
        assertThat(Arrays.stream(tenths).min().orElseThrow()).isGreaterThan(880);
        assertThat(middle).isCloseTo(0.683, within(0.015)); // of a normal density, within a deviation
        assertThat(diffusion.level(1, 0).timestep()).isEqualTo(999);
    }

    @Test
    void aFlowPredictsTheVelocityAtShiftedLevels() throws JsonProcessingException {
        TrainingProcess flow = process("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3.0}");
        TrainingProcess.Level level = flow.level(0.5, 0);
        assertThat(level.deviation()).isCloseTo(0.75, within(1e-12)); // 3 · 0.5 / (1 + 2 · 0.5)
        assertThat(level.signal()).isCloseTo(0.25, within(1e-12));
        assertThat(level.timestep()).isCloseTo(750, within(1e-9));
        assertThat(level.noise() - level.original()).isEqualTo(2);
        assertThatThrownBy(() -> flow.level(0.5, 5)).hasMessageContaining("is a rectified flow");
    }
}
