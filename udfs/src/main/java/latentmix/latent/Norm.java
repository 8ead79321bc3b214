package latentmix.latent;

import java.io.Serializable;

/** The norm τ that an interpolated residual gets: z' = d̄ + (τ / ‖r̄‖) · r̄. */
public sealed interface Norm extends Serializable permits Lin, Fix, Nin, Lol, Ess, Coh {
    /** The target τ of one unit: the whole residual, one channel of it, or one frequency band of one channel. */
    double target(Residual residual);

    /**
     * The facts about one unit of an interpolated residual.
     *
     * @param norm ‖r̄‖
     * @param inputNorm Σ w_i ‖r_i‖
     * @param size number of coefficients, D for a whole latent
     * @param sumOfSquares Σ w_i², 1 / ESS
     * @param shared share c of one input's variance that all inputs' residuals have in common: 0, or for cmm 1/M where
     *     the class mean holds the inputs, -1/(M - N) where it leaves them out
     */
    record Residual(double norm, double inputNorm, int size, double sumOfSquares, double shared) {}
}
