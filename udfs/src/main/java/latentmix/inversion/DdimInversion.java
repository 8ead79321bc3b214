package latentmix.inversion;

import java.util.List;
import java.util.Optional;
import latentmix.model.Denoiser;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Step;

/**
 * DDIM inversion: latents to the noise they came from, by the sampler's own equation run backwards with the prediction
 * taken at the less noisy end,
 *
 * <pre>x_{t+1} = √ᾱ_{t+1} · x0(x_t, ε) + √(1 − ᾱ_{t+1}) · ε,    ε = network(x_t, t + 1).</pre>
 *
 * <p>It is as exact as ε(x_t) ≈ ε(x_{t+1}): best at guidance 1 and many steps.
 *
 * @see <a href="https://arxiv.org/abs/2105.05233">Dhariwal and Nichol, Appendix F</a>
 * @see <a href="https://arxiv.org/abs/2010.02502">Song et al., Section 4.3</a>
 */
public record DdimInversion(List<Step> table, Guidance guidance) implements Inversion {
    /** @throws IllegalArgumentException if the scheduler cannot invert in so many steps */
    public DdimInversion(Scheduler scheduler, int steps, Guidance guidance) {
        this(scheduler.inversion(steps), guidance);
    }

    /** The loop that takes scaled latents, with their own prompt's embeddings, to noise. */
    public DenoisingLoop with(Denoiser denoiser) {
        return new DenoisingLoop(table, denoiser, guidance);
    }

    @Override
    public long evaluations() {
        return guidance.evaluations(table);
    }

    @Override
    public Inverted invert(Denoiser denoiser, Batch batch) {
        DenoisingLoop loop = with(denoiser);
        return new Inverted(
                loop.run(batch.latents(), batch.conditional(), batch.unconditional()),
                Optional.empty(),
                loop.evaluations(batch.rows()));
    }
}
