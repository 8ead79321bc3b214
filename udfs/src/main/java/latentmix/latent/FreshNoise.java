package latentmix.latent;

import java.util.Objects;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * The source of the noise that a recipe does not take from its inputs. It is seeded by the id that the inputs were
 * drawn by, and not by the method, so that methods are compared on the same noise.
 *
 * @param id a draw id, empty where none is needed
 */
public record FreshNoise(String id) {
    /** The source of a method that draws no noise. To ask it for noise is an error. */
    public static final FreshNoise NONE = new FreshNoise("");

    public FreshNoise {
        Objects.requireNonNull(id, "id");
    }

    /** The noise ε ~ N(0, I), C·H·W values that are the same at each call. */
    double[] normal(Shape shape) {
        return ZigguratSampler.NormalizedGaussian.of(rng("normal"))
                .samples(shape.size())
                .toArray();
    }

    /** A number from the uniform distribution on [0, 1), the same at each call. */
    double uniform() {
        return rng("uniform").nextDouble();
    }

    private UniformRandomProvider rng(String what) {
        if (id.isEmpty()) {
            throw new IllegalArgumentException("A recipe whose method draws noise must have the id that seeds it");
        }
        return RecipeSampler.rng(id + " " + what);
    }
}
