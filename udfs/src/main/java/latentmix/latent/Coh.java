package latentmix.latent;

/**
 * Coherence: the residual keeps the energy that its inputs agree on, and gets the energy of noise for the rest: exact
 * at one-hot weights and wherever all inputs coincide, √D where they have nothing in common.
 *
 * <pre>τ² = ‖r̄‖² + (1 - c) · D,   c = (‖r̄‖ / Σ w_i ‖r_i‖)²</pre>
 *
 * c is the inputs' coherence: 1 where all r_i point the same way, about Σ w_i² = 1 / ESS where they are independent,
 * and (Σ w_i² - 1/M) / (1 - 1/M) about the mean of a pool of M. So this is {@link Ess} with a measured count of inputs
 * instead of a counted one: two copies of one latent are one input, near copies nearly, and no weight has to be known.
 * An answer to the open question of <a href="https://arxiv.org/abs/2505.07481">Landolsi and Kahl, Section 7</a>.
 */
public record Coh() implements Norm {
    @Override
    public double target(Residual residual) {
        double share = residual.norm() / residual.inputNorm();
        return Math.sqrt(residual.norm() * residual.norm() + (1 - Math.min(1, share * share)) * residual.size());
    }

    @Override
    public String toString() {
        return "coh";
    }
}
