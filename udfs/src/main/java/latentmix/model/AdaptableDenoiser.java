package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import java.util.function.UnaryOperator;
import latentmix.architecture.LowRankNetwork;

/**
 * A U-Net or transformer that takes a low-rank adapter with each call: it is loaded once, and tasks run it at the same
 * time with adapters of their own. The network belongs to {@link Models}.
 *
 * @param factor pixels of a side for one entry of the latent where the network is told an image's size, else 0
 * @param layers what is adapted
 */
public record AdaptableDenoiser(
        Network network, latentmix.latent.Shape latentShape, int factor, List<LowRankNetwork.Layer> layers) {
    public AdaptableDenoiser {
        layers = List.copyOf(layers);
    }

    /**
     * The gradients of some value.
     *
     * @param prompt with respect to the prompt's embeddings
     * @param adapter with respect to the adapter
     */
    public record Slopes(PromptEmbeds prompt, NDArray adapter) {}

    /**
     * The denoiser with an adapter, for as long as the manager is open.
     *
     * @param adapter as {@link LowRankNetwork} lays it out, row-major
     */
    public Denoiser with(float[] adapter, NDManager manager) {
        return denoiser(adapter, manager);
    }

    /**
     * One forward and one backward; as {@link Denoiser#promptGradient}.
     *
     * @return on the sample's manager
     */
    public Slopes slopes(
            NDArray sample,
            double[] timesteps,
            PromptEmbeds prompt,
            float[] adapter,
            UnaryOperator<NDArray> outputGradient) {
        return denoiser(adapter, sample.getManager()).slopes(sample, timesteps, prompt, outputGradient);
    }

    /** As {@link Denoiser#sized}. */
    public PromptEmbeds sized(PromptEmbeds prompts, List<TimeIds> images, NDManager owner) {
        return new TorchDenoiser(network, latentShape, factor, new NDList()).sized(prompts, images, owner);
    }

    private TorchDenoiser denoiser(float[] adapter, NDManager manager) {
        int width = LowRankNetwork.width(layers);
        if (adapter.length == 0 || adapter.length % width != 0) {
            throw new IllegalArgumentException("An adapter of this network must have rows of " + width
                    + " numbers, cannot have: " + adapter.length);
        }
        NDArray rows = manager.create(adapter, new Shape(adapter.length / width, width));
        return new TorchDenoiser(network, latentShape, factor, new NDList(rows));
    }
}
