package latentmix.latent;

import static latentmix.latent.Latents.difference;
import static latentmix.latent.Latents.equal;
import static latentmix.latent.Latents.first;
import static latentmix.latent.Latents.mix;
import static latentmix.latent.Latents.normal;
import static latentmix.latent.Latents.random;
import static latentmix.latent.Latents.values;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The properties of every method of the grid. */
class InterpolationTest {
    private static final Shape SHAPE = new Shape(3, 6, 10); // no power of two, not square
    private static final int POOL = 24;
    private static final List<Latent> LATENTS = normal(SHAPE, POOL, 0.2, "interpolation");

    static List<MeanAdjusted> methods() {
        return MeanAdjusted.all();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void theMatrixFormIsTheDefinition(MeanAdjusted method) {
        var weights = random(9, "weights");
        for (var pool : Recipe.Pool.values()) {
            var mixture = mix(LATENTS, method, weights, pool);
            assertThat(difference(values(mixture), definition(method, weights, pool)))
                    .as(pool.name())
                    .isLessThan(1e-12);
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void mergedPartsAndPermutationsAgreeWithTheMatrixForm(MeanAdjusted method) {
        var weights = random(12, "merged");
        var expected = values(mix(LATENTS, method, weights, Recipe.Pool.ALL));

        var parts = List.of(state(method), state(method), state(method), state(method)); // the last one stays empty
        for (int i = weights.length - 1; i >= 0; i--) {
            parts.get(i * i % 3).add(LATENTS.get(i), 7 * weights[i]); // whatever the weights' sum is
        }
        parts.get(3).merge(parts.get(2));
        parts.get(3).merge(parts.get(0));
        parts.get(1).merge(parts.get(3));
        assertThat(difference(values(parts.get(1).finish()), expected)).isLessThan(1e-12);

        var inputs = IntStream.range(0, 12).map(i -> i * 5 % 12).toArray();
        var permuted = IntStream.of(inputs).mapToDouble(i -> weights[i]).toArray();
        var recipe = new Recipe(method, inputs, permuted, Recipe.Pool.ALL);
        assertThat(difference(
                        values(Mixer.mix(LatentPool.of(LATENTS), List.of(recipe))
                                .get(0)),
                        expected))
                .isLessThan(1e-12);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void aOneHotWeightGivesTheInputBackUnlessTheNormIsFixed(MeanAdjusted method) {
        for (var pool : Recipe.Pool.values()) {
            for (int n : new int[] {1, 5}) {
                var oneHot = new double[n];
                oneHot[n / 2] = 1;
                double difference = difference(
                        values(mix(LATENTS, method, oneHot, pool)),
                        LATENTS.get(n / 2).values());
                if (method.norm() instanceof Fix) {
                    assertThat(difference).isGreaterThan(1e-3);
                } else {
                    assertThat(difference).isLessThan(1e-12);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nin/0", "nin/chm", "coh/0", "coh/chm", "coh/lp", "coh/0@channel", "coh/0@band", "slerp"})
    void equalInputsAreGivenBackWhateverTheirWeights(String name) {
        var twice = List.of(LATENTS.get(3), LATENTS.get(3));
        var mixture = mix(twice, Method.parse(name), new double[] {0.3, 0.7}, Recipe.Pool.ALL);
        assertThat(difference(values(mixture), LATENTS.get(3).values())).isLessThan(1e-12);
    }

    @Test
    void aCoherentNormTakesTwoCopiesOfAnInputForOne() {
        var method = Method.parse("coh/chm");
        var copies = List.of(LATENTS.get(0), LATENTS.get(1), LATENTS.get(1));
        var split = mix(copies, method, new double[] {0.4, 0.1, 0.5}, Recipe.Pool.ALL);
        var merged = mix(copies, method, new double[] {0.4, 0.6}, Recipe.Pool.ALL);
        assertThat(difference(values(split), values(merged))).isLessThan(1e-12);
        var counted = Method.parse("ess/chm"); // whose Σ w² counts them as two
        assertThat(difference(
                        values(mix(copies, counted, new double[] {0.4, 0.1, 0.5}, Recipe.Pool.ALL)),
                        values(mix(copies, counted, new double[] {0.4, 0.6}, Recipe.Pool.ALL))))
                .isGreaterThan(1e-3);
    }

    @Test
    void aCoherentNormIsNominalWhereInputsHaveNothingInCommon() {
        var latents = new ArrayList<Latent>();
        for (var latent : normal(new Shape(4, 16, 16), 64, 0, "far")) {
            latents.add(new Latent(
                    latent.shape(),
                    java.util.Arrays.stream(latent.values()).map(x -> 0.8 * x).toArray()));
        }
        for (int n : new int[] {1, 2, 4, 16, 64}) {
            // 0.64 of noise's variance in the inputs, a share 1/N of which is left, and noise's own for the rest
            double expected = Math.sqrt(1024 * (0.64 / n + 1 - 1.0 / n));
            var mixed = (Mixture.Mixed) mix(latents, Method.parse("coh/0"), equal(n), Recipe.Pool.ALL);
            assertThat(mixed.norm()).isCloseTo(expected, within(0.03 * expected));
        }
    }

    @ParameterizedTest
    @EnumSource
    void bytesDoNotDependOnTilesOrOnOtherMixtures(Recipe.Pool pool) {
        var recipes = new ArrayList<Recipe>();
        for (var method : MeanAdjusted.all()) {
            for (int k = 0; k < 3; k++) {
                var sampler = new RecipeSampler(method, new InputCount(2, 9), new WeightSampler.Dirichlet(1), pool);
                recipes.add(sampler.draw(method + " " + k, POOL));
            }
        }
        var together = Mixer.mix(LatentPool.of(LATENTS), recipes);
        assertThat(new Mixer(LatentPool.of(LATENTS), 0).mix(recipes)).isEqualTo(together);
        assertThat(new Mixer(LatentPool.of(LATENTS), 7L * 16 * SHAPE.size()).mix(recipes))
                .isEqualTo(together);
        for (int k = 0; k < recipes.size(); k++) {
            assertThat(Mixer.mix(LatentPool.of(LATENTS), List.of(recipes.get(k))))
                    .as("%s alone", recipes.get(k).method())
                    .containsExactly(together.get(k));
        }
    }

    @Test
    void aPoolLargerThanABlockIsSummedTheSameWay() {
        var latents = normal(SHAPE, 150, 0, "blocks");
        var weights = random(150, "blocks");
        for (var name : List.of("nin/chm", "ess/0@band")) {
            var method = MeanAdjusted.parse(name);
            var state = new CentroidState(method, SHAPE, ClassMean.NONE);
            for (int i = 0; i < weights.length; i++) {
                state.add(latents.get(i), weights[i]);
            }
            assertThat(difference(values(mix(latents, method, weights, Recipe.Pool.ALL)), values(state.finish())))
                    .isLessThan(1e-12);
        }
    }

    @Test
    void withEqualWeightsOverTheWholePoolAClassMeanLeavesNoResidual() {
        for (var name : List.of("fix/cmm", "nin/cmm", "lol/cmm", "ess/cmm@channel", "fix/cmm@band")) {
            assertThat(mix(LATENTS, Method.parse(name), equal(POOL), Recipe.Pool.ALL))
                    .isEqualTo(new Mixture.Undefined("no residual"));
        }
        assertThat(mix(LATENTS, Method.parse("lin/cmm"), equal(POOL), Recipe.Pool.ALL))
                .isInstanceOf(Mixture.Mixed.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"fix/0", "nin/chm", "lol/0", "ess/lp", "nin/0@channel", "fix/0@band"})
    void oppositeInputsLeaveNoResidual(String name) {
        var z = LATENTS.get(0);
        var minus = new Latent(
                SHAPE,
                IntStream.range(0, SHAPE.size())
                        .mapToDouble(p -> -z.values()[p])
                        .toArray());
        assertThat(mix(List.of(z, minus), Method.parse(name), equal(2), Recipe.Pool.ALL))
                .isEqualTo(new Mixture.Undefined("no residual"));
        assertThat(mix(List.of(z, minus), Method.parse("lin/0"), equal(2), Recipe.Pool.ALL))
                .isInstanceOf(Mixture.Mixed.class);
    }

    @Test
    void constantChannelsLeaveNoResidualOfTheirMeansWhateverRoundingDoes() {
        var constant = new double[SHAPE.size()];
        java.util.Arrays.fill(constant, 0.1);
        var latents = List.of(new Latent(SHAPE, constant), new Latent(SHAPE, constant), new Latent(SHAPE, constant));
        for (var name : List.of("fix/m", "fix/chm", "nin/lp", "fix/0@band")) {
            assertThat(mix(latents, Method.parse(name), equal(3), Recipe.Pool.ALL))
                    .as(name)
                    .isEqualTo(new Mixture.Undefined("no residual"));
        }
    }

    @Test
    void aMixtureCarriesItsStatistics() {
        var mixed =
                (Mixture.Mixed) mix(LATENTS, Method.parse("fix/0"), new double[] {0.5, 0.25, 0.25}, Recipe.Pool.ALL);
        assertThat(mixed.ess()).isEqualTo(1 / 0.375);
        assertThat(mixed.predictedGain()).isEqualTo(Math.sqrt(1 / 0.375));
        assertThat(mixed.norm()).isCloseTo(Math.sqrt(SHAPE.size()), within(1e-12));
        assertThat(mixed.channelMeans())
                .isEqualTo(mixed.latent().channelMeans())
                .hasSize(3);
    }

    @Test
    void aRecipeChecksItself() {
        var method = Method.parse("nin/chm");
        var all = Recipe.Pool.ALL;
        assertThatThrownBy(() -> new Recipe(method, first(2), new double[] {0.5, 0.6}, all))
                .hasMessageContaining("sum of 1");
        assertThatThrownBy(() -> new Recipe(method, first(2), new double[] {1.5, -0.5}, all))
                .hasMessageContaining("negative");
        assertThatThrownBy(() -> new Recipe(method, first(2), new double[] {Double.NaN, 1}, all))
                .hasMessageContaining("sum of 1");
        assertThatThrownBy(() -> new Recipe(method, new int[] {3, 3}, equal(2), all))
                .hasMessageContaining("different");
        assertThatThrownBy(() -> new Recipe(method, first(3), equal(2), all))
                .hasMessageContaining("one weight for each");
        assertThatThrownBy(() -> mix(LATENTS.subList(0, 2), method, equal(3), all))
                .hasMessageContaining("below the pool's size");
    }

    private static CentroidState state(MeanAdjusted method) {
        return new CentroidState(
                method, SHAPE, method.needsClassMean() ? ClassMean.ofPool(mean(LATENTS), POOL) : ClassMean.NONE);
    }

    private static double[] definition(MeanAdjusted method, double[] weights, Recipe.Pool pool) {
        int n = weights.length;
        boolean all = pool == Recipe.Pool.ALL;
        var mu = mean(all ? LATENTS : LATENTS.subList(n, POOL));
        double shared = !method.needsClassMean() ? 0 : all ? 1.0 / POOL : -1.0 / (POOL - n);
        var inputs = LATENTS.subList(0, n).stream().map(Latent::values).toList();
        return Definition.mix(method.toString(), SHAPE, inputs, weights, mu, shared);
    }

    private static double[] mean(List<Latent> latents) {
        return IntStream.range(0, SHAPE.size())
                .mapToDouble(p -> latents.stream()
                        .mapToDouble(latent -> latent.values()[p])
                        .average()
                        .getAsDouble())
                .toArray();
    }
}
