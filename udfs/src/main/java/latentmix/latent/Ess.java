package latentmix.latent;

/**
 * From the inputs' norm to the nominal one as more inputs count: exact at one-hot weights, √D for many inputs.
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
