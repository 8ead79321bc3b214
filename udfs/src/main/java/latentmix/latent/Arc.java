package latentmix.latent;

import java.util.Optional;

/**
 * Diff-II's inversion circle interpolation: a random point of the whole circle through two latents. Their weights do
 * not count.
 *
 * <pre>z' = sin(θ + φ) / sin θ · z_0 - sin φ / sin θ · z_1,   φ uniform in [0, 2π),   cos θ = z_0 · z_1 / (‖z_0‖ ‖z_1‖)
 * </pre>
 *
 * φ = 0 is z_0, φ = 2π - θ is z_1, and the arc between those two is slerp's; elsewhere the point is no mixture but an
 * extrapolation.
 *
 * @see <a href="https://arxiv.org/abs/2408.16266">Wang and Chen, Inversion circle interpolation, Eq. 5, and the
 *     authors' rand_slerp</a>
 */
public record Arc() implements Blend {
    /** The least sine of the angle between two latents. Below it they lie on one line and span no circle. */
    private static final double LEAST_SINE = 1e-6;

    @Override
    public Optional<double[]> blend(Inputs inputs) {
        double angle = Math.acos(Slerp.cosine(inputs.latent(0), inputs.latent(1)));
        if (!(Math.sin(angle) > LEAST_SINE)) { // one line, or one of them zero
            return Optional.empty();
        }
        double phi = 2 * Math.PI * inputs.noise().uniform();
        return Optional.of(inputs.combination(
                new double[] {Math.sin(angle + phi) / Math.sin(angle), -Math.sin(phi) / Math.sin(angle)}));
    }

    @Override
    public boolean drawsNoise() {
        return true;
    }

    @Override
    public InputCount inputs() {
        return new InputCount(2, 2);
    }

    /** The gain is 1: the mean square of cos φ - sin φ over the circle through two orthogonal latents. */
    @Override
    public double predictedGain(double ess) {
        return 1;
    }

    @Override
    public String toString() {
        return "arc";
    }
}
