package latentmix.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import latentmix.latent.Latent;
import latentmix.latent.LatentPool;
import latentmix.latent.RecipeSampler;
import latentmix.latent.Shape;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.junit.jupiter.api.Test;

class BiasSurveyTest {
    private static final Shape SHAPE = new Shape(2, 16, 16);
    private static final List<Integer> COUNTS = List.of(1, 4, 16, 64);

    /** Noise, with channel means that all have in common, and a coarse cosine. */
    private static LatentPool pool(int size, double first, double second, double cosine) {
        var normal = ZigguratSampler.NormalizedGaussian.of(RecipeSampler.rng("bias survey"));
        var latents = new ArrayList<Latent>();
        for (int i = 0; i < size; i++) {
            var z = normal.samples(SHAPE.size()).toArray();
            for (int p = 0; p < z.length; p++) {
                z[p] += (p < SHAPE.plane() ? first : second)
                        + cosine * Math.sqrt(2) * Math.cos(Math.PI * (2 * (p % 16) + 1) * 2 / 32.0);
            }
            latents.add(new Latent(SHAPE, z));
        }
        return LatentPool.of(latents);
    }

    private static BiasFit fit(BiasSurvey.Survey survey, String method, String pattern) {
        return BiasFit.of(
                COUNTS,
                survey.growths().stream()
                        .filter(growth -> growth.method().equals(method)
                                && growth.pattern().equals(pattern))
                        .map(BiasSurvey.Growth::values)
                        .toList());
    }

    @Test
    void theSlopeOverRootNIsTheKnownBias() {
        var survey = new BiasSurvey(List.of("fix/0", "nin/chm"), COUNTS, 20).of(pool(1024, 0.02, -0.03, 0.05), "slope");
        // a channel mean of 0.02 is 0.32 standard errors of 16 × 16 values; N‖b‖² is D / 5 at most
        var first = fit(survey, "fix/0", "channel 0");
        var second = fit(survey, "fix/0", "channel 1");
        assertThat(first.slope()).isCloseTo(0.32, within(0.1));
        assertThat(second.slope()).isCloseTo(0.48, within(0.1));
        assertThat(first.low()).isLessThan(first.slope()).isPositive();
        assertThat(first.high()).isGreaterThan(first.slope());
        assertThat(survey.expectation().slope()[0]).isCloseTo(0.32, within(0.1));
        assertThat(survey.expectation().slope()[1]).isCloseTo(0.48, within(0.1));
        // the cosine's norm is 0.05 √512 = 1.13, of which a pattern from 512 latents, with noise of 0.23, sees 0.98
        assertThat(fit(survey, "fix/0", "low frequencies").slope()).isCloseTo(0.98 * 1.13, within(0.15));
        assertThat(survey.expectation().slope()[2]).isCloseTo(0.98 * 1.13, within(0.1));
        assertThat(fit(survey, "nin/chm", "channel 1").slope()).isCloseTo(0, within(0.05));
        assertThat(fit(survey, "nin/chm", "low frequencies").slope()).isCloseTo(0.98 * 1.13, within(0.15));
        assertThat(fit(survey, "fix/0", "high frequencies").slope()).isCloseTo(0, within(0.15));
    }

    @Test
    void unbiasedNoiseHasNoSlopeAndTheMeanSizeOfNoise() {
        var survey = new BiasSurvey(List.of("fix/0"), COUNTS, 40).of(pool(512, 0, 0, 0), "noise");
        for (var pattern : List.of("channel 0", "channel 1", "low frequencies", "high frequencies")) {
            assertThat(fit(survey, "fix/0", pattern).slope())
                    .as(pattern)
                    .isCloseTo(0, within(0.15)); // the pool's own mean is 0.04
        }
        double size = survey.growths().stream()
                .flatMapToDouble(growth -> Arrays.stream(growth.values()).map(Math::abs))
                .average()
                .orElseThrow();
        assertThat(size).isCloseTo(BiasSurvey.NOISE, within(0.06));
    }

    @Test
    void aLargeBiasBendsAsExpected() {
        var survey = new BiasSurvey(List.of("fix/0"), COUNTS, 20).of(pool(256, 0.15, 0, 0), "bend");
        for (int n = 0; n < COUNTS.size(); n++) {
            int count = n;
            double mean = survey.growths().stream()
                    .filter(growth -> growth.pattern().equals("channel 0"))
                    .mapToDouble(growth -> growth.values()[count])
                    .average()
                    .orElseThrow();
            assertThat(mean).isCloseTo(survey.expectation().at(0, COUNTS.get(n)), within(0.5));
        }
        assertThat(survey.expectation().bend()).isCloseTo(512 / (256 * 0.0225), within(10.0));
    }

    @Test
    void aPoolThatIsTooSmallIsRefused() {
        assertThatThrownBy(() -> new BiasSurvey(List.of("fix/0"), COUNTS, 1).of(pool(100, 0, 0, 0), "x"))
                .hasMessageContaining("128")
                .hasMessageContaining("100");
    }
}
