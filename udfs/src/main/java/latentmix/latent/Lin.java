package latentmix.latent;

/**
 * Linear interpolation: the residual keeps the norm it has.
 *
 * <pre>τ = ‖r̄‖</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Eq. 1</a>
 */
public record Lin() implements Norm {
    @Override
    public double target(Residual residual) {
        return residual.norm();
    }

    @Override
    public String toString() {
        return "lin";
    }
}
