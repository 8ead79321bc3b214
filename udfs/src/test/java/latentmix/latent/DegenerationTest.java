package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.rng.UniformRandomProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Simulates the biases in many inputs that Section 4 of the paper describes. */
class DegenerationTest {
    private static final Shape SHAPE = new Shape(4, 16, 16);
    private static final int INPUTS = 64;
    private static final double BIAS =
            0.05; // of every coefficient's standard deviation, as a pattern of unit mean square

    /** Patterns of mean square 1: the channel mean, a coarse cosine, a fine one. */
    private static double[] pattern(String name) {
        int u =
                switch (name) {
                    case "mean" -> 0;
                    case "low" -> 2;
                    default -> 13;
                };
        return IntStream.range(0, SHAPE.size())
                .mapToDouble(p -> u == 0
                        ? 1
                        : Math.sqrt(2) * Math.cos(Math.PI * (2 * (p % SHAPE.width()) + 1) * u / (2.0 * SHAPE.width())))
                .toArray();
    }

    /**
     * The factor by which the inputs' pattern shows in the mixture, against a mixture of the same inputs without it.
     */
    private static double gain(String name, String pattern, int pool) {
        var rng = RecipeSampler.rng("gain");
        var method = Method.parse(name);
        var b = pattern(pattern);
        int mixtures = 8;
        double gain = 0;
        for (int k = 0; k < mixtures; k++) {
            var plain = normal(pool, rng);
            var mixture = Latents.mix(biased(plain, b), method, Latents.equal(INPUTS), Recipe.Pool.ALL);
            var without = Latents.mix(plain, method, Latents.equal(INPUTS), Recipe.Pool.ALL);
            var difference = new double[b.length];
            Vectors.difference(Latents.values(mixture), Latents.values(without), difference);
            gain += Vectors.dot(difference, 0, b, 0, b.length) / (b.length * BIAS * mixtures);
        }
        return gain;
    }

    private static List<Latent> normal(int count, UniformRandomProvider rng) {
        return Stream.generate(() -> Latents.normal(SHAPE, 0, rng)).limit(count).toList();
    }

    private static List<Latent> biased(List<Latent> latents, double[] pattern) {
        return latents.stream()
                .map(latent -> {
                    var values = latent.values().clone();
                    Vectors.addScaled(BIAS, pattern, values);
                    return new Latent(SHAPE, values);
                })
                .toList();
    }

    @ParameterizedTest
    @CsvSource({
        "lin/0,      1, 1, 1", // at most about √64
        "fix/0,      7.4, 7.4, 7.4",
        "nin/0,      7.4, 7.4, 7.4",
        "ess/0,      7.4, 7.4, 7.4",
        "lol/0,      8, 8, 8",
        "nin/chm,    1, 7.4, 7.4",
        "nin/lp,     1, 1, 7.4",
    })
    void biasesOf64InputsAreAmplifiedUnlessTheyAreSplitOff(String method, double mean, double low, double high) {
        assertThat(gain(method, "mean", INPUTS)).isCloseTo(mean, within(0.1 * mean));
        assertThat(gain(method, "low", INPUTS)).isCloseTo(low, within(0.1 * low));
        assertThat(gain(method, "high", INPUTS)).isCloseTo(high, within(0.1 * high));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mean", "low", "high"})
    void aClassMeanMapCuresEveryPattern(String pattern) {
        assertThat(gain("nin/cmm", pattern, 4 * INPUTS)).isCloseTo(1, within(1e-9));
    }

    @Test
    void theVarianceAboutAClassMeanIsTheWeightsLessThePoolsShare() {
        int pool = 32;
        int inputs = 8;
        var weights = Latents.random(inputs, "variance");
        double squares = Vectors.dot(weights, 0, weights, 0, inputs);
        var rng = RecipeSampler.rng("variance of cmm");
        double all = 0;
        double others = 0;
        int draws = 40;
        for (int k = 0; k < draws; k++) {
            var latents = normal(pool, rng);
            all += variance(latents, weights, latents) / draws;
            others += variance(latents, weights, latents.subList(inputs, pool)) / draws;
        }
        assertThat(all).isCloseTo(squares - 1.0 / pool, within(0.03 * all));
        assertThat(others).isCloseTo(squares + 1.0 / (pool - inputs), within(0.03 * others));
    }

    /** Var(Σ w z - μ), μ the mean of some latents. */
    private static double variance(List<Latent> inputs, double[] weights, List<Latent> meanOf) {
        var r = new double[SHAPE.size()];
        for (int i = 0; i < weights.length; i++) {
            Vectors.addScaled(weights[i], inputs.get(i).values(), r);
        }
        meanOf.forEach(latent -> Vectors.addScaled(-1.0 / meanOf.size(), latent.values(), r));
        return Vectors.dot(r, 0, r, 0, r.length) / r.length;
    }

    @ParameterizedTest
    @ValueSource(strings = {"lol/0", "lol/chm", "lol/cmm"})
    void aConstantScaleGivesTheNoiseItsVarianceBack(String method) {
        var rng = RecipeSampler.rng("variance of lol");
        double variance = 0;
        for (int k = 0; k < 20; k++) {
            var mixture = Latents.mix(normal(32, rng), Method.parse(method), Latents.equal(8), Recipe.Pool.ALL);
            variance += Math.pow(((Mixture.Mixed) mixture).norm(), 2) / SHAPE.size() / 20;
        }
        assertThat(variance).isCloseTo(1, within(0.06));
    }
}
