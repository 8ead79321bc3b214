package latentmix.latent;

/**
 * Effective sample size: the norm moves from the inputs' own to the nominal one as more inputs count. The norm is exact
 * at one-hot weights and √D for many inputs.
 *
 * <pre>τ = s · Σ w_i ‖r_i‖ + (1 - s) · √D,   s = Σ w_i² = 1 / ESS</pre>
 *
 * An answer to the open question of <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 7</a>.
 */
public record Ess() implements Norm {
    @Override
    public double target(Residual residual) {
        double s = residual.sumOfSquares();
        return s * residual.inputNorm() + (1 - s) * Math.sqrt(residual.size());
    }

    @Override
    public String toString() {
        return "ess";
    }
}
