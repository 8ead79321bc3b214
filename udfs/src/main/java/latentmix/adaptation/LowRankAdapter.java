package latentmix.adaptation;

import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import latentmix.architecture.LowRankNetwork;
import latentmix.checkpoint.SafetensorsWriter.Values;
import latentmix.inversion.Adam;
import latentmix.latent.RecipeSampler;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * The weights of a low-rank adaptation while they are learnt by {@link Adam}: each layer's W becomes
 *
 * <pre>W' = W + (alpha / rank) · B A.</pre>
 *
 * <p>A begins with normal entries of deviation 1/rank and B with 0, as diffusers' training scripts have PEFT begin. So
 * nothing is changed at first, and B moves before A.
 *
 * @see <a href="https://arxiv.org/abs/2106.09685">Hu et al., LoRA, Section 4.1</a>
 */
final class LowRankAdapter {
    private final List<LowRankNetwork.Layer> layers;
    private final int rank;
    private final double scale;
    private final float[] weights; // as LowRankNetwork lays them out, B without the scale
    private final Adam adam;

    /**
     * Weights that change nothing yet.
     *
     * @param seed what draws A
     */
    LowRankAdapter(List<LowRankNetwork.Layer> layers, int rank, double alpha, String seed) {
        this.layers = List.copyOf(layers);
        this.rank = rank;
        this.scale = alpha / rank;
        int width = LowRankNetwork.width(layers);
        this.weights = new float[rank * width];
        this.adam = new Adam(weights.length);
        ZigguratSampler.NormalizedGaussian normal =
                ZigguratSampler.NormalizedGaussian.of(RecipeSampler.rng(seed + " lora"));
        for (int row = 0; row < rank; row++) {
            for (LowRankNetwork.Layer layer : layers) {
                for (int i = 0; i < layer.in(); i++) {
                    weights[row * width + layer.first() + i] = (float) (normal.sample() / rank);
                }
            }
        }
    }

    /** What a network takes, as {@link LowRankNetwork} lays it out: A, and B times alpha / rank. */
    float[] values() {
        return scaled(weights);
    }

    /**
     * One update.
     *
     * @param gradient with respect to {@link #values}
     */
    void update(float[] gradient, double rate) {
        adam.update(weights, scaled(gradient), rate);
    }

    /** A copy in which the columns of B are multiplied by the scale. */
    private float[] scaled(float[] rows) {
        float[] scaled = rows.clone();
        int width = rows.length / rank;
        for (int row = 0; row < rank; row++) {
            for (LowRankNetwork.Layer layer : layers) {
                int from = row * width + layer.first() + layer.in();
                for (int i = from; i < from + layer.out(); i++) {
                    scaled[i] = (float) (scale * rows[i]);
                }
            }
        }
        return scaled;
    }

    /**
     * The tensors of a file that diffusers' {@code load_lora_weights} reads, under PEFT's names. B has alpha / rank in
     * it already: a reader that finds no alpha takes the rank for it.
     *
     * @param component {@code unet} or {@code transformer}
     * @param values as {@link #values}
     */
    static SortedMap<String, Values> tensors(List<LowRankNetwork.Layer> layers, String component, float[] values) {
        int width = LowRankNetwork.width(layers);
        int rank = values.length / width;
        SortedMap<String, Values> tensors = new TreeMap<>();
        for (LowRankNetwork.Layer layer : layers) {
            float[] a = new float[rank * layer.in()];
            float[] b = new float[layer.out() * rank];
            for (int row = 0; row < rank; row++) {
                int from = row * width + layer.first();
                System.arraycopy(values, from, a, row * layer.in(), layer.in());
                for (int i = 0; i < layer.out(); i++) {
                    b[i * rank + row] = values[from + layer.in() + i];
                }
            }
            String name = component + "." + layer.name();
            tensors.put(name + ".lora_A.weight", new Values(List.of((long) rank, (long) layer.in()), a));
            tensors.put(name + ".lora_B.weight", new Values(List.of((long) layer.out(), (long) rank), b));
        }
        return tensors;
    }
}
