package latentmix.latent;

/**
 * Linear combination of latents: a constant scale undoes the variance that averaging takes away.
 *
 * <pre>τ = ‖r̄‖ / √((Σ w_i² - c) / (1 - c))</pre>
 *
 * With residuals r_i of variance σ² each, of which the share c is common to all, Var(r̄) / Var(r_i) is the quotient
 * under the root. c = 0 where every latent is split by itself. With the class mean of a pool of M latents that holds
 * the inputs, c = 1/M; with the mean of the M - N others, whose own noise every residual carries, c = -1/(M - N).
 *
 * @see <a href="https://arxiv.org/abs/2408.08558">Bodin et al., Linear combinations of latents in generative models,
 *     ICLR 2025</a>
 */
public record Lol() implements Norm {
    @Override
    public double target(Residual residual) {
        return residual.norm() / Math.sqrt((residual.sumOfSquares() - residual.shared()) / (1 - residual.shared()));
    }

    @Override
    public String toString() {
        return "lol";
    }
}
