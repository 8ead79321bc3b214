package latentmix.inversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import latentmix.Golden;
import latentmix.GoldenCheckpoints;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.inversion.FixedPointInversion.Averaging;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Inversions of a small Stable Diffusion 1.5 with random weights against traces of the originals:
 * golden/inversion-sd15.
 */
class InversionGoldenTest {
    private static final Golden GOLDEN = Golden.open("inversion-sd15");

    @TempDir
    private static Path directory;

    private static CheckpointFolder checkpoint;
    private static Scheduler scheduler;

    private NDManager manager;
    private Denoiser unet;
    private PromptEmbeds conditional;
    private PromptEmbeds unconditional;

    @BeforeAll
    static void assembleCheckpoint() throws IOException {
        checkpoint = CheckpointFolder.open(GoldenCheckpoints.stableDiffusion15(directory));
        scheduler = Scheduler.of(checkpoint.schedulerConfig());
    }

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager(Device.cpu());
        unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        conditional = PromptEmbeds.of(GOLDEN.array(manager, "cond"));
        unconditional = PromptEmbeds.of(GOLDEN.array(manager, "uncond"));
    }

    @AfterEach
    void close() {
        manager.close();
    }

    static List<UniformRandomProvider> random(int rows) {
        return IntStream.range(0, rows)
                .<UniformRandomProvider>mapToObj(row -> RandomSource.XO_SHI_RO_256_PP.create((long) row))
                .toList();
    }

    private Inversion.Batch batch() {
        return new Inversion.Batch(GOLDEN.array(manager, "z0"), conditional, unconditional, random(1));
    }

    private DenoisingLoop sampling(int steps, double guidance) {
        return new DenoisingLoop(scheduler.sampling(steps), unet, new Guidance(guidance));
    }

    @ParameterizedTest
    @CsvSource({"fpi10x5, 10, 5", "fpi50x10, 50, 10"})
    void everyIterateOfFixedPointInversionIsTheOriginals(String trace, int steps, int iterations) {
        FixedPointInversion inversion =
                new FixedPointInversion(scheduler, steps, 0, Guidance.NONE, iterations, Averaging.NONE, 0);

        Inversion.Inverted inverted = inversion.invert(unet, batch(), (step, iteration, latents, residuals) -> {
            String name = trace + "." + step;
            if (!GOLDEN.names(name + ".iter_" + iteration).isEmpty()) {
                Golden.assertTrace(
                        name + " " + iteration, latents.toFloatArray(), GOLDEN.floats(name + ".iter_" + iteration));
            }
            if (!GOLDEN.names(name + ".residual_0").isEmpty()) {
                float expected = GOLDEN.floats(name + ".residual_" + iteration)[0];
                assertThat(residuals[0]).as(name).isCloseTo(expected, within(2e-4 * expected + 2e-6));
            }
        });

        Golden.assertTrace(
                trace, inverted.noise().toFloatArray(), GOLDEN.floats(trace + "." + (steps - 1) + ".latent"));
        assertThat(inverted.evaluations()).isEqualTo((long) steps * iterations);
        NDArray back = sampling(steps, 1).run(inverted.noise(), conditional, conditional, (step, output, latents) -> {
            String name = trace + ".sample." + step + ".latent";
            if (!GOLDEN.names(name).isEmpty()) {
                Golden.assertTrace(name, latents.toFloatArray(), GOLDEN.floats(name));
            }
        });
        if (trace.equals("fpi50x10")) { // it converges
            assertThat(largestDifference(back, GOLDEN.floats("z0"))).isLessThan(3e-4);
        }
    }

    @Test
    void aResidualStopsFixedPointIterationsOnceTheyHaveConverged() {
        FixedPointInversion all = new FixedPointInversion(scheduler, 30, 0, Guidance.NONE, 12, Averaging.NONE, 0);
        FixedPointInversion stopped =
                new FixedPointInversion(scheduler, 30, 0, Guidance.NONE, 12, Averaging.NONE, 1e-5);

        Inversion.Inverted converged = all.invert(unet, batch());
        Inversion.Inverted inverted = stopped.invert(unet, batch());

        assertThat(inverted.evaluations()).isLessThan(2 * converged.evaluations() / 3);
        assertThat(largestDifference(inverted.noise(), converged.noise().toFloatArray()))
                .isLessThan(1e-3);
        NDArray back = sampling(30, 1).run(inverted.noise(), conditional, conditional);
        assertThat(largestDifference(back, GOLDEN.floats("z0"))).isLessThan(5e-3);
    }

    @Test
    void twoPointAveragingReachesTheSameFixedPoint() {
        Inversion.Inverted plain =
                new FixedPointInversion(scheduler, 20, 0, Guidance.NONE, 10, Averaging.NONE, 0).invert(unet, batch());
        Inversion.Inverted averaged = new FixedPointInversion(
                        scheduler, 20, 0, Guidance.NONE, 10, Averaging.TWO_POINT, 0)
                .invert(unet, batch());
        Inversion.Inverted ddim = new DdimInversion(scheduler, 20, Guidance.NONE).invert(unet, batch());

        float[] fixed = plain.noise().toFloatArray();
        assertThat(largestDifference(averaged.noise(), fixed))
                .isLessThan(0.01 * largestDifference(ddim.noise(), fixed));
        assertThat(averaged.evaluations()).isEqualTo(200);
    }

    @Test
    void negativePromptInversionIsTheOriginals() {
        InversionMethod method = InversionMethod.parse("negative-prompt", 7.5);
        DdimInversion inversion = (DdimInversion) method.inversion(scheduler, 10, Guidance.NONE);
        NDArray noise = inversion
                .with(unet)
                .run(
                        GOLDEN.array(manager, "z0"),
                        conditional,
                        unconditional,
                        (step, output, latents) -> Golden.assertTrace(
                                "invert " + step,
                                latents.toFloatArray(),
                                GOLDEN.floats("npi.invert." + step + ".latent")));

        Sampler sampler = method.sampling(sampling(10, 7.5), scheduler);
        NDArray back = sampler.sample(noise, conditional, unconditional, Optional.empty());

        Golden.assertTrace("sample", back.toFloatArray(), GOLDEN.floats("npi.sample.9.latent"));
        assertThat(sampler.evaluations(1)).isEqualTo(10);
    }

    @ParameterizedTest
    @CsvSource({"nti_decay, 0.01", "nti_const, 0"})
    void everyUpdateOfNullTextInversionIsTheOriginals(String trace, double decay) {
        Denoiser differentiable = Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        NullTextInversion inversion = new NullTextInversion(
                scheduler.inversion(3),
                scheduler.sampling(3),
                new Guidance(7.5),
                new NullTextInversion.Optimization(5, decay, 0));
        List<NDArray> trajectory = IntStream.rangeClosed(0, 3)
                .mapToObj(i -> GOLDEN.array(manager, "nti_decay.trajectory_" + i))
                .toList();
        List<Integer> compared = new ArrayList<>();

        NullTextInversion.Optimized found = inversion.optimize(
                differentiable, trajectory, conditional, unconditional, new NullTextInversion.Observer() {
                    @Override
                    public void updated(
                            int step,
                            int iteration,
                            int[] rows,
                            double[] losses,
                            float[][] gradients,
                            float[][] embeds) {
                        String name = trace + ".step" + step;
                        float expected = GOLDEN.floats(name + ".losses")[iteration];
                        assertThat(losses[0])
                                .as("%s loss %d", name, iteration)
                                .isCloseTo(expected, within(2e-4 * expected));
                        if (!GOLDEN.names(name + ".grad_" + iteration).isEmpty()) {
                            Golden.assertTrace(
                                    name + " gradient " + iteration,
                                    gradients[0],
                                    GOLDEN.floats(name + ".grad_" + iteration));
                            compared.add(iteration);
                        }
                        if (!GOLDEN.names(name + ".uncond_" + iteration).isEmpty()) {
                            Golden.assertTrace(
                                    name + " embedding " + iteration,
                                    embeds[0],
                                    GOLDEN.floats(name + ".uncond_" + iteration));
                        }
                    }

                    @Override
                    public void stepped(int step, NDArray latents) {
                        Golden.assertTrace(
                                trace + " latent " + step,
                                latents.toFloatArray(),
                                GOLDEN.floats(trace + ".step" + step + ".latent"));
                    }
                });

        assertThat(compared).hasSize(trace.equals("nti_decay") ? 15 : 0);
        // Per step: the conditional prediction, 5 with gradients, the guided step of two branches.
        assertThat(found.evaluations()).isEqualTo(3 * (1 + 5 + 2));

        // The way back takes the same steps.
        Sampler sampler = new InversionMethod.NullText(5, 7.5).sampling(sampling(3, 7.5), scheduler);
        NDArray back = sampler.sample(trajectory.get(3), conditional, unconditional, Optional.of(found.embeds()));
        Golden.assertTrace(trace + " back", back.toFloatArray(), GOLDEN.floats(trace + ".step2.latent"));
    }

    private static double largestDifference(NDArray actual, float[] expected) {
        float[] values = actual.toFloatArray();
        return IntStream.range(0, expected.length)
                .mapToDouble(i -> Math.abs(values[i] - expected[i]))
                .max()
                .orElseThrow();
    }
}
