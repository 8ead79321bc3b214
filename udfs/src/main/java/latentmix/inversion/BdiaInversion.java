package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.Optional;
import latentmix.model.Denoiser;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.Conditioning;
import latentmix.sampling.Guidance;
import latentmix.schedule.DdimScheduler;
import latentmix.schedule.Step;

/**
 * BDIA-DDIM with γ = 1, a sampler that is exactly its own inverse: at each latent zᵢ of N the prediction made there
 * leads both ways, and what a step down adds to DDIM's is what the step up missed,
 *
 * <pre>
 * sampling    zᵢ₋₁ = down(zᵢ) + (zᵢ₊₁ − up(zᵢ))        down, up: DDIM steps with m(zᵢ, tᵢ)
 * inversion   zᵢ₊₁ = up(zᵢ) + (zᵢ₋₁ − down(zᵢ))        z₁ = the DDIM inversion step
 * </pre>
 *
 * <p>Two latents are needed to start back: the noise z_N, and for the second the companion u = z_{N−1} − down(z_N),
 * which is what one plain step would miss. Mixtures take the noise by any method and Σ w u for the companion: one image
 * alone comes back exactly, and a mixture starts with a DDIM step and a little more.
 *
 * <p>BDIA rather than O-BELM because of what is stored and mixed. On the way up u passes through every step unchanged
 * in size, so it stays that of one step's error; O-BELM multiplies it by the ratio of neighbouring steps in σ/α, which
 * shrinks errors in sampling but makes them grow in inversion. The built-in model's noise in 20 steps is 0.10 (root
 * mean square) from that of 500 steps by BDIA, 0.32 by O-BELM and 0.43 by DDIM. Other γ would multiply by 1/γ a step.
 *
 * @param first the DDIM inversion step from z₀
 * @param down DDIM steps from zᵢ, i = 1 … N
 * @param up DDIM steps from zᵢ, i = 1 … N − 1
 * @see <a href="https://arxiv.org/abs/2307.10829">Zhang et al., Exact Diffusion Inversion via Bi-directional
 *     Integration Approximation, equations 13–18</a>
 * @see <a href="https://arxiv.org/abs/2410.07273">Wang et al., BELM, Section 4</a>
 */
public record BdiaInversion(Step first, List<Step> down, List<Step> up, Guidance guidance) implements Inversion {
    public BdiaInversion {
        down = List.copyOf(down);
        up = List.copyOf(up);
        if (down.size() != up.size() + 1) {
            throw new IllegalArgumentException(
                    "BDIA needs one step down more than up, cannot have: " + down.size() + " and " + up.size());
        }
    }

    /** @throws IllegalArgumentException if the scheduler cannot invert in so many steps */
    public BdiaInversion(DdimScheduler scheduler, int steps, Guidance guidance) {
        this(
                scheduler.inversion(steps).get(0),
                FixedPointInversion.ascending(scheduler.sampling(steps)),
                scheduler.continuation(steps),
                guidance);
    }

    @Override
    public long evaluations() {
        return guidance.branches(first.timestep()) + guidance.evaluations(down);
    }

    @Override
    public Inverted invert(Denoiser denoiser, Batch batch) {
        NDManager owner = batch.latents().getManager();
        try (NDManager loop = owner.newSubManager()) {
            GuidedNetwork network = GuidedNetwork.of(
                    denoiser, guidance, batch.conditional(), batch.unconditional(), batch.rows(), loop);
            long evaluations = 0;
            NDArray before = batch.latents().duplicate();
            before.attach(loop);
            NDArray z;
            try (NDManager scope = loop.newSubManager()) {
                scope.tempAttachAll(before);
                z = applied(first, before, network.predict(before, first.timestep()));
                z.attach(loop);
            }
            evaluations += network.evaluations(batch.rows(), first.timestep());
            for (int i = 0; i < down.size(); i++) {
                evaluations += network.evaluations(batch.rows(), down.get(i).timestep());
                try (NDManager scope = loop.newSubManager()) {
                    scope.tempAttachAll(before, z);
                    NDArray output = network.predict(z, down.get(i).timestep());
                    NDArray missed = before.sub(applied(down.get(i), z, output));
                    if (i == up.size()) {
                        missed.attach(owner);
                        z.attach(owner);
                        return new Inverted(z, Optional.of(missed), evaluations);
                    }
                    NDArray next = applied(up.get(i), z, output).addi(missed);
                    next.attach(loop);
                    before = z;
                    z = next;
                }
            }
            throw new AssertionError("BDIA has a step");
        }
    }

    private static NDArray applied(Step step, NDArray x, NDArray output) {
        return x.mul(step.samples().get(0)).addi(output.mul(step.outputs().get(0)));
    }

    /** The sampler that leads back through the same latents. */
    record Sampling(BdiaInversion bdia, Denoiser denoiser) implements Sampler {
        @Override
        public NDArray sample(
                NDArray noise, Conditioning conditional, PromptEmbeds unconditional, Optional<NDArray> companion) {
            NDManager owner = noise.getManager();
            try (NDManager loop = owner.newSubManager()) {
                GuidedNetwork network = GuidedNetwork.of(
                        denoiser,
                        bdia.guidance(),
                        conditional.only(),
                        unconditional,
                        noise.getShape().get(0),
                        loop);
                NDArray z = noise.duplicate();
                z.attach(loop);
                NDArray above = z.duplicate(); // z of the step before
                above.attach(loop);
                NDArray first = companion.orElseThrow(
                        () -> new IllegalArgumentException("BDIA sampling needs its companion, has none"));
                int noisiest = bdia.up().size();
                for (int i = noisiest; i >= 0; i--) {
                    Step down = bdia.down().get(i);
                    try (NDManager scope = loop.newSubManager()) {
                        scope.tempAttachAll(z, above, first);
                        NDArray output = network.predict(z, down.timestep());
                        NDArray missed = i == noisiest
                                ? first
                                : above.sub(applied(bdia.up().get(i), z, output));
                        NDArray next = applied(down, z, output).addi(missed);
                        next.attach(loop);
                        above.close();
                        above = z;
                        z = next;
                    }
                }
                z.attach(owner);
                return z;
            }
        }

        @Override
        public long evaluations(long rows) {
            return rows * bdia.guidance().evaluations(bdia.down());
        }
    }
}
