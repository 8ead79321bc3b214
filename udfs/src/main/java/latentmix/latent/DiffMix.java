package latentmix.latent;

import java.util.Optional;

/**
 * Diff-Mix: image to image from an image of another class to the mixture's own, as {@link Sdedit}, told the own class's
 * prompt. Its label is soft: by strength s the own class has the share
 *
 * <pre>y = (1 - s^γ) · y_source + s^γ · y_own</pre>
 *
 * <p>A small γ trusts the prompt more. The mixture is ε: generation, which knows the schedule, noises the source's
 * latent with it.
 *
 * @param strength s, above 0, up to 1: the share of sampling steps that are taken
 * @param gamma γ, above 0
 * @see <a href="https://arxiv.org/abs/2403.19600">Wang et al., Enhance Image Classification via Inter-Class Image Mixup
 *     with Diffusion Model, Section 3.3</a>
 */
public record DiffMix(double strength, double gamma) implements Blend {
    /** The γ that a spelling without one means. */
    static final double GAMMA = 0.8;

    public DiffMix {
        if (!(strength > 0 && strength <= 1) || !(gamma > 0 && gamma < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("Method 'diff-mix(" + strength + ", " + gamma
                    + ")': its strength must be above 0 and at most 1, its gamma above 0; try 'diff-mix(0.7)' or"
                    + " 'diff-mix(0.7, 0.5)'");
        }
    }

    /** The share s^γ of the mixture's own class in its label; the source's class has the rest. */
    public double ownShare() {
        return Math.pow(strength, gamma);
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
        return "diff-mix(" + strength + (gamma == GAMMA ? "" : ", " + gamma) + ")";
    }
}
