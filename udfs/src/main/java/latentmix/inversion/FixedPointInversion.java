package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import latentmix.model.Denoiser;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.schedule.Step;

/**
 * Fixed-point inversion: each step solves the sampler's own equation for the noisier latent z, in which the prediction
 * is made at z itself, by iterating
 *
 * <pre>z⁰ = x,    z¹ = the DDIM inversion step,    zᵏ = f(zᵏ⁻¹),    f(z) = (x − B · m(z, t)) / A</pre>
 *
 * where x' = A · z + B · m(z, t) is the row that samples from t. Averaged, as AIDI does, zᵏ = (f(zᵏ⁻¹) + f(zᵏ⁻²)) / 2,
 * which damps an iteration that swings. Where f contracts, sampling without guidance comes back to the latents exactly.
 *
 * @param first the inversion table, whose step each iteration starts with
 * @param solved the sampling table, solved for the noisier latent, in ascending order
 * @param iterations the most network evaluations a step
 * @param residual a latent whose root mean square change falls below it is done with the step; 0 runs all iterations
 * @see <a href="https://arxiv.org/abs/2309.04907">Pan et al., Accelerated Iterative Diffusion Inversion, Section 3</a>
 * @see <a href="https://arxiv.org/abs/2312.12540">Garibi et al., fixed-point inversion for text-to-image models</a>
 */
public record FixedPointInversion(
        List<Step> first, List<Step> solved, Guidance guidance, int iterations, Averaging averaging, double residual)
        implements Inversion {
    /** Whether an iterate is the last value of f or the mean of the last two. */
    public enum Averaging {
        NONE,
        TWO_POINT
    }

    /** Sees every iterate; the arrays belong to the inversion, which closes them. */
    @FunctionalInterface
    interface Observer {
        /**
         * Called after each iteration.
         *
         * @param iteration from 0
         * @param latents the iterates (rows that still iterate, C, H, W)
         * @param residuals each one's root mean square change
         */
        void iterated(int step, int iteration, NDArray latents, double[] residuals);
    }

    public FixedPointInversion {
        first = List.copyOf(first);
        solved = List.copyOf(solved);
        if (iterations < 1 || !(residual >= 0) || first.size() != solved.size()) {
            throw new IllegalArgumentException(
                    "A fixed-point inversion must have at least 1 iteration, a residual from 0 on"
                            + " and two tables of one length, cannot have: " + iterations + ", " + residual + ", "
                            + first.size() + " and " + solved.size() + " steps");
        }
    }

    /**
     * The inversion behind its first steps, from a latent that has the noise they lead to.
     *
     * @throws IllegalArgumentException if the scheduler cannot invert in so many steps
     */
    public FixedPointInversion(
            Scheduler scheduler,
            int steps,
            int first,
            Guidance guidance,
            int iterations,
            Averaging averaging,
            double residual) {
        this(
                scheduler.inversion(steps, first),
                ascending(scheduler.sampling(steps)).stream()
                        .skip(first)
                        .map(Step::solved)
                        .toList(),
                guidance,
                iterations,
                averaging,
                residual);
    }

    /** A sampling table from the least noisy step on. */
    static List<Step> ascending(List<Step> table) {
        return IntStream.range(0, table.size())
                .mapToObj(i -> table.get(table.size() - 1 - i))
                .toList();
    }

    @Override
    public long evaluations() {
        return guidance.evaluations(first) + (iterations - 1) * guidance.evaluations(solved);
    }

    @Override
    public Inverted invert(Denoiser denoiser, Batch batch) {
        return invert(denoiser, batch, (step, iteration, latents, residuals) -> {});
    }

    Inverted invert(Denoiser denoiser, Batch batch, Observer observer) {
        NDManager owner = batch.latents().getManager();
        long evaluations = 0;
        try (NDManager loop = owner.newSubManager()) {
            GuidedNetwork network = GuidedNetwork.of(
                    denoiser, guidance, batch.conditional(), batch.unconditional(), batch.rows(), loop);
            float[][] latents = Rows.values(batch.latents());
            for (int i = 0; i < solved.size(); i++) {
                evaluations += step(i, network, latents, batch.latents().getShape(), loop, observer);
            }
            NDArray noise = Rows.stack(latents, batch.latents().getShape(), loop);
            noise.attach(owner);
            return new Inverted(noise, Optional.empty(), evaluations);
        }
    }

    /** Replaces the latents by those one step noisier; returns the evaluations it took. */
    private long step(
            int i,
            GuidedNetwork network,
            float[][] latents,
            ai.djl.ndarray.types.Shape shape,
            NDManager loop,
            Observer observer) {
        int[] active = IntStream.range(0, latents.length).toArray();
        long evaluations = 0;
        try (NDManager scope = loop.newSubManager()) {
            NDArray x = Rows.stack(latents, shape, scope);
            NDArray z = x.duplicate();
            NDArray value = z; // f of the last iterate
            GuidedNetwork told = network;
            for (int k = 0; k < iterations && active.length > 0; k++) {
                Step row = k == 0 ? first.get(i) : solved.get(i);
                NDArray next = x.mul(row.samples().get(0))
                        .addi(told.predict(z, row.timestep()).mul(row.outputs().get(0)));
                evaluations += told.evaluations(active.length, row.timestep());
                NDArray iterate = averaging == Averaging.TWO_POINT && k > 0
                        ? next.add(value).divi(2)
                        : next;
                double[] residuals = Rows.rms(iterate.sub(z));
                observer.iterated(i, k, iterate, residuals);
                int[] left = IntStream.range(0, active.length)
                        .filter(row1 -> !(residuals[row1] < residual))
                        .toArray();
                if (left.length < active.length || k == iterations - 1) {
                    float[][] values = Rows.values(iterate);
                    for (int j = 0; j < active.length; j++) {
                        latents[active[j]] = values[j];
                    }
                }
                z = iterate;
                value = next;
                if (left.length > 0 && left.length < active.length) {
                    x = Rows.of(x, left, scope);
                    z = Rows.of(z, left, scope);
                    value = Rows.of(value, left, scope);
                    told = told.rows(left, scope);
                }
                int[] before = active;
                active = IntStream.of(left).map(j -> before[j]).toArray();
            }
        }
        return evaluations;
    }
}
