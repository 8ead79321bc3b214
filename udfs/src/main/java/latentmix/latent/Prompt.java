package latentmix.latent;

import java.util.Optional;

/**
 * The class's prompt alone, sampled from fresh noise: the baseline that uses no image.
 *
 * <pre>z' = ε ~ N(0, I)</pre>
 */
public record Prompt() implements Blend {
    @Override
    public Optional<double[]> blend(Inputs inputs) {
        return Optional.of(inputs.noise().normal(inputs.shape()));
    }

    @Override
    public boolean drawsNoise() {
        return true;
    }

    @Override
    public boolean readsInverted() {
        return false;
    }

    @Override
    public InputCount inputs() {
        return new InputCount(0, 0);
    }

    /** The gain is 0, for there is no input. */
    @Override
    public double predictedGain(double ess) {
        return 0;
    }

    @Override
    public String toString() {
        return "prompt";
    }
}
