package latentmix.latent;

import java.util.Optional;

/**
 * One latent with a share of fresh noise, at the interpolated norm: the baseline of an augmentation that knows one
 * image.
 *
 * <pre>y = (1 - α) z + α ε,   z' = ((1 - α) ‖z‖ + α ‖ε‖) / ‖y‖ · y,   ε ~ N(0, I)</pre>
 *
 * @param alpha between 0 (the input) and 1 (noise alone)
 */
public record Tint(double alpha) implements Blend {
    public Tint {
        if (!(alpha > 0 && alpha < 1)) {
            throw new IllegalArgumentException("Method 'tint(" + alpha
                    + ")': its share of noise must be above 0 and below 1; write 'prompt' for noise alone");
        }
    }

    @Override
    public Optional<double[]> blend(Inputs inputs) {
        var noise = inputs.noise().normal(inputs.shape());
        double norm = (1 - alpha) * inputs.norm(0) + alpha * Vectors.norm(noise, 0, noise.length);
        var y = new double[noise.length];
        Vectors.addScaled(1 - alpha, inputs.latent(0), y);
        Vectors.addScaled(alpha, noise, y);
        double length = Vectors.norm(y, 0, y.length);
        return length > 0 ? Optional.of(Vectors.quotient(y, length / norm)) : Optional.empty();
    }

    @Override
    public boolean drawsNoise() {
        return true;
    }

    @Override
    public InputCount inputs() {
        return new InputCount(1, 1);
    }

    /** The gain is the input's share of a sum of two nearly orthogonal latents at the norm of one. */
    @Override
    public double predictedGain(double ess) {
        return (1 - alpha) / Math.hypot(1 - alpha, alpha);
    }

    @Override
    public String toString() {
        return "tint(" + alpha + ")";
    }
}
