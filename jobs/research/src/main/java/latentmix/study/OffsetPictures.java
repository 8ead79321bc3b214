package latentmix.study;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import latentmix.image.Pixels;
import latentmix.latent.RecipeSampler;
import latentmix.latent.Shape;
import latentmix.model.PromptEmbeds;
import latentmix.model.TextEncoder;
import latentmix.sampling.DenoisingLoop;
import latentmix.sampling.Guidance;
import latentmix.schedule.Scheduler;
import latentmix.work.Batches;
import latentmix.work.ModelOnDevice;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * These pictures show what a constant in a part of a latent does to its image. One channel of the top quarter is raised
 * and another lowered by as much, so that the latent's mean stays. That happens before the first step of sampling or
 * after the last.
 */
public record OffsetPictures(ModelOnDevice model, Scheduler scheduler, Settings settings) {
    /**
     * The settings of the sampling.
     *
     * @param raised a channel
     * @param lowered another one
     * @param offsets the offsets in standard deviations of noise
     * @param negative the prompt of the unconditional branch
     * @param batch rows of a micro-batch
     */
    public record Settings(
            int raised, int lowered, List<Double> offsets, int steps, Guidance guidance, String negative, int batch) {
        public Settings {
            offsets = List.copyOf(offsets);
            if (raised == lowered) {
                throw new IllegalArgumentException("Two channels must differ, cannot both be: " + raised);
            }
        }
    }

    /**
     * A picture for each offset.
     *
     * @param beforeSampling the offset added to the noise
     * @param afterSampling the same offset added to the latent that the noise without one leads to
     */
    public record Pair(List<Pixels> beforeSampling, List<Pixels> afterSampling) {
        public Pair {
            beforeSampling = List.copyOf(beforeSampling);
            afterSampling = List.copyOf(afterSampling);
        }
    }

    /**
     * Samples one noise with every offset.
     *
     * @param seed the seed of the noise
     */
    public Pair of(String prompt, String seed) {
        Shape shape = model.denoiser().latentShape();
        if (Math.max(settings.raised(), settings.lowered()) >= shape.channels()) {
            throw new IllegalArgumentException("Channels must be below the latent's " + shape.channels()
                    + ", cannot be: " + settings.raised() + " and " + settings.lowered());
        }
        double[] noise = ZigguratSampler.NormalizedGaussian.of(RecipeSampler.rng(seed))
                .samples(shape.size())
                .toArray();
        try (NDManager arrays = model.arrays();
                TextEncoder encoder = model.textEncoder()) {
            PromptEmbeds conditional = encoder.encode(prompt).onto(arrays);
            PromptEmbeds unconditional = encoder.encode(settings.negative()).onto(arrays);
            DenoisingLoop loop =
                    new DenoisingLoop(scheduler.sampling(settings.steps()), model.denoiser(), settings.guidance());
            List<Pixels> before = new ArrayList<>();
            List<Pixels> after = new ArrayList<>();
            for (List<Double> batch : Batches.of(settings.offsets(), settings.batch())) {
                try (NDManager scope = arrays.newSubManager()) {
                    NDArray sampled = loop.run(
                            noises(noise, batch, shape, scope), conditional.rows(batch.size(), scope), unconditional);
                    before.addAll(pixels(model.decoder().decode(sampled)));
                    float[] plain = loop.run(noises(noise, List.of(0.0), shape, scope), conditional, unconditional)
                            .toFloatArray();
                    double[] end = IntStream.range(0, shape.size())
                            .mapToDouble(p -> plain[p])
                            .toArray();
                    after.addAll(pixels(model.decoder().decode(noises(end, batch, shape, scope))));
                }
            }
            return new Pair(before, after);
        }
    }

    /** The latents z with each offset, (B, C, H, W). */
    private NDArray noises(double[] z, List<Double> offsets, Shape shape, NDManager scope) {
        float[] values = new float[offsets.size() * shape.size()];
        for (int i = 0; i < offsets.size(); i++) {
            double[] shifted = shifted(shape, z, settings.raised(), settings.lowered(), offsets.get(i));
            for (int p = 0; p < shifted.length; p++) {
                values[i * shape.size() + p] = (float) shifted[p];
            }
        }
        return scope.create(
                values,
                new ai.djl.ndarray.types.Shape(offsets.size(), shape.channels(), shape.height(), shape.width()));
    }

    /** The latent z with a constant added to the top quarter of one channel and taken from that of another. */
    static double[] shifted(Shape shape, double[] z, int raised, int lowered, double offset) {
        double[] shifted = Arrays.copyOf(z, z.length);
        int quarter = Math.max(1, shape.height() / 4) * shape.width();
        for (int p = 0; p < quarter; p++) {
            shifted[raised * shape.plane() + p] += offset;
            shifted[lowered * shape.plane() + p] -= offset;
        }
        return shifted;
    }

    private static List<Pixels> pixels(NDArray images) {
        int height = (int) images.getShape().get(2);
        int width = (int) images.getShape().get(3);
        float[] chw = images.toFloatArray();
        return IntStream.range(0, (int) images.getShape().get(0))
                .mapToObj(i -> Pixels.ofChw(chw, i * 3 * height * width, width, height))
                .toList();
    }
}
