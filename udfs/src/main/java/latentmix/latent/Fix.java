package latentmix.latent;

/**
 * Fixed norm: the residual gets the norm that Gaussian noise of its size has.
 *
 * <pre>τ = √D</pre>
 *
 * @see <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Eq. 2</a>
 */
public record Fix() implements Norm {
    @Override
    public double target(Residual residual) {
        return Math.sqrt(residual.size());
    }

    @Override
    public String toString() {
        return "fix";
    }
}
