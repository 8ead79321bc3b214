package latentmix.latent;

import java.util.Optional;

/**
 * The weighted mean of directions on the sphere, found by iteration, at the inputs' interpolated norm: slerp for any
 * number of inputs.
 *
 * <pre>
 * p_i = z_i / ‖z_i‖,   q = Σ w_i p_i / ‖Σ w_i p_i‖
 * repeat: u = Σ w_i log_q(p_i),   q = exp_q(u)   until ‖u‖ ≤ 1e-13
 * log_q(p) = θ / sin θ · (p - cos θ · q),   exp_q(u) = cos ‖u‖ · q + sin ‖u‖ / ‖u‖ · u,   cos θ = q · p
 * z' = Σ w_i ‖z_i‖ · q
 * </pre>
 *
 * The sum of weighted squared angles has one minimum where all inputs lie in a half-sphere, as nearly orthogonal ones
 * with weights that are not negative do.
 *
 * @see <a href="https://doi.org/10.1145/502122.502124">Buss and Fillmore, Spherical averages and applications to
 *     spherical splines and interpolation, algorithm A1</a>
 */
public record SphericalMean() implements Blend {
    private static final double TOLERANCE = 1e-13;

    /** The largest number of steps. Each leaves a small share of the distance, so that a dozen reach the tolerance. */
    private static final int MOST_STEPS = 1000;

    /** The length at or below which Σ w p points nowhere. */
    private static final double VANISHING = 1e-6;

    @Override
    public Optional<double[]> blend(Inputs inputs) {
        double norm = inputs.interpolatedNorm();
        return direction(inputs).map(q -> Vectors.quotient(q, 1 / norm));
    }

    /** q, of length 1; none where the inputs' directions cancel or one is zero. */
    static Optional<double[]> direction(Inputs inputs) {
        int n = inputs.weights().length;
        var p = new double[n][];
        var q = new double[inputs.shape().size()];
        for (int i = 0; i < n; i++) {
            double length = inputs.norm(i);
            if (!(length > 0)) {
                return Optional.empty();
            }
            p[i] = Vectors.quotient(inputs.latent(i), length);
            Vectors.addScaled(inputs.weights()[i], p[i], q);
        }
        double length = norm(q);
        if (!(length > VANISHING)) {
            return Optional.empty();
        }
        q = Vectors.quotient(q, length);
        for (int step = 0; step < MOST_STEPS; step++) {
            var u = new double[q.length];
            for (int i = 0; i < n; i++) {
                if (inputs.weights()[i] > 0) {
                    addLog(inputs.weights()[i], q, p[i], u);
                }
            }
            double angle = norm(u);
            if (angle <= TOLERANCE) {
                break;
            }
            var next = new double[q.length];
            Vectors.addScaled(Math.cos(angle), q, next);
            Vectors.addScaled(Math.sin(angle) / angle, u, next);
            q = Vectors.quotient(next, norm(next));
        }
        return Optional.of(q);
    }

    /** u += w · log_q(p); the angle from both its sine and its cosine, so that small ones keep their digits. */
    private static void addLog(double w, double[] q, double[] p, double[] u) {
        double cosine = Vectors.dot(q, 0, p, 0, q.length);
        var tangent = p.clone();
        Vectors.addScaled(-cosine, q, tangent);
        double sine = norm(tangent);
        if (sine > 0) {
            Vectors.addScaled(w * Math.atan2(sine, cosine) / sine, tangent, u);
        }
    }

    private static double norm(double[] x) {
        return Vectors.norm(x, 0, x.length);
    }

    @Override
    public InputCount inputs() {
        return ANY;
    }

    /** The gain is about √ESS, as for every normalised mean. */
    @Override
    public double predictedGain(double ess) {
        return Math.sqrt(ess);
    }

    @Override
    public String toString() {
        return "spherical-mean";
    }
}
