package latentmix.latent;

/** The result of a recipe: a latent, or the reason why there is none. */
public sealed interface Mixture {
    /**
     * A mixed latent.
     *
     * @param latent z'
     * @param ess effective count of inputs, 1 / Σ w²
     * @param predictedGain {@link Method#predictedGain} at this ess
     */
    record Mixed(Latent latent, double ess, double predictedGain) implements Mixture {
        /** ‖z'‖ */
        public double norm() {
            return latent.norm();
        }

        /** Each channel's mean of z'. */
        public double[] channelMeans() {
            return latent.channelMeans();
        }
    }

    /** A recipe that made no latent; it becomes a row of {@code rejected}. */
    record Undefined(String reason) implements Mixture {}
}
