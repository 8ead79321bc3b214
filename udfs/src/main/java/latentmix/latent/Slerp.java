package latentmix.latent;

/**
 * Spherical linear interpolation of two latents.
 *
 * <pre>z' = sin((1 - t) θ) / sin θ · z_0 + sin(t θ) / sin θ · z_1,   cos θ = z_0 · z_1 / (‖z_0‖ ‖z_1‖)</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Eq. 3</a>
 */
public final class Slerp {
    /** Above this cosine two directions are one: linear and spherical interpolation agree to rounding. */
    private static final double PARALLEL = 1 - 1e-12;

    private Slerp() {}

    /**
     * The latent at t on the way from z0 (t = 0) to z1 (t = 1); linear where the directions are the same.
     *
     * @throws IllegalArgumentException where shapes differ, one is zero, or the directions are opposite: no way is shortest
     */
    public static Latent between(Latent z0, Latent z1, double t) {
        double norms = z0.norm() * z1.norm();
        if (!z0.shape().equals(z1.shape()) || !(norms > 0)) {
            throw new IllegalArgumentException("Slerp needs two latents of one shape, neither zero, cannot have: "
                    + z0.shape() + " of norm " + z0.norm() + " and " + z1.shape() + " of norm " + z1.norm());
        }
        int size = z0.shape().size();
        double cosine = Vectors.dot(z0.values(), 0, z1.values(), 0, size) / norms;
        double angle = Math.acos(Math.max(-1, Math.min(1, cosine)));
        boolean parallel = Math.abs(cosine) > PARALLEL;
        if (parallel && cosine < 0) {
            throw new IllegalArgumentException("Slerp between opposite directions is not defined");
        }
        var values = new double[size];
        Vectors.addScaled(parallel ? 1 - t : Math.sin((1 - t) * angle) / Math.sin(angle), z0.values(), values);
        Vectors.addScaled(parallel ? t : Math.sin(t * angle) / Math.sin(angle), z1.values(), values);
        return new Latent(z0.shape(), values);
    }
}
