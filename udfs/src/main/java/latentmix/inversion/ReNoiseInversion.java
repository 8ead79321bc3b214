package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import latentmix.model.Denoiser;
import latentmix.sampling.Guidance;
import latentmix.schedule.DdimScheduler;
import latentmix.schedule.NoiseSchedule;
import latentmix.schedule.PredictionType;
import latentmix.schedule.Step;

/**
 * ReNoise: each step is repeated from the latent it led to, and taken at last with the mean of the later predictions,
 *
 * <pre>δ_k = m(zᵏ⁻¹, t),    zᵏ = step(x, δ_k),    k = 1 … K + 1;    x' = step(x, R(Σ w_k δ_k))</pre>
 *
 * with z⁰ = x and R the {@link NoiseRegularization} towards the prediction for the image's own latent with fresh noise.
 * The weights w are the authors': the last two predictions; in the quarter of the process nearest the image, where
 * iterations swing, at most 5 repetitions and their first 5 predictions.
 *
 * @param repetitions K
 * @see <a href="https://arxiv.org/abs/2403.14602">Garibi et al., ReNoise, Section 3 and Algorithm 1</a>
 * @see <a href="https://github.com/garibida/ReNoise-Inversion">the authors' code</a>
 */
public record ReNoiseInversion(
        List<Step> table, NoiseSchedule noise, Guidance guidance, int repetitions, NoiseRegularization regularization)
        implements Inversion {
    /** The most repetitions, and the predictions averaged, in the first quarter of the timesteps. */
    private static final int NEAR_THE_IMAGE = 5;

    public ReNoiseInversion {
        table = List.copyOf(table);
        if (repetitions < 1) {
            throw new IllegalArgumentException("ReNoise must repeat at least 1 time, cannot repeat: " + repetitions);
        }
    }

    /**
     * @throws IllegalArgumentException if the scheduler cannot invert in so many steps, or the network does not predict
     *     noise
     */
    public ReNoiseInversion(DdimScheduler scheduler, int steps, Guidance guidance, int repetitions) {
        this(
                predictingNoise(scheduler).inversion(steps),
                scheduler.noise(),
                guidance,
                repetitions,
                NoiseRegularization.AUTHORS);
    }

    private static DdimScheduler predictingNoise(DdimScheduler scheduler) {
        if (scheduler.prediction() != PredictionType.EPSILON) {
            throw new IllegalArgumentException(
                    "renoise regularises predicted noise: prediction_type must be epsilon, cannot be: "
                            + scheduler.prediction() + "; use fixed-point");
        }
        return scheduler;
    }

    @Override
    public long evaluations() {
        return table.stream()
                .mapToLong(step -> (repetitions(step) + 2L) * guidance.branches(step.timestep()))
                .sum();
    }

    @Override
    public Inverted invert(Denoiser denoiser, Batch batch) {
        NDManager owner = batch.latents().getManager();
        long evaluations = 0;
        try (NDManager loop = owner.newSubManager()) {
            GuidedNetwork network = GuidedNetwork.of(
                    denoiser, guidance, batch.conditional(), batch.unconditional(), batch.rows(), loop);
            NDArray x = batch.latents().duplicate();
            x.attach(loop);
            for (Step step : table) {
                try (NDManager scope = loop.newSubManager()) {
                    scope.tempAttachAll(x);
                    NDArray next = step(step, network, x, batch, scope);
                    evaluations += (repetitions(step) + 2) * network.evaluations(batch.rows(), step.timestep());
                    next.attach(loop);
                    x = replaced(x, next);
                }
            }
            x.attach(owner);
            return new Inverted(x, Optional.empty(), evaluations);
        }
    }

    private static NDArray replaced(NDArray old, NDArray next) {
        old.close();
        return next;
    }

    private NDArray step(Step step, GuidedNetwork network, NDArray x, Batch batch, NDManager scope) {
        float[][] reference = Rows.values(network.predict(noised(batch, step.timestep(), scope), step.timestep()));
        int last = repetitions(step);
        boolean near = near(step);
        int averagedFrom = near ? 0 : Math.max(0, last - 1);
        int averagedTo = near ? Math.min(NEAR_THE_IMAGE - 1, last) : last;
        NDArray z = x;
        NDArray sum = x.zerosLike();
        for (int k = 0; k <= last; k++) {
            NDArray predicted = network.predict(z, step.timestep());
            if (k >= averagedFrom && k <= averagedTo) {
                sum.addi(predicted);
            }
            if (k < last) {
                z = applied(step, x, k >= averagedFrom ? regularized(predicted, reference, batch, scope) : predicted);
            }
        }
        NDArray mean = sum.divi(averagedTo - averagedFrom + 1);
        return applied(step, x, regularized(mean, reference, batch, scope));
    }

    private boolean near(Step step) {
        return step.timestep() < noise.trainTimesteps() / 4.0;
    }

    private int repetitions(Step step) {
        return near(step) ? Math.min(NEAR_THE_IMAGE, repetitions) : repetitions;
    }

    private static NDArray applied(Step step, NDArray x, NDArray output) {
        return x.mul(step.samples().get(0)).addi(output.mul(step.outputs().get(0)));
    }

    /** The images' own latents with noise of their own generators: √ᾱ_t · x0 + √(1 − ᾱ_t) · n. */
    private NDArray noised(Batch batch, double timestep, NDManager scope) {
        return Rows.noised(batch, (latent, drawn) -> noise.addNoise(latent, drawn, (int) timestep), scope);
    }

    private NDArray regularized(NDArray predicted, float[][] reference, Batch batch, NDManager scope) {
        float[][] rows = Rows.values(predicted);
        int channels = (int) predicted.getShape().get(1);
        int height = (int) predicted.getShape().get(2);
        int width = (int) predicted.getShape().get(3);
        float[][] regular = IntStream.range(0, rows.length)
                .mapToObj(i -> regularization.apply(
                        rows[i],
                        reference[i],
                        channels,
                        height,
                        width,
                        batch.random().get(i)))
                .toArray(float[][]::new);
        return Rows.stack(regular, predicted.getShape(), scope);
    }
}
