package latentmix.latent;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The mean effective count of symmetric Dirichlet weights, and the alpha that gives a wanted one.
 *
 * <pre>E[1 / Σ w²] = E[(Σ g)² / Σ g²] = 1 + n (n - 1) ∫₀^∞ ψ(t)² φ(t)ⁿ⁻² dt,
 * φ(t) = E exp(-t g²),   ψ(t) = E g exp(-t g²),   w_i = g_i / Σ g,   g_i iid Gamma(alpha)</pre>
 *
 * Both integrals are taken by the trapezoidal rule in the logarithms of t and g, where it converges exponentially.
 */
final class DirichletEss {
    private static final double PRECISION = 1e-8;

    private record Target(int inputs, double ess) {}

    private static final Map<Target, Double> KNOWN = new ConcurrentHashMap<>();

    private DirichletEss() {}

    /** The alpha at which n weights have the mean effective count ess, 1 < ess < n. */
    static double alpha(int n, double ess) {
        return KNOWN.computeIfAbsent(new Target(n, ess), DirichletEss::solve);
    }

    /** Steps on the scale log((ess - 1) / (n - ess)), which is close to log alpha. */
    private static double solve(Target target) {
        double wanted = Math.log((target.ess - 1) / (target.inputs - target.ess));
        double logAlpha = wanted;
        for (int i = 0; i < 50; i++) {
            double ess = mean(target.inputs, Math.exp(logAlpha));
            double step = wanted - Math.log((ess - 1) / (target.inputs - ess));
            logAlpha += step;
            if (Math.abs(step) < PRECISION) {
                break;
            }
        }
        return Math.exp(logAlpha);
    }

    /** E[1 / Σ w²] of n weights. */
    static double mean(int n, double alpha) {
        double step = 0.3;
        double sum = 0;
        for (double s = -Math.log(n * alpha * (alpha + 1)) - 30; ; s += step) {
            var moments = Moments.at(s, alpha);
            double term = moments.psi * moments.psi * Math.pow(moments.phi, n - 2) * Math.exp(s);
            sum += term;
            // Beyond its maximum the term falls at least as exp(-n·alpha·s / 2).
            if (s > 0 && term * 2 / (n * alpha * step) < PRECISION * sum) {
                return 1 + n * (n - 1.0) * sum * step;
            }
        }
    }

    /** φ and ψ at t = exp(s). */
    private record Moments(double phi, double psi) {
        static Moments at(double s, double alpha) {
            double peak = Math.log(alpha + 1);
            double scale = (alpha + 1) * peak - Math.exp(peak);
            double step = 0.3 / Math.sqrt(alpha + 1);
            double from = Math.min(peak, -s / 2) - 20 / Math.sqrt(alpha + 2);
            double to = Math.log(alpha + 10 * Math.sqrt(alpha) + 40);
            double gamma = 0; // Γ(alpha + 1)
            double one = 0; // ∫ exp(-t g²) g^alpha exp(-g) dg
            double none = 0; // ∫ (1 - exp(-t g²)) g^(alpha - 1) exp(-g) dg
            for (double y = from; y < to; y += step) {
                double density = Math.exp(alpha * y - Math.exp(y) - scale);
                double exponent = -Math.exp(s + 2 * y);
                gamma += density * Math.exp(y);
                one += density * Math.exp(y + exponent);
                none -= density * Math.expm1(exponent);
            }
            return new Moments(Math.max(0, 1 - alpha * none / gamma), alpha * one / gamma);
        }
    }
}
