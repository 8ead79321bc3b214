package latentmix.latent;

/**
 * Norm interpolation: the residual gets the inputs' interpolated norm.
 *
 * <pre>τ = Σ w_i ‖r_i‖</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Eq. 4</a>
 */
public record Nin() implements Norm {
    @Override
    public double target(Residual residual) {
        return residual.inputNorm();
    }

    @Override
    public String toString() {
        return "nin";
    }
}
