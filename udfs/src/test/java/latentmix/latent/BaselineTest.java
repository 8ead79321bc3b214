package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Baseline, gate and predicted gain on simulated pools: noise with a bias that all latents share. */
class BaselineTest {
    private static final Shape SHAPE = new Shape(4, 8, 8);
    private static final int POOL = 256;

    private static List<Latent> biased(double mean, double spatial, String seed) {
        return Latents.normal(SHAPE, POOL, 0, seed).stream()
                .map(latent -> {
                    var values = latent.values().clone();
                    for (int p = 0; p < values.length; p++) {
                        int row = p / SHAPE.width() % SHAPE.height();
                        values[p] += mean + spatial * Math.sqrt(2) * Math.cos(Math.PI * (2 * row + 1) * 2 / 16);
                    }
                    return new Latent(SHAPE, values);
                })
                .toList();
    }

    private static Baseline baseline(List<Latent> latents) {
        var pool = LatentPool.of(latents);
        return Baseline.of(pool, Baseline.mean(pool));
    }

    private static List<Mixture.Mixed> mixtures(List<Latent> latents, String method, int inputs, int count) {
        var sampler = new RecipeSampler(
                Method.parse(method), InputCount.parse("" + inputs), WeightSampler.parse("equal"), Recipe.Pool.ALL);
        var recipes = IntStream.range(0, count)
                .mapToObj(k -> sampler.draw(method + k, latents.size()))
                .toList();
        return Mixer.mix(LatentPool.of(latents), recipes).stream()
                .map(mixture -> (Mixture.Mixed) mixture)
                .toList();
    }

    private static double refused(List<Latent> latents, String method, int inputs) {
        var baseline = baseline(latents);
        var gate = Gate.parse("refuse");
        var mixtures = mixtures(latents, method, inputs, 100);
        return mixtures.stream()
                        .filter(mixture ->
                                gate.refusal(baseline, mixture.latent()).isPresent())
                        .count()
                / 100.0;
    }

    @ParameterizedTest
    @CsvSource({
        "lin/0,   8,  norm",
        "fix/0,   64, class mean",
        "nin/0,   64, class mean",
        "nin/chm, 64, class mean", // the channel means are cured, the rest is not
    })
    void mixturesThatDegenerateAreRefusedByWhatIsWrongWithThem(String method, int inputs, String score) {
        var latents = biased(0.2, 0.2, "degenerate");
        assertThat(refused(latents, method, inputs)).isGreaterThan(0.95);
        var baseline = baseline(latents);
        assertThat(mixtures(latents, method, inputs, 20))
                .allSatisfy(mixture -> assertThat(baseline.findings(mixture.latent()))
                        .anyMatch(finding -> finding.score().equals(score) && finding.deviations() > 4));
    }

    @ParameterizedTest
    @CsvSource({"fix/cmm, 32", "ess/cmm, 32", "nin/cmm, 32", "fix/0, 2", "nin/chm, 2", "lin/0, 1"})
    void mixturesThatDoNotPass(String method, int inputs) {
        assertThat(refused(biased(0.2, 0.2, "sound"), method, inputs)).isLessThan(0.02);
    }

    @Test
    void aPoolsOwnLatentsAndPlainNoisePassThoughThePoolIsFarFromNominal() {
        var latents = biased(0.8, 0.8, "far");
        var baseline = baseline(latents);
        var gate = Gate.parse("refuse");
        assertThat(latents)
                .filteredOn(z -> gate.refusal(baseline, z).isPresent())
                .isEmpty();
        assertThat(Latents.normal(SHAPE, 200, 0, "noise"))
                .filteredOn(z -> gate.refusal(baseline, z).isPresent())
                .isEmpty();
        assertThat(Degeneracy.nominal(SHAPE)[1].deviations(
                        Degeneracy.of(latents.get(0)).channelMean()))
                .isGreaterThan(4);
    }

    @Test
    void theGainIsHowOftenTheMeanMapShows() {
        var latents = biased(0.3, 0.1, "gain");
        var mean = Baseline.mean(LatentPool.of(latents));
        assertThat(Baseline.gain(mean, mean)).isCloseTo(1, within(1e-12));
        assertThat(latents.stream()
                        .mapToDouble(z -> Baseline.gain(mean, z.values()))
                        .average()
                        .orElseThrow())
                .isCloseTo(1, within(1e-12));
        assertThat(Baseline.gain(new double[SHAPE.size()], mean)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 8, 64})
    void theGainOfEveryMethodIsPredictedFromThePoolsBias(int inputs) {
        var latents = biased(0.15, 0.25, "predicted");
        var pool = LatentPool.of(latents);
        var mean = Baseline.mean(pool);
        var methods = new ArrayList<Method>(MeanAdjusted.all());
        var bias = PoolBias.of(pool, mean, methods);
        for (var method : methods) {
            double measured = mixtures(latents, method.toString(), inputs, 60).stream()
                    .mapToDouble(mixture -> Baseline.gain(mean, mixture.latent().values()))
                    .average()
                    .orElseThrow();
            double predicted = bias.gain(method, 1.0 / inputs).orElseThrow();
            assertThat(predicted).as("%s of %d", method, inputs).isCloseTo(measured, within(0.06 * measured + 0.04));
        }
    }

    @Test
    void aSmallBiasIsPredictedToGrowWithTheRootOfTheEffectiveCount() {
        var latents = Latents.normal(SHAPE, POOL, 0.02, "small");
        var mean = new double[SHAPE.size()]; // the true one: a measured one of 256 latents is mostly their noise
        Arrays.fill(mean, 0.02);
        var bias = PoolBias.of(LatentPool.of(latents), mean, List.of(Method.parse("fix/0"), Method.parse("slerp")));
        assertThat(bias.gain(Method.parse("fix/0"), 1.0 / 16).orElseThrow()).isCloseTo(4, within(0.2));
        assertThat(bias.gain(Method.parse("slerp"), 0.5)).isEmpty();
    }

    @Test
    void aPoolOfOneIsItsOwnBaseline() {
        var latents = biased(0.5, 0.5, "one").subList(0, 1);
        assertThat(baseline(latents).worst(latents.get(0)).deviations()).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "off|off",
                "refuse|refuse(4)",
                "refuse(2.5)|refuse(2.5)",
                "redraw|redraw(4, tries=8)",
                "redraw(6)|redraw(6, tries=8)",
                "redraw(tries=3)|redraw(4, tries=3)",
                "redraw(5,tries=3)|redraw(5, tries=3)",
            })
    void aGateIsReadAndSpeltOut(String spelling, String canonical) {
        assertThat(Gate.parse(spelling)).hasToString(canonical);
        assertThat(Gate.parse(canonical)).isEqualTo(Gate.parse(spelling));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "on",
                "refuse(0)",
                "refuse(-1)",
                "refuse(4, tries=2)",
                "redraw(4, tries=1)",
                "redraw()",
                "redraw(4,)",
                "refuse(x)"
            })
    void aGateThatIsNoneIsRefused(String spelling) {
        assertThatThrownBy(() -> Gate.parse(spelling)).hasMessageContaining("cannot ");
    }
}
