package latentmix.latent;

import java.util.Optional;

/**
 * Image to image at a strength, as DA-Fusion augments: an image's own latent, noised to a level below the sampling
 * table's first and denoised from there.
 *
 * <pre>x = √ᾱ_t · x_0 + √(1 - ᾱ_t) · ε,   ε ~ N(0, I),   t the first timestep of the last ⌊strength · steps⌋</pre>
 *
 * The mixture is ε: generation, which knows the schedule, noises the image's latent with it.
 *
 * @param strength above 0, up to 1: the share of sampling steps that are taken
 * @see <a href="https://arxiv.org/abs/2108.01073">Meng et al., SDEdit</a>
 * @see <a href="https://arxiv.org/abs/2302.07944">Trabucco et al., DA-Fusion</a>
 */
public record Sdedit(double strength) implements Blend {
    public Sdedit {
        if (!(strength > 0 && strength <= 1)) {
            throw new IllegalArgumentException(
                    "Method 'sdedit(" + strength + ")': its strength must be above 0 and at most 1; try 'sdedit(0.5)'");
        }
    }

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
    public boolean noisesImage() {
        return true;
    }

    @Override
    public InputCount inputs() {
        return new InputCount(1, 1);
    }

    /** The gain is 0, for nothing of the inverted latents is in the mixture. */
    @Override
    public double predictedGain(double ess) {
        return 0;
    }

    @Override
    public String toString() {
        return "sdedit(" + strength + ")";
    }
}
