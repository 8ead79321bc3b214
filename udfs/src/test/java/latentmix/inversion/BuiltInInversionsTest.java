package latentmix.inversion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import latentmix.Golden;
import latentmix.checkpoint.CheckpointFolder;
import latentmix.model.Denoiser;
import latentmix.model.Dtype;
import latentmix.model.Models;
import latentmix.model.PromptEmbeds;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.DdimScheduler;
import latentmix.schedule.Scheduler;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Inversions of some images by the built-in model. */
class BuiltInInversionsTest {
    private static final Golden GOLDEN = Golden.open("fashion-ldm");
    private static final int ROWS = 4; // of the ten

    private final CheckpointFolder checkpoint = CheckpointFolder.open(Golden.folder("fashion-ldm"));
    private final DdimScheduler scheduler = (DdimScheduler) Scheduler.of(checkpoint.schedulerConfig());
    private NDManager manager;
    private Denoiser unet;
    private PromptEmbeds conditional;
    private PromptEmbeds unconditional;
    private NDArray latents;

    @BeforeEach
    void open() {
        manager = NDManager.newBaseManager(Device.cpu());
        unet = Models.denoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        conditional = PromptEmbeds.of(first(GOLDEN.array(manager, "prompt_embeds")));
        unconditional = PromptEmbeds.of(first(GOLDEN.array(manager, "negative_prompt_embeds")));
        latents = first(GOLDEN.array(manager, "inv.latents_0"));
    }

    private static NDArray first(NDArray ten) {
        return ten.get(new NDIndex("0:{}", ROWS));
    }

    @AfterEach
    void close() {
        manager.close();
    }

    private Inversion.Batch batch() {
        return new Inversion.Batch(latents, conditional, unconditional, InversionGoldenTest.random(ROWS));
    }

    private DenoisingLoop loop(int steps, double guidance) {
        return new DenoisingLoop(scheduler.sampling(steps), unet, new Guidance(guidance));
    }

    private double error(NDArray back) {
        return DoubleStream.of(Rows.rms(back.sub(latents))).max().orElseThrow();
    }

    private double ddimError(int steps) {
        NDArray noise = new DdimInversion(scheduler, steps, Guidance.NONE)
                .invert(unet, batch())
                .noise();
        return error(loop(steps, 1).run(noise, conditional, unconditional));
    }

    @Test
    void bdiaComesBackExactlyInAnyNumberOfStepsWithAndWithoutGuidance() {
        for (double guidance : new double[] {1, 2}) {
            for (int steps : new int[] {1, 10, 50}) {
                InversionMethod bdia = InversionMethod.parse("bdia", guidance);
                Inversion.Inverted inverted =
                        bdia.inversion(scheduler, steps, new Guidance(guidance)).invert(unet, batch());
                NDArray back = bdia.sampling(loop(steps, guidance), scheduler)
                        .sample(inverted.noise(), conditional, unconditional, inverted.companion());
                assertThat(error(back)).as("%d steps", steps).isLessThan(1e-3);
                assertThat(inverted.evaluations()).isEqualTo((steps + 1L) * ROWS * (guidance > 1 ? 2 : 1));
            }
        }
    }

    @Test
    void bdiasCompanionIsSmallAndItsNoiseIsNearerTheTrueOneThanThatOfDdimAndOBelm() {
        NDArray exact = ddimNoise(500);
        Inversion.Inverted bdia = InversionMethod.parse("bdia", 1)
                .inversion(scheduler, 20, Guidance.NONE)
                .invert(unet, batch());

        double error = mean(bdia.noise().sub(exact));
        assertThat(error).isLessThan(0.5 * mean(ddimNoise(20).sub(exact)));
        assertThat(error).isLessThan(0.5 * mean(oBelmNoise(20).sub(exact)));
        assertThat(mean(bdia.companion().orElseThrow())).isLessThan(0.1 * mean(bdia.noise()));
    }

    private NDArray ddimNoise(int steps) {
        return new DdimInversion(scheduler, steps, Guidance.NONE)
                .invert(unet, batch())
                .noise();
    }

    /** O-BELM's two-step inversion in x/α and σ/α, as its paper writes it. */
    private NDArray oBelmNoise(int steps) {
        double[] sigmas = new double[steps + 1];
        double[] alphas = new double[steps + 1];
        for (int i = 0; i <= steps; i++) {
            double alpha = scheduler.noise().alphaCumprod(i == 0 ? 0 : 1 + (i - 1) * (1000 / steps));
            alphas[i] = Math.sqrt(alpha);
            sigmas[i] = Math.sqrt((1 - alpha) / alpha);
        }
        NDArray before = latents.div(alphas[0]);
        NDArray z = before.add(unet.predict(latents, 1, conditional).mul(sigmas[1] - sigmas[0]));
        for (int i = 1; i < steps; i++) {
            double down = sigmas[i] - sigmas[i - 1];
            double up = sigmas[i + 1] - sigmas[i];
            NDArray noise = unet.predict(z.mul(alphas[i]), 1 + (i - 1) * (1000.0 / steps), conditional);
            NDArray next = z.add(before.sub(z).mul(up * up / down / down)).add(noise.mul(up * (down + up) / down));
            before = z;
            z = next;
        }
        return z.mul(alphas[steps]);
    }

    private static double mean(NDArray x) {
        return DoubleStream.of(Rows.rms(x)).average().orElseThrow();
    }

    @Test
    void moreFixedPointIterationsAndReNoiseComeNearerThanDdim() {
        double ddim = ddimError(20);
        double fixed = roundTrip("fixed-point(6)");
        double averaged = roundTrip("fixed-point(6, averaged)");
        double renoise = roundTrip("renoise(6)");
        ReNoiseInversion free = new ReNoiseInversion(
                scheduler.inversion(20), scheduler.noise(), Guidance.NONE, 6, new NoiseRegularization(0, 0, 0, 1));
        double unregularized = error(loop(20, 1).run(free.invert(unet, batch()).noise(), conditional, unconditional));
        assertThat(fixed).isLessThan(0.1 * ddim);
        assertThat(averaged).isLessThan(0.2 * ddim);
        assertThat(unregularized).isLessThan(0.4 * ddim);
        assertThat(renoise).isBetween(unregularized, 0.7 * ddim); // the regularisers cost exactness
    }

    private double roundTrip(String spelling) {
        InversionMethod method = InversionMethod.parse(spelling, 1);
        Inversion.Inverted inverted =
                method.inversion(scheduler, 20, Guidance.NONE).invert(unet, batch());
        return error(method.sampling(loop(20, 1), scheduler)
                .sample(inverted.noise(), conditional, unconditional, inverted.companion()));
    }

    /** The forward process by its formula, and the rest of the table by the loop. */
    @Test
    void forwardFirstIsTheForwardProcessAndThenTheOtherSteps() {
        int steps = 20;
        int first = 3;
        double alpha = scheduler.noise().alphaCumprod(1 + (first - 1) * 1000 / steps);
        float[][] noised = Rows.values(latents);
        List<UniformRandomProvider> random = InversionGoldenTest.random(ROWS);
        for (int i = 0; i < noised.length; i++) {
            ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random.get(i));
            for (int j = 0; j < noised[i].length; j++) {
                noised[i][j] = (float) (Math.sqrt(alpha) * noised[i][j] + Math.sqrt(1 - alpha) * normal.sample());
            }
        }
        NDArray expected = new DenoisingLoop(scheduler.inversion(steps).subList(first, steps), unet, Guidance.NONE)
                .run(Rows.stack(noised, latents.getShape(), manager), conditional, unconditional);

        float[] before = latents.toFloatArray();
        Inversion.Inverted inverted = InversionMethod.parse("ddim", 1)
                .inversion(scheduler, steps, Guidance.NONE, first)
                .invert(unet, batch());

        assertThat(inverted.noise().toFloatArray()).containsExactly(expected.toFloatArray(), within(1e-4f));
        assertThat(inverted.evaluations()).isEqualTo((long) ROWS * (steps - first));
        assertThat(latents.toFloatArray()).as("the caller's own").isEqualTo(before);
    }

    /** What neighbouring entries have in common is the image's; noise has nothing of it. */
    @Test
    void forwardFirstTakesTheImagesTraceOutOfTheNoiseAndComesBackLessExactly() {
        NDArray plain = ddimNoise(20);
        NDArray forward = InversionMethod.parse("ddim", 1)
                .inversion(scheduler, 20, Guidance.NONE, 3)
                .invert(unet, batch())
                .noise();
        assertThat(neighbours(plain)).isGreaterThan(0.02);
        assertThat(Math.abs(neighbours(forward))).isLessThan(0.5 * neighbours(plain));
        assertThat(error(loop(20, 1).run(forward, conditional, unconditional))).isGreaterThan(ddimError(20));
    }

    /** The mean correlation of horizontal neighbours. */
    private static double neighbours(NDArray noise) {
        int width = (int) noise.getShape().get(3);
        double product = 0;
        double square = 0;
        float[] values = noise.toFloatArray();
        for (int i = 0; i < values.length; i++) {
            square += values[i] * values[i];
            product += (i + 1) % width == 0 ? 0 : values[i] * values[i + 1];
        }
        return product / square * width / (width - 1);
    }

    @Test
    void aBatchIsAsManySingleRunsForEveryMethodThatIterates() {
        Denoiser differentiable = Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        for (String spelling : List.of("fixed-point(8, residual=1e-3)", "renoise(2)", "null-text(6)")) {
            InversionMethod method = InversionMethod.parse(spelling, 2);
            Inversion inversion = method.inversion(scheduler, 5, Guidance.NONE);
            Denoiser network = method.needsGradients() ? differentiable : unet;

            Inversion.Inverted together = inversion.invert(network, batch());
            long evaluations = 0;
            for (int i = 0; i < ROWS; i++) {
                Inversion.Inverted alone = inversion.invert(network, single(i));
                evaluations += alone.evaluations();
                assertClose(spelling, together.noise(), alone.noise(), i);
                if (together.companion().isPresent()) {
                    assertClose(
                            spelling,
                            together.companion().orElseThrow(),
                            alone.companion().orElseThrow(),
                            i);
                }
            }
            assertThat(together.evaluations()).as(spelling).isEqualTo(evaluations);
        }
        Inversion forward = InversionMethod.parse("ddim", 1).inversion(scheduler, 5, Guidance.NONE, 2);
        NDArray together = forward.invert(unet, batch()).noise();
        for (int i = 0; i < ROWS; i++) {
            assertClose(
                    "forward first", together, forward.invert(unet, single(i)).noise(), i);
        }
    }

    private Inversion.Batch single(int i) {
        NDIndex row = new NDIndex("{}:{}", i, i + 1);
        return new Inversion.Batch(
                latents.get(row),
                PromptEmbeds.of(conditional.hiddenStates().get(row)),
                PromptEmbeds.of(unconditional.hiddenStates().get(row)),
                InversionGoldenTest.random(ROWS).subList(i, i + 1));
    }

    private static void assertClose(String what, NDArray together, NDArray alone, int row) {
        float[] all = Rows.values(together)[row];
        assertThat(alone.toFloatArray()).as("%s, row %d", what, row).containsExactly(all, within(2e-3f));
    }

    @Test
    void nullTextBringsGuidedSamplingBack() {
        Denoiser differentiable = Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        InversionMethod nullText = InversionMethod.parse("null-text(10)", 4);
        Inversion.Inverted inverted =
                nullText.inversion(scheduler, 10, Guidance.NONE).invert(differentiable, batch());
        Sampler sampler = nullText.sampling(loop(10, 4), scheduler);

        NDArray back = sampler.sample(inverted.noise(), conditional, unconditional, inverted.companion());
        NDArray guided = loop(10, 4).run(inverted.noise(), conditional, unconditional);

        assertThat(error(back)).isLessThan(0.7 * error(guided));
        assertThat(inverted.evaluations()).isLessThanOrEqualTo(ROWS * 10 * (1 + 1 + 10 + 2));
        assertThatThrownBy(() -> sampler.sample(inverted.noise(), conditional, unconditional, Optional.empty()))
                .hasMessageContaining("10 steps");
    }

    @Test
    void theGradientOfThePromptIsThatOfFiniteDifferences() {
        Denoiser differentiable = Models.differentiableDenoiser(checkpoint, Device.cpu(), Dtype.FLOAT32);
        NDArray sample = latents.get(new NDIndex("0:1"));
        NDArray prompt = conditional.hiddenStates().get(new NDIndex("0:1"));
        float[] gradient = differentiable
                .promptGradient(sample, new double[] {401}, PromptEmbeds.of(prompt), output -> sample.duplicate())
                .hiddenStates()
                .toFloatArray();
        float[] along = prompt.toFloatArray();
        double norm = 0;
        for (float value : gradient) {
            norm += (double) value * value;
        }
        norm = Math.sqrt(norm);
        double more = product(sample, prompt, gradient, 1 / norm);
        double less = product(sample, prompt, gradient, -1 / norm);
        assertThat((more - less) / 2).isCloseTo(norm, within(0.03 * norm));
        double acrossMore = product(sample, prompt, along, 0.1);
        double acrossLess = product(sample, prompt, along, -0.1);
        double expected = IntStream.range(0, along.length)
                .mapToDouble(i -> (double) gradient[i] * along[i])
                .sum();
        assertThat((acrossMore - acrossLess) / 0.2)
                .isCloseTo(expected, within(0.05 * Math.abs(expected) + 0.01 * norm));
    }

    /** output · sample, with the prompt moved along a direction. */
    private double product(NDArray sample, NDArray prompt, float[] direction, double by) {
        float[] values = prompt.toFloatArray();
        for (int i = 0; i < values.length; i++) {
            values[i] += (float) (by * direction[i]);
        }
        float[] output = unet.predict(sample, 401, PromptEmbeds.of(manager.create(values, prompt.getShape())))
                .toFloatArray();
        float[] weights = sample.toFloatArray();
        return IntStream.range(0, output.length)
                .mapToDouble(j -> (double) output[j] * weights[j])
                .sum();
    }
}
