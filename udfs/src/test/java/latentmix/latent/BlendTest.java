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
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The properties of every method beside the grid, then the formula of each one. */
class BlendTest {
    private static final Shape SHAPE = new Shape(4, 6, 10);
    private static final int POOL = 24;
    private static final List<Latent> LATENTS = normal(SHAPE, POOL, 0.2, "blend");
    private static final Recipe.Pool ALL = Recipe.Pool.ALL;

    static List<Blend> blends() {
        return Blend.all();
    }

    static Stream<Blend> interpolations() {
        return Blend.all().stream().filter(blend -> !blend.drawsNoise());
    }

    @ParameterizedTest
    @MethodSource("blends")
    void everyBlendIsReadFromItsOwnName(Blend blend) {
        assertThat(Method.parse(blend.toString())).isEqualTo(blend);
    }

    @ParameterizedTest
    @MethodSource("blends")
    void aRecipesBytesAreItsOwn(Blend blend) {
        var recipes = new ArrayList<Recipe>();
        for (int k = 0; k < 5; k++) {
            for (var pool : Recipe.Pool.values()) {
                recipes.add(recipe(blend, "own " + k, pool));
            }
        }
        recipes.add(2, recipe(Method.parse("nin/cmm"), "between", ALL));
        var together = Mixer.mix(LatentPool.of(LATENTS), recipes);
        assertThat(together).allMatch(Mixture.Mixed.class::isInstance).hasSize(11);
        assertThat(new Mixer(LatentPool.of(LATENTS), 0).mix(recipes)).isEqualTo(together);
        assertThat(new Mixer(LatentPool.of(LATENTS), 7L * 16 * SHAPE.size()).mix(recipes))
                .isEqualTo(together);
        for (int k = 0; k < recipes.size(); k++) {
            assertThat(Mixer.mix(LatentPool.of(LATENTS), recipes.subList(k, k + 1)))
                    .isEqualTo(together.subList(k, k + 1));
        }
    }

    @ParameterizedTest
    @MethodSource("interpolations")
    void aOneHotWeightGivesTheInputBack(Blend blend) {
        int n = Math.min(3, blend.inputs().most());
        for (int hot = 0; hot < n; hot++) {
            var oneHot = new double[n];
            oneHot[hot] = 1;
            assertThat(difference(
                            values(mix(LATENTS, blend, oneHot, ALL)),
                            LATENTS.get(hot).values()))
                    .isLessThan(1e-12);
        }
    }

    @ParameterizedTest
    @MethodSource("interpolations")
    void theOrderOfInputsDoesNotMatter(Blend blend) {
        int n = Math.min(5, blend.inputs().most());
        var weights = random(n, "order");
        var inputs = first(n);
        var reversed = IntStream.range(0, n).map(i -> n - 1 - i).toArray();
        var turned = IntStream.of(reversed).mapToDouble(i -> weights[i]).toArray();
        var mixtures = Mixer.mix(
                LatentPool.of(LATENTS),
                List.of(new Recipe(blend, inputs, weights, ALL), new Recipe(blend, reversed, turned, ALL)));
        assertThat(difference(values(mixtures.get(1)), values(mixtures.get(0))))
                .isLessThan(blend instanceof Nao ? 1e-5 : 1e-12);
    }

    @ParameterizedTest
    @ValueSource(strings = {"slerp", "spherical-mean", "nao", "arc", "adain"})
    void oppositeInputsLeaveNoDirection(String name) {
        var z = LATENTS.get(0);
        var minus = new Latent(SHAPE, Vectors.quotient(z.values(), -1));
        var recipe = new Recipe(Method.parse(name), first(2), equal(2), ALL, new FreshNoise("opposite"));
        assertThat(Mixer.mix(LatentPool.of(List.of(z, minus)), List.of(recipe)))
                .containsExactly(new Mixture.Undefined("no direction"));
    }

    @ParameterizedTest
    @CsvSource({
        "slerp, 3, exactly 2 inputs, use spherical-mean",
        "slerp, 1, exactly 2 inputs, use spherical-mean",
        "arc, 3, exactly 2 inputs, inputs: 2",
        "nao, 9, 1 to 8 inputs, use spherical-mean",
        "nao, 2..9, 1 to 8 inputs, use spherical-mean",
        "tint(0.3), 2, exactly 1 inputs, inputs: 1",
        "sdedit(0.5), 2, exactly 1 inputs, inputs: 1",
        "diff-mix(0.7), 2, exactly 1 inputs, inputs: 1",
        "prompt, 1, exactly 0 inputs, inputs: 0",
        "nin/chm, 0, 1 or more inputs, use prompt",
        "cog, 0, 1 or more inputs, use prompt"
    })
    void aCountOfInputsThatTheMethodDoesNotTakeIsRefused(String name, String count, String takes, String instead) {
        var method = Method.parse(name);
        assertThatThrownBy(() -> new RecipeSampler(
                        method, InputCount.parse(count), new WeightSampler.Dirichlet(1), Recipe.Pool.ALL))
                .hasMessageContaining("Method " + name + " takes " + takes)
                .hasMessageContaining("cannot take: " + count)
                .hasMessageContaining(instead);
        int n = InputCount.parse(count).most();
        assertThatThrownBy(() -> new Recipe(method, first(n), n == 0 ? new double[0] : equal(n), ALL))
                .hasMessageContaining(takes);
    }

    @ParameterizedTest
    @CsvSource({
        "tint(0), 'prompt'",
        "tint(1), 'prompt'",
        "tint(NaN), above 0",
        "sdedit(0), at most 1",
        "sdedit(1.1), at most 1",
        "diff-mix(0), at most 1",
        "'diff-mix(0.5, 0)', its gamma above 0",
        "cog(0), 'lol/0'",
        "cog(x), 'cog(chm)'",
        "fill(0), 'fill(cmm)'"
    })
    void numbersThatMakeNoSenseAreRefused(String name, String message) {
        assertThatThrownBy(() -> Method.parse(name)).hasMessageContaining(message);
    }

    @Test
    void ofTwoInputsOfOneNormTheSphericalMeanIsSlerp() {
        var z1 = LATENTS.get(1);
        var pair = List.of(
                LATENTS.get(0),
                new Latent(
                        SHAPE,
                        Vectors.quotient(z1.values(), z1.norm() / LATENTS.get(0).norm())));
        for (double t : new double[] {0.5, 0.1}) {
            var weights = new double[] {1 - t, t};
            assertThat(difference(
                            values(mix(pair, new SphericalMean(), weights, ALL)),
                            values(mix(pair, new Slerp(), weights, ALL))))
                    .isLessThan(1e-12);
        }
    }

    @Test
    void theSphericalMeanBalancesTheInputsAnglesAtTheirInterpolatedNorm() {
        var weights = random(7, "balance");
        var q = ((Mixture.Mixed) mix(LATENTS, new SphericalMean(), weights, ALL)).latent();
        double norm = 0;
        var pull = new double[SHAPE.size()]; // Σ w log_q(p), by the logarithm of rotations in a plane
        for (int i = 0; i < weights.length; i++) {
            var z = LATENTS.get(i);
            norm += weights[i] * z.norm();
            double cosine = dot(z.values(), q.values()) / z.norm() / q.norm();
            for (int p = 0; p < pull.length; p++) {
                pull[p] += weights[i]
                        * Math.acos(cosine)
                        / Math.sqrt(1 - cosine * cosine)
                        * (z.values()[p] / z.norm() - cosine * q.values()[p] / q.norm());
            }
        }
        assertThat(q.norm()).isCloseTo(norm, within(1e-11));
        assertThat(Math.sqrt(dot(pull, pull))).isLessThan(1e-12);
    }

    @Test
    void aCombinationAboutAMeanOfZeroIsTheGridsLol() {
        var weights = random(6, "cog");
        var inputs = Blend.Inputs.of(LATENTS.subList(0, 6), weights, ClassMean.NONE);
        assertThat(difference(
                        Cog.combination(inputs, new double[SHAPE.size()]),
                        values(mix(LATENTS, Method.parse("lol/0"), weights, ALL))))
                .isLessThan(1e-12);
    }

    @Test
    void aCombinationAboutTheClassMeanHasThatMeanAndTheInputsDeviationFromIt() {
        var weights = random(6, "cog");
        var mu = new double[SHAPE.size()];
        LATENTS.forEach(z -> Vectors.addScaled(1.0 / POOL, z.values(), mu));
        var expected = IntStream.range(0, mu.length)
                .mapToDouble(p -> {
                    double y = 0;
                    double beta = 0;
                    for (int i = 0; i < weights.length; i++) {
                        y += weights[i] * LATENTS.get(i).values()[p];
                        beta += weights[i] * weights[i];
                    }
                    return (1 - 1 / Math.sqrt(beta)) * mu[p] + y / Math.sqrt(beta);
                })
                .toArray();
        assertThat(difference(values(mix(LATENTS, Method.parse("cog"), weights, ALL)), expected))
                .isLessThan(1e-12);
        // of the channels' means: the same where μ is constant in every channel
        var channels = ((Mixture.Mixed) mix(LATENTS, Method.parse("cog(chm)"), weights, ALL)).channelMeans();
        for (int c = 0; c < channels.length; c++) {
            double mean = Arrays.stream(expected, c * SHAPE.plane(), (c + 1) * SHAPE.plane())
                    .average()
                    .getAsDouble();
            assertThat(channels[c]).isCloseTo(mean, within(1e-12));
        }
    }

    @Test
    void aCombinationLeavingItsInputsOutIsAboutTheOthersMean() {
        var weights = random(6, "cog");
        var others = LATENTS.subList(6, POOL);
        var mu = new double[SHAPE.size()];
        others.forEach(z -> Vectors.addScaled(1.0 / others.size(), z.values(), mu));
        var inputs = Blend.Inputs.of(LATENTS.subList(0, 6), weights, ClassMean.NONE);
        assertThat(difference(
                        values(mix(LATENTS, Method.parse("cog"), weights, Recipe.Pool.LEAVE_INPUTS_OUT)),
                        Cog.combination(inputs, mu)))
                .isLessThan(1e-12);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 8})
    void aNormGuidedPathStaysNearerTheTypicalNormThanAStraightOne(int n) {
        var weights = equal(n);
        double typical = Math.sqrt(SHAPE.size() - 1);
        double guided = ((Mixture.Mixed) mix(LATENTS, new Nao(), weights, ALL)).norm();
        double straight = ((Mixture.Mixed) mix(LATENTS, Method.parse("lin/0"), weights, ALL)).norm();
        assertThat(straight).isLessThan(0.8 * typical);
        assertThat(guided).isCloseTo(typical, within(0.15));
    }

    @Test
    void betweenShortInputsAPathRunsAtTheTypicalNorm() {
        var pool = LATENTS.subList(0, 2).stream()
                .map(z -> new Latent(SHAPE, Vectors.quotient(z.values(), 1 / 0.7)))
                .toList();
        double typical = Math.sqrt(SHAPE.size() - 1);
        double least = 0.7 * typical;
        for (double t :
                new double[] {0.1, 0.2, 0.3, 0.5}) { // slowly while norms are unlikely: they make the way longer
            double norm = ((Mixture.Mixed) mix(pool, new Nao(), new double[] {1 - t, t}, ALL)).norm();
            assertThat(norm).isGreaterThan(least).isLessThan(typical + 0.1);
            least = norm;
        }
        assertThat(least).isGreaterThan(0.95 * typical);
    }

    @Test
    void thePathsPointIsNoLongerThanAnyOtherWayThatWasTried() {
        // d(z0, z)² w0 + d(z, z1)² w1 at the centroid against points beside it, d by the line integral over a fine
        // slerp-like chain
        var weights = new double[] {0.5, 0.5};
        var centroid = values(mix(LATENTS, new Nao(), weights, ALL));
        double best = distances(centroid);
        for (double factor : new double[] {0.9, 0.95, 1.05, 1.1}) {
            assertThat(distances(Vectors.quotient(centroid, 1 / factor))).isGreaterThan(best);
        }
        for (int towards : new int[] {0, 1}) {
            var moved = centroid.clone();
            Vectors.addScaled(0.1, LATENTS.get(towards).values(), moved);
            var same = Vectors.quotient(moved, norm(moved) / norm(centroid));
            assertThat(distances(same)).isGreaterThan(best);
        }
    }

    private static double distances(double[] z) {
        double sum = 0;
        for (int i = 0; i < 2; i++) {
            double length = 0;
            double[] last = z;
            for (int k = 1; k <= 400; k++) {
                double t = k / 400.0;
                var next = new double[z.length];
                Vectors.addScaled(1 - t, z, next);
                Vectors.addScaled(t, LATENTS.get(i).values(), next);
                double wanted = Math.sqrt(SHAPE.size() - 1);
                double radius = norm(z) + (wanted - norm(z)) * Math.min(1, 8 * t); // soon at the typical norm
                next = Vectors.quotient(
                        next, norm(next) / (radius + (LATENTS.get(i).norm() - wanted) * Math.max(0, 8 * t - 7)));
                var step = Vectors.difference(next, last);
                var middle = Vectors.difference(next, Vectors.quotient(step, 2));
                length += norm(step) * Nao.cost(norm(middle), SHAPE.size());
                last = next;
            }
            sum += length * length / 2;
        }
        return sum;
    }

    @Test
    void theCostOfANormIsTheChiDensitysLogarithm() {
        assertThat(Nao.cost(1, 2)).isCloseTo(0.5, within(1e-12)); // Rayleigh: r exp(-r²/2)
        assertThat(Nao.cost(2, 3))
                .isCloseTo(-Math.log(Math.sqrt(2 / Math.PI) * 4 * Math.exp(-2)), within(1e-12)); // Maxwell
        double sum = 0; // of a density: 1
        for (double r = 10; r < 24; r += 1e-3) {
            sum += 1e-3 * Math.exp(-Nao.cost(r, 256));
        }
        assertThat(sum).isCloseTo(1, within(1e-9));
    }

    @Test
    void anArcsPointsAreOfTheWholeCircleAndOfNoWeights() {
        var recipes = new ArrayList<Recipe>();
        for (int k = 0; k < 400; k++) {
            var weights = k % 2 == 0 ? equal(2) : new double[] {0.9, 0.1};
            recipes.add(new Recipe(new Arc(), first(2), weights, ALL, new FreshNoise("arc " + k / 2)));
        }
        var mixtures = Mixer.mix(LatentPool.of(LATENTS), recipes);
        var z0 = LATENTS.get(0);
        int ahead = 0;
        for (int k = 0; k < 400; k += 2) {
            assertThat(values(mixtures.get(k))).isEqualTo(values(mixtures.get(k + 1)));
            double norm = norm(values(mixtures.get(k)));
            // an ellipse where norms differ: between the circles of a little less than the smaller and more than the
            // larger one
            assertThat(norm).isBetween(0.95 * z0.norm(), 1.05 * z0.norm());
            ahead += dot(values(mixtures.get(k)), z0.values()) > 0 ? 1 : 0;
        }
        assertThat(ahead).isBetween(70, 130); // of 200: half, within four standard deviations
    }

    @Test
    void adainGivesEveryChannelTheInterpolatedMeanAndDeviation() {
        var weights = random(4, "adain");
        var mixed = values(mix(LATENTS, new Adain(), weights, ALL));
        for (int c = 0; c < SHAPE.channels(); c++) {
            double mean = 0;
            double deviation = 0;
            for (int i = 0; i < 4; i++) {
                mean += weights[i] * moments(LATENTS.get(i).values(), c)[0];
                deviation += weights[i] * moments(LATENTS.get(i).values(), c)[1];
            }
            assertThat(moments(mixed, c)[0]).isCloseTo(mean, within(1e-12));
            assertThat(moments(mixed, c)[1]).isCloseTo(deviation, within(1e-12));
        }
    }

    @Test
    void ofEqualWeightsAdainIsTheGridsChannelwiseNormOfAChannelMeanSplitWhereNormsAreOne() {
        var unit = LATENTS.stream()
                .map(z -> new Latent(SHAPE, Vectors.quotient(z.values(), z.norm())))
                .toList();
        assertThat(difference(
                        values(mix(unit, new Adain(), equal(2), ALL)),
                        values(mix(unit, Method.parse("nin/chm@channel"), equal(2), ALL))))
                .isLessThan(1e-12);
    }

    @Test
    void aTintIsTheInputWithThatShareOfTheRecipesNoise() {
        var noise = new FreshNoise("tint");
        var epsilon = noise.normal(SHAPE);
        var z = LATENTS.get(2).values();
        var y = IntStream.range(0, z.length)
                .mapToDouble(p -> 0.7 * z[p] + 0.3 * epsilon[p])
                .toArray();
        var expected = Vectors.quotient(y, norm(y) / (0.7 * norm(z) + 0.3 * norm(epsilon)));
        var recipe = new Recipe(new Tint(0.3), new int[] {2}, new double[] {1}, ALL, noise);
        var tinted = Mixer.mix(LatentPool.of(LATENTS), List.of(recipe)).get(0);
        assertThat(difference(values(tinted), expected)).isLessThan(1e-12);
    }

    @Test
    void methodsOfOneDrawAreComparedOnTheSameNoise() {
        var edit = recipe(new Sdedit(0.5), "the draw", ALL);
        var tint = recipe(new Tint(0.5), "the draw", ALL);
        assertThat(tint.inputs()).isEqualTo(edit.inputs());
        var mixtures = Mixer.mix(LatentPool.of(LATENTS), List.of(edit, tint, recipe(new Sdedit(0.9), "the draw", ALL)));
        assertThat(mixtures.get(2)).isEqualTo(mixtures.get(0));
        var noise = values(mixtures.get(0));
        var z = LATENTS.get(tint.inputs()[0]).values();
        var y = Vectors.difference(noise, Vectors.quotient(z, -1));
        assertThat(difference(
                        Vectors.quotient(values(mixtures.get(1)), norm(values(mixtures.get(1)))),
                        Vectors.quotient(y, norm(y))))
                .isLessThan(1e-12);
    }

    @Test
    void promptHasNoInputsAndTheNormOfNoise() {
        var recipe = recipe(new Prompt(), "prompt", ALL);
        assertThat(recipe.inputs()).isEmpty();
        var mixed = (Mixture.Mixed)
                Mixer.mix(LatentPool.of(LATENTS), List.of(recipe)).get(0);
        assertThat(mixed.ess()).isZero();
        assertThat(mixed.norm()).isCloseTo(Math.sqrt(SHAPE.size()), within(4 * Math.sqrt(0.5)));
    }

    @Test
    void noiseWithoutAnIdIsAnError() {
        var recipe = new Recipe(new Tint(0.3), first(1), equal(1), ALL);
        assertThatThrownBy(() -> Mixer.mix(LatentPool.of(LATENTS), List.of(recipe)))
                .hasMessageContaining("the id that seeds it");
    }

    /** A recipe of as many inputs as the method takes, at most 3. */
    private static Recipe recipe(Method method, String id, Recipe.Pool pool) {
        int n = Math.min(3, method.inputs().most());
        return new RecipeSampler(method, new InputCount(n, n), new WeightSampler.Dirichlet(1), pool).draw(id, POOL);
    }

    private static double[] moments(double[] x, int channel) {
        double mean = Arrays.stream(x, channel * SHAPE.plane(), (channel + 1) * SHAPE.plane())
                .average()
                .getAsDouble();
        double variance = Arrays.stream(x, channel * SHAPE.plane(), (channel + 1) * SHAPE.plane())
                .map(v -> (v - mean) * (v - mean))
                .average()
                .getAsDouble();
        return new double[] {mean, Math.sqrt(variance)};
    }

    private static double dot(double[] x, double[] y) {
        return IntStream.range(0, x.length).mapToDouble(p -> x[p] * y[p]).sum();
    }

    private static double norm(double[] x) {
        return Math.sqrt(dot(x, x));
    }

    private static double[] filled(String name, List<Latent> latents, double[] weights, String seed) {
        var recipe = new Recipe(Method.parse(name), first(weights.length), weights, ALL, new FreshNoise(seed));
        return values(Mixer.mix(LatentPool.of(latents), List.of(recipe)).get(0));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fill", "fill(cmm)"})
    void whatIsOneInputIsNotFilledUp(String name) {
        var copies = new ArrayList<>(LATENTS);
        copies.set(1, LATENTS.get(0));
        var expected = LATENTS.get(0).values();
        assertThat(filled(name, copies, new double[] {0.3, 0.7}, "copies"))
                .usingComparatorWithPrecision(1e-12)
                .containsExactly(expected);
        assertThat(filled(name, copies, new double[] {1, 0, 0}, "one hot")).containsExactly(expected);
    }

    @Test
    void theNoiseThatIsFilledInHasTheEnergyThatTheInputsDoNotAgreeOn() {
        var weights = random(6, "fill");
        var sum =
                Blend.Inputs.of(LATENTS.subList(0, 6), weights, ClassMean.NONE).weightedSum();
        double inputs = 0;
        for (int i = 0; i < weights.length; i++) {
            inputs += weights[i] * residual(LATENTS.get(i).values());
        }
        double missing = Math.sqrt(1 - Math.pow(residual(sum) / inputs, 2));
        var noise = new FreshNoise("fill").normal(SHAPE);
        var expected = IntStream.range(0, sum.length)
                .mapToDouble(p -> sum[p] + missing * noise[p])
                .toArray();
        assertThat(difference(filled("fill", LATENTS, weights, "fill"), expected))
                .isLessThan(1e-12);
    }

    /** The norm of what is left without the channels' means. */
    private static double residual(double[] z) {
        double squares = 0;
        int plane = SHAPE.size() / SHAPE.channels();
        for (int c = 0; c < SHAPE.channels(); c++) {
            double mean = Arrays.stream(z, c * plane, (c + 1) * plane).average().orElseThrow();
            squares += Arrays.stream(z, c * plane, (c + 1) * plane)
                    .map(x -> (x - mean) * (x - mean))
                    .sum();
        }
        return Math.sqrt(squares);
    }

    /** Means over 400 mixtures of 8 inputs, whose standard errors are a sixth of what is allowed. */
    @Test
    void aFilledMixtureHasTheEnergyOfNoiseAndTheInputsBiasOnce() {
        double bias = 0;
        double energy = 0;
        double inputBias = 0;
        for (int k = 0; k < 400; k++) {
            var latents = normal(SHAPE, 8, 0.2, "fill " + k);
            var z = filled("fill", latents, equal(8), "noise " + k);
            double mean = Arrays.stream(z).average().orElseThrow();
            bias += mean / 400;
            energy +=
                    Arrays.stream(z).map(x -> (x - mean) * (x - mean)).average().orElseThrow() / 400;
            inputBias += latents.stream()
                            .mapToDouble(latent ->
                                    Arrays.stream(latent.values()).average().orElseThrow())
                            .average()
                            .orElseThrow()
                    / 400;
        }
        assertThat(energy).isCloseTo(1, within(0.03));
        assertThat(bias).isCloseTo(inputBias, within(0.02));
    }
}
