package latentmix.latent;

import java.util.Optional;

/**
 * Spherical linear interpolation of two latents.
 *
 * <pre>z' = sin((1 - t) θ) / sin θ · z_0 + sin(t θ) / sin θ · z_1,   cos θ = z_0 · z_1 / (‖z_0‖ ‖z_1‖),   t = w_1</pre>
 *
 * @see <a href="https://doi.org/10.1145/325165.325242">Shoemake, Animating rotation with quaternion curves</a>
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Eq. 3</a>
 */
public record Slerp() implements Blend {
    /**
     * The cosine above which two directions count as one. Linear and spherical interpolation agree to rounding there.
     */
    private static final double PARALLEL = 1 - 1e-12;

    @Override
    public Optional<double[]> blend(Inputs inputs) {
        double[] z0 = inputs.latent(0);
        double[] z1 = inputs.latent(1);
        double t = inputs.weights()[1];
        if (t == 0 || t == 1) {
            return Optional.of((t == 0 ? z0 : z1).clone());
        }
        double cosine = cosine(z0, z1);
        if (!(cosine >= -PARALLEL)) { // opposite, or one of them zero
            return Optional.empty();
        }
        var values = new double[z0.length];
        if (cosine > PARALLEL) {
            Vectors.addScaled(1 - t, z0, values);
            Vectors.addScaled(t, z1, values);
        } else {
            double angle = Math.acos(cosine);
            Vectors.addScaled(Math.sin((1 - t) * angle) / Math.sin(angle), z0, values);
            Vectors.addScaled(Math.sin(t * angle) / Math.sin(angle), z1, values);
        }
        return Optional.of(values);
    }

    /** The cosine cos θ, NaN where one of the two latents is zero. */
    static double cosine(double[] z0, double[] z1) {
        double norms = Vectors.norm(z0, 0, z0.length) * Vectors.norm(z1, 0, z1.length);
        return Math.max(-1, Math.min(1, Vectors.dot(z0, 0, z1, 0, z0.length) / norms));
    }

    @Override
    public InputCount inputs() {
        return new InputCount(2, 2);
    }

    @Override
    public String instead() {
        return "use spherical-mean for any number";
    }

    /** The gain is about √2 between two equal weights, as for every normalised mean. */
    @Override
    public double predictedGain(double ess) {
        return Math.sqrt(ess);
    }

    @Override
    public String toString() {
        return "slerp";
    }
}
