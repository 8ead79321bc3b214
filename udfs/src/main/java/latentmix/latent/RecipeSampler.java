package latentmix.latent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.PermutationSampler;
import org.apache.commons.rng.simple.RandomSource;

/**
 * Draws recipes of one kind: the number of inputs, the inputs from the pool (without replacement, all sets equally
 * likely), and their weights.
 *
 * @param pool which latents the class mean of cmm is over
 */
public record RecipeSampler(Method method, InputCount inputs, WeightSampler weights, Recipe.Pool pool) {
    public RecipeSampler {
        weights.requireInputs(inputs);
        method.inputError(inputs).ifPresent(error -> {
            throw new IllegalArgumentException(error);
        });
    }

    /**
     * The recipe of one id: nothing else decides what is drawn.
     *
     * @param id a content id, such as a mix_id
     * @param poolSize M, at least the largest number of inputs
     */
    public Recipe draw(String id, int poolSize) {
        return draw(id, poolSize, (n, rng) -> sample(rng, poolSize, n));
    }

    /**
     * The same where all inputs but the first are drawn from those near it.
     *
     * @param near from the first input's index to those that may stand beside it, as many as a mixture has others or
     *     more
     */
    public Recipe drawNear(String id, int poolSize, IntFunction<int[]> near) {
        return draw(id, poolSize, (n, rng) -> {
            int first = rng.nextInt(poolSize);
            int[] others = near.apply(first);
            return IntStream.concat(
                            IntStream.of(first),
                            IntStream.of(sample(rng, others.length, n - 1)).map(i -> others[i]))
                    .toArray();
        });
    }

    private Recipe draw(String id, int poolSize, BiFunction<Integer, UniformRandomProvider, int[]> indices) {
        poolError(poolSize).ifPresent(error -> {
            throw new IllegalArgumentException(error);
        });
        var rng = rng(id);
        int n = inputs.draw(rng);
        var noise = new FreshNoise(id);
        if (n == 0) {
            return new Recipe(method, new int[0], new double[0], pool, noise);
        }
        var drawn = indices.apply(n, rng);
        return new Recipe(method, drawn, weights.sample(n, rng), pool, noise);
    }

    private static int[] sample(UniformRandomProvider rng, int of, int count) {
        return count == 0 ? new int[0] : new PermutationSampler(rng, of, count).sample();
    }

    /** The reason why a pool of M latents is too small, if it is. */
    public Optional<String> poolError(int poolSize) {
        return Math.max(1, inputs.most()) > poolSize
                ? Optional.of("A class must have at least as many images as a mixture has inputs, " + inputs
                        + ", cannot have: " + poolSize + "; add images or use fewer inputs")
                : method.poolError(poolSize, inputs.most());
    }

    /** The reason why a pool of M latents is small, if it is. */
    public Optional<String> poolWarning(int poolSize) {
        return pool == Recipe.Pool.ALL
                ? method.poolWarning(poolSize, weights.expectedEss(inputs.most()))
                : Optional.empty();
    }

    /** A generator seeded by an id's SHA-256 alone: XoShiRo256++, the same numbers on every machine. */
    public static UniformRandomProvider rng(String id) {
        try {
            var digest = MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
            var seed = new long[digest.length / Long.BYTES];
            ByteBuffer.wrap(digest).asLongBuffer().get(seed);
            return RandomSource.XO_SHI_RO_256_PP.create(seed);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
