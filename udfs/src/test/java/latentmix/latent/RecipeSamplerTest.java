package latentmix.latent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RecipeSamplerTest {
    private static final Method METHOD = Method.parse("nin/chm");

    private static double meanEss(WeightSampler sampler, int inputs) {
        var rng = RecipeSampler.rng("mean ess");
        return IntStream.range(0, 20_000)
                .mapToDouble(k -> {
                    var w = sampler.sample(inputs, rng);
                    return 1 / Arrays.stream(w).map(x -> x * x).sum();
                })
                .average()
                .getAsDouble();
    }

    @ParameterizedTest
    @CsvSource({"2, 1.5", "8, 1.1", "8, 2", "8, 4", "8, 7.9", "64, 4", "64, 32", "64, 63.5", "3, 1", "5, 5"})
    void theEffectiveCountHitsItsTargetOnAverage(int inputs, double ess) {
        assertThat(meanEss(WeightSampler.parse("ess(" + ess + ")"), inputs)).isCloseTo(ess, within(0.015 * ess));
    }

    @Test
    void dirichletWeightsHaveTheMomentsOfTheirDistribution() {
        var sampler = new WeightSampler.Dirichlet(0.5);
        var rng = RecipeSampler.rng("moments");
        double mean = 0;
        double square = 0;
        int draws = 50_000;
        for (int k = 0; k < draws; k++) {
            var w = sampler.sample(4, rng);
            mean += w[3] / draws;
            square += w[3] * w[3] / draws;
        }
        assertThat(mean).isCloseTo(0.25, within(0.005));
        assertThat(square).isCloseTo(0.5 * 1.5 / (2.0 * 3.0), within(0.005)); // a (a + 1) / (n a (n a + 1))
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "equal",
                "dirichlet(1)",
                "dirichlet(0.01)",
                "dirichlet(300)",
                "ess(2.5)",
                "fixed(2,1,1)",
                "path(0.4)"
            })
    void weightsAreNotNegativeHaveASumOfOneAndASpelling(String spelling) {
        var sampler = WeightSampler.parse(spelling);
        assertThat(sampler).hasToString(spelling);
        var rng = RecipeSampler.rng(spelling);
        for (int k = 0; k < 1000; k++) {
            var w = sampler.sample(3, rng);
            assertThat(w).hasSize(3);
            assertThat(Arrays.stream(w).min().getAsDouble()).isNotNegative();
            assertThat(Arrays.stream(w).sum()).isCloseTo(1, within(1e-12));
        }
    }

    @Test
    void oneInputHasTheWholeWeight() {
        assertThat(new WeightSampler.Dirichlet(1).sample(1, RecipeSampler.rng("one")))
                .containsExactly(1);
        assertThat(new WeightSampler.EffectiveCount(1).sample(1, RecipeSampler.rng("one")))
                .containsExactly(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "equals",
                "equal(1)",
                "dirichlet",
                "dirichlet()",
                "dirichlet(0)",
                "dirichlet(-1)",
                "dirichlet(1,2)",
                "dirichlet(NaN)",
                "ess(0.5)",
                "ess",
                "fixed()",
                "fixed(0,0)",
                "fixed(1,-1)",
                "fixed(1,a)",
                "path",
                "path(-0.1)",
                "path(2.1)",
                "path(0,1)"
            })
    void otherWeightsAreRefused(String spelling) {
        assertThatThrownBy(() -> WeightSampler.parse(spelling))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("cannot be");
    }

    @Test
    void weightsThatDoNotFitTheInputsAreRefused() {
        assertThatThrownBy(() -> sampler("2..8", "ess(4)"))
                .hasMessageContaining("ess(4)")
                .hasMessageContaining("2..8");
        assertThatThrownBy(() -> sampler("2", "fixed(1,1,1)")).hasMessageContaining("3 inputs");
        assertThatThrownBy(() -> sampler("2..3", "fixed(1,1,1)")).hasMessageContaining("2..3");
        assertThatThrownBy(() -> sampler("4", "path(1.5)")).hasMessageContaining("2 inputs");
    }

    @Test
    void aPathLeadsFromTheFirstInputToTheCentroidAndOfTwoInputsToTheOther() {
        var rng = RecipeSampler.rng("path");
        assertThat(new WeightSampler.Path(0).sample(4, rng)).containsExactly(1, 0, 0, 0);
        assertThat(new WeightSampler.Path(0.5).sample(4, rng)).containsExactly(0.625, 0.125, 0.125, 0.125);
        assertThat(new WeightSampler.Path(1).sample(4, rng)).containsExactly(0.25, 0.25, 0.25, 0.25);
        assertThat(new WeightSampler.Path(1.5).sample(2, rng)).containsExactly(0.25, 0.75);
        assertThat(new WeightSampler.Path(2).sample(2, rng)).containsExactly(0, 1);
        assertThat(new WeightSampler.Path(0.5).expectedEss(4))
                .isCloseTo(1 / (0.625 * 0.625 + 3 * 0.125 * 0.125), within(1e-12));
    }

    @Test
    void inputsAreDrawnWithoutReplacementEachEquallyOften() {
        var sampler = sampler("2..5", "equal");
        var times = new int[10];
        var counts = new int[6];
        for (int k = 0; k < 10_000; k++) {
            var inputs = sampler.draw("inputs " + k, 10).inputs(); // a recipe refuses the same input twice
            counts[inputs.length]++;
            Arrays.stream(inputs).forEach(i -> times[i]++);
        }
        assertThat(counts[0] + counts[1]).isZero();
        assertThat(Arrays.stream(counts, 2, 6).boxed()).allMatch(count -> count > 2350 && count < 2650);
        assertThat(Arrays.stream(times).boxed()).allMatch(count -> count > 3350 && count < 3650); // 10,000 · 3.5 / 10
    }

    @Test
    void anIdDecidesItsRecipeAlone() {
        var sampler = sampler("2..8", "dirichlet(1)");
        var one = sampler.draw("8f3a", 64);
        var again = sampler.draw("8f3a", 64);
        assertThat(again.inputs()).isEqualTo(one.inputs());
        assertThat(again.weights()).isEqualTo(one.weights());
        assertThat(sampler.draw("8f3b", 64).weights()).isNotEqualTo(one.weights());
    }

    @Test
    void allInputsButTheFirstMayBeDrawnFromThoseNearIt() {
        var sampler = sampler("1..3", "equal");
        var firsts = new int[10];
        var others = new int[4]; // how far after the first
        for (int k = 0; k < 6000; k++) {
            var inputs = sampler.drawNear(
                            "near " + k, 10, first -> new int[] {(first + 1) % 10, (first + 2) % 10, (first + 3) % 10})
                    .inputs();
            firsts[inputs[0]]++;
            Arrays.stream(inputs).skip(1).forEach(i -> others[(i - inputs[0] + 10) % 10]++);
        }
        assertThat(Arrays.stream(firsts).boxed()).allMatch(count -> count > 500 && count < 700);
        assertThat(others[0]).isZero();
        assertThat(Arrays.stream(others, 1, 4).boxed()).allMatch(count -> count > 1850 && count < 2150);
        assertThatThrownBy(() -> sampler.drawNear("x", 2, first -> new int[] {1 - first}))
                .hasMessageContaining("cannot have: 2");
    }

    @Test
    void aPoolThatIsTooSmallIsAnErrorAndASmallOneAWarning() {
        assertThat(sampler("8", "equal").poolError(7))
                .hasValueSatisfying(error -> assertThat(error).contains("8", "7"));
        assertThat(sampler("8", "equal").poolError(8)).isEmpty();
        var cmm = new RecipeSampler(
                Method.parse("nin/cmm"), InputCount.parse("2..8"), new WeightSampler.Equal(), Recipe.Pool.ALL);
        assertThat(cmm.poolError(15)).isPresent();
        assertThat(cmm.poolError(16)).isEmpty();
        assertThat(cmm.poolWarning(31)).isPresent();
        assertThat(cmm.poolWarning(32)).isEmpty();
        assertThatThrownBy(() -> cmm.draw("x", 15)).hasMessageContaining("at least 16");
    }

    @Test
    void inputCountsAreReadFromTheirSpelling() {
        assertThat(InputCount.parse("8")).isEqualTo(new InputCount(8, 8)).hasToString("8");
        assertThat(InputCount.parse("2..8")).isEqualTo(new InputCount(2, 8)).hasToString("2..8");
        for (var spelling : new String[] {"", "8..2", "-1", "2-8", "2...8", "x"}) {
            assertThatThrownBy(() -> InputCount.parse(spelling)).hasMessageContaining("cannot be");
        }
    }

    private static RecipeSampler sampler(String inputs, String weights) {
        return new RecipeSampler(METHOD, InputCount.parse(inputs), WeightSampler.parse(weights), Recipe.Pool.ALL);
    }
}
