package latentmix.study;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.latent.BandPattern;
import latentmix.latent.LatentPool;
import latentmix.latent.Method;
import latentmix.latent.Mixer;
import latentmix.latent.Mixture;
import latentmix.latent.Recipe;
import latentmix.latent.RecipeSampler;
import latentmix.latent.Shape;
import org.apache.commons.rng.sampling.PermutationSampler;

/**
 * This survey measures how a bias that a pool's latents share grows in the equal centroids of N of them.
 *
 * <p>A repeat draws an order of the pool: inputs are its first N latents, for every N, and what they are compared with
 * comes from its other half, which is never an input. A pattern is a unit vector p of the latent space: a channel's
 * mean, or what the other half's mean has in a band of low or of high frequencies. A value is the centroid's coordinate
 * towards the other half's mean,
 *
 * <pre>x = ⟨z', p⟩ · sign ⟨b, p⟩,   for noise N(0, 1): |x| is √(2/π) on average, whatever N is</pre>
 *
 * so that a channel's mean is x / √(H·W).
 *
 * @param methods methods of the grid
 * @param counts the values of N, none above half of a pool; with a class mean none above a quarter
 * @param repeats number of orders that are drawn
 */
record BiasSurvey(List<String> methods, List<Integer> counts, int repeats) implements Serializable {
    /** The expectation of |x| for x ~ N(0, 1). */
    static final double NOISE = Math.sqrt(2 / Math.PI);

    private static final long MEMORY = 64L << 20; // bytes of mixtures at a time

    BiasSurvey {
        methods = List.copyOf(methods);
        counts = List.copyOf(counts);
    }

    /**
     * One method's centroids of a repeat in one pattern.
     *
     * @param pattern the pattern's name: {@code channel 0} and so on, {@code low frequencies} or {@code high
     *     frequencies}
     * @param values x for each of the counts; NaN where the method does not define the centroid
     */
    record Growth(String method, String pattern, int repeat, double[] values) implements Serializable {}

    /**
     * The values that {@code fix/0} should have for a pool of this bias and spread.
     *
     * <pre>x(N) = ⟨b, p⟩ √N √D / √(v + N ‖b‖²),   v = mean ‖z - μ‖²</pre>
     *
     * For a small bias that is the line √N · ⟨b, p⟩ · √(D / v) (Eq. 9 of the paper); it bends at N about v / ‖b‖². ⟨b,
     * p⟩ is the mean of the half that inputs come from along the patterns of the other, averaged over repeats; ‖b‖² is
     * ‖μ‖² less v / M, what noise alone leaves in a mean of M.
     *
     * @param slope ⟨b, p⟩ √(D / v) in each pattern, in the order of {@link Survey#patterns}
     * @param bend v / ‖b‖², infinite without a bias
     */
    record Expectation(double[] slope, double bend) implements Serializable {
        double at(int pattern, double count) {
            return slope[pattern] * Math.sqrt(count / (1 + count / bend));
        }
    }

    /** The findings of one pool. */
    record Survey(Shape shape, List<String> patterns, List<Growth> growths, Expectation expectation)
            implements Serializable {}

    /**
     * Mixes the centroids of a pool.
     *
     * @param id seeds the orders
     */
    Survey of(LatentPool latents, String id) {
        int size = latents.size();
        int largest = counts.stream().max(Integer::compare).orElseThrow();
        if (largest > size / 2) {
            throw new IllegalArgumentException("A pool must have at least twice as many latents as a centroid, "
                    + 2 * largest + ", cannot have: " + size + "; add images or use smaller counts");
        }
        var mixer = new Mixer(latents, MEMORY);
        var growths = new ArrayList<Growth>();
        double[] along = {}; // ⟨b, p⟩ of each pattern
        for (int repeat = 0; repeat < repeats; repeat++) {
            int[] order = new PermutationSampler(RecipeSampler.rng(id + " order " + repeat), size, size).sample();
            var patterns = patterns(latents.shape(), mean(latents, Arrays.copyOfRange(order, size / 2, size)));
            var first = mean(latents, Arrays.copyOf(order, size / 2));
            along = Arrays.copyOf(along, patterns.size());
            for (int p = 0; p < along.length; p++) {
                along[p] += patterns.get(p).coordinate(first) / repeats;
            }
            var recipes = new ArrayList<Recipe>();
            for (var method : methods) {
                for (int count : counts) {
                    var weights = new double[count];
                    Arrays.fill(weights, 1.0 / count);
                    recipes.add(
                            new Recipe(Method.parse(method), Arrays.copyOf(order, count), weights, Recipe.Pool.ALL));
                }
            }
            var mixtures = mixer.mix(recipes);
            for (int m = 0; m < methods.size(); m++) {
                var row = mixtures.subList(m * counts.size(), (m + 1) * counts.size());
                for (var pattern : patterns) {
                    growths.add(new Growth(
                            methods.get(m),
                            pattern.name(),
                            repeat,
                            row.stream()
                                    .mapToDouble(mixture -> coordinate(mixture, pattern))
                                    .toArray()));
                }
            }
        }
        var names = patterns(latents.shape(), new double[latents.shape().size()]).stream()
                .map(BandPattern::name)
                .toList();
        return new Survey(latents.shape(), names, growths, expectation(latents, along));
    }

    private static List<BandPattern> patterns(Shape shape, double[] mean) {
        var patterns = new ArrayList<BandPattern>();
        for (int channel = 0; channel < shape.channels(); channel++) {
            patterns.add(BandPattern.channel(shape, mean, channel));
        }
        patterns.add(BandPattern.low(shape, mean));
        patterns.add(BandPattern.high(shape, mean));
        return patterns;
    }

    private static double coordinate(Mixture mixture, BandPattern pattern) {
        return mixture instanceof Mixture.Mixed mixed
                ? pattern.coordinate(mixed.latent().values())
                : Double.NaN;
    }

    private static Expectation expectation(LatentPool latents, double[] along) {
        int size = latents.size();
        var mean = mean(latents, IntStream.range(0, size).toArray());
        var spread = new double[1]; // v
        latents.forEach((index, z) -> {
            for (int p = 0; p < mean.length; p++) {
                spread[0] += (z[p] - mean[p]) * (z[p] - mean[p]) / (size - 1);
            }
        });
        double bias = Arrays.stream(mean).map(x -> x * x).sum() - spread[0] / size;
        double unit = Math.sqrt(mean.length / spread[0]);
        return new Expectation(
                Arrays.stream(along).map(b -> b * unit).toArray(),
                bias > 0 ? spread[0] / bias : Double.POSITIVE_INFINITY);
    }

    private static double[] mean(LatentPool latents, int[] indices) {
        var members = new boolean[latents.size()];
        for (int index : indices) {
            members[index] = true;
        }
        var mean = new double[latents.shape().size()];
        latents.forEach((index, z) -> {
            if (members[index]) {
                for (int p = 0; p < mean.length; p++) {
                    mean[p] += z[p] / indices.length;
                }
            }
        });
        return mean;
    }
}
