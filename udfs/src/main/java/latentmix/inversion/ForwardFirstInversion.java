package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import latentmix.model.Denoiser;
import latentmix.schedule.Scheduler;

/**
 * An inversion whose first steps are the forward process: fresh noise ε takes the image's latent to a level of noise at
 * once, and the inversion goes on from there,
 *
 * <pre>x_t = √ᾱ_t · x0 + √(1 − ᾱ_t) · ε,    of a flow x_σ = (1 − σ) · x0 + σ · ε,    ε ~ N(0, I)</pre>
 *
 * <p>Near the image, predictions made at the wrong end of a step err most, and what they err by is alike in all images:
 * it leaves a trace of the image in the noise, and smooth patches above all. Fresh noise has none. What is lost is the
 * way back: sampling comes to an image that the noised latent may have come from.
 *
 * @param scheduler what knows the process
 * @param level the timestep that the noise is of
 * @param rest the inversion from that level on
 * @see <a href="https://arxiv.org/abs/2410.23530">Staniszewski et al., There and Back Again: On the relation between
 *     noises, images, and their inversions in diffusion models</a>
 */
public record ForwardFirstInversion(Scheduler scheduler, double level, Inversion rest) implements Inversion {
    @Override
    public long evaluations() {
        return rest.evaluations();
    }

    /** Inverts a batch: ε of each latent is drawn from its own generator. */
    @Override
    public Inverted invert(Denoiser denoiser, Batch batch) {
        NDArray noised = Rows.noised(
                batch,
                (latent, noise) -> scheduler.addNoise(latent, noise, level),
                batch.latents().getManager());
        try {
            return rest.invert(denoiser, new Batch(noised, batch.conditional(), batch.unconditional(), batch.random()));
        } finally {
            noised.close();
        }
    }
}
