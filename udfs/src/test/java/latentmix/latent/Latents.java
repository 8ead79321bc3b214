package latentmix.latent;

import java.util.List;
import java.util.stream.IntStream;
import latentmix.latent.Mixture.Mixed;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/** Random latents and what tests ask of mixtures. */
public final class Latents {
    private Latents() {}

    /** Standard normal latents plus a bias in every channel's mean. */
    public static List<Latent> normal(Shape shape, int count, double bias, String seed) {
        var rng = RecipeSampler.rng(seed);
        return IntStream.range(0, count).mapToObj(i -> normal(shape, bias, rng)).toList();
    }

    static Latent normal(Shape shape, double bias, UniformRandomProvider rng) {
        var normal = ZigguratSampler.NormalizedGaussian.of(rng);
        return new Latent(shape, normal.samples(shape.size()).map(x -> x + bias).toArray());
    }

    public static double[] equal(int n) {
        return new WeightSampler.Equal().sample(n, RecipeSampler.rng("none"));
    }

    static double[] random(int n, String seed) {
        return new WeightSampler.Dirichlet(1).sample(n, RecipeSampler.rng(seed));
    }

    static int[] first(int n) {
        return IntStream.range(0, n).toArray();
    }

    public static Mixture mix(List<Latent> pool, Method method, double[] weights, Recipe.Pool which) {
        return Mixer.mix(LatentPool.of(pool), List.of(new Recipe(method, first(weights.length), weights, which)))
                .get(0);
    }

    static double[] values(Mixture mixture) {
        return ((Mixed) mixture).latent().values();
    }

    /** The largest difference, as a share of the largest expected value. */
    public static double difference(double[] actual, double[] expected) {
        double difference = 0;
        double largest = 0;
        for (int p = 0; p < expected.length; p++) {
            difference = Math.max(difference, Math.abs(actual[p] - expected[p]));
            largest = Math.max(largest, Math.abs(expected[p]));
        }
        return actual.length == expected.length ? difference / largest : Double.NaN;
    }
}
