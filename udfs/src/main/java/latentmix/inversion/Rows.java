package latentmix.inversion;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.util.stream.IntStream;
import latentmix.model.PromptEmbeds;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/** Operations on rows of a batch, its first axis: some rows still iterate while others have converged. */
final class Rows {
    private Rows() {}

    /** Copies of these rows, (rows.length, …), owned by the given manager. */
    static NDArray of(NDArray batch, int[] rows, NDManager owner) {
        try (NDManager scope = owner.newSubManager()) {
            scope.tempAttachAll(batch);
            NDList picked = new NDList();
            for (int row : rows) {
                picked.add(batch.get(new NDIndex("{}:{}", row, row + 1)));
            }
            NDArray some = NDArrays.concat(picked, 0);
            some.attach(owner);
            return some;
        }
    }

    static PromptEmbeds of(PromptEmbeds prompts, int[] rows, NDManager owner) {
        NDList some = new NDList();
        prompts.arrays().forEach(array -> some.add(of(array, rows, owner)));
        return new PromptEmbeds(some);
    }

    /** Root of the mean square of each row. */
    static double[] rms(NDArray batch) {
        int rows = (int) batch.getShape().get(0);
        float[] values = batch.toFloatArray();
        int size = values.length / rows;
        return IntStream.range(0, rows)
                .mapToDouble(row -> Math.sqrt(IntStream.range(row * size, (row + 1) * size)
                                .mapToDouble(i -> (double) values[i] * values[i])
                                .sum()
                        / size))
                .toArray();
    }

    /** A batch of these rows' values, all of one shape. */
    static NDArray stack(float[][] rows, Shape shape, NDManager owner) {
        int size = rows[0].length;
        float[] values = new float[rows.length * size];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, values, i * size, size);
        }
        return owner.create(values, shape);
    }

    /** How an image's latent gets noise: both of one length. */
    interface Noising {
        float[] of(float[] latent, float[] noise);
    }

    /** The batch's own latents with noise, which each draws from its own generator. */
    static NDArray noised(Inversion.Batch batch, Noising noising, NDManager owner) {
        float[][] rows = values(batch.latents());
        for (int i = 0; i < rows.length; i++) {
            var normal = ZigguratSampler.NormalizedGaussian.of(batch.random().get(i));
            float[] noise = new float[rows[i].length];
            for (int j = 0; j < noise.length; j++) {
                noise[j] = (float) normal.sample();
            }
            rows[i] = noising.of(rows[i], noise);
        }
        return stack(rows, batch.latents().getShape(), owner);
    }

    /** The values of each row. */
    static float[][] values(NDArray batch) {
        int rows = (int) batch.getShape().get(0);
        float[] values = batch.toFloatArray();
        int size = values.length / rows;
        float[][] split = new float[rows][size];
        for (int i = 0; i < rows; i++) {
            System.arraycopy(values, i * size, split[i], 0, size);
        }
        return split;
    }
}
