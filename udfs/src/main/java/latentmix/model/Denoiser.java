package latentmix.model;

import ai.djl.ndarray.NDArray;
import java.util.function.UnaryOperator;
import latentmix.latent.Shape;

/** A denoising network on its device: the view that samplers and inversions have of a U-Net or a transformer. */
public interface Denoiser extends AutoCloseable {
    /**
     * The network's raw output (epsilon, v or velocity: the scheduler knows which).
     *
     * @param sample noisy latents, float32 (B, C, H, W)
     * @param timestep the timestep in the checkpoint's own units, the same for the whole batch
     * @param prompt one row for each latent
     * @return float32 (B, C, H, W), attached to the sample's manager
     */
    NDArray predict(NDArray sample, double timestep, PromptEmbeds prompt);

    /**
     * The gradient of some value with respect to the prompts' embeddings: one forward and one backward.
     *
     * @param timesteps one for each latent, or one for all
     * @param outputGradient from the output (B, C, H, W) to the value's gradient with respect to it; its arrays are
     *     closed with the call
     * @return as the embeddings, attached to the sample's manager
     * @throws UnsupportedOperationException if the network was not loaded to be differentiated
     */
    default PromptEmbeds promptGradient(
            NDArray sample, double[] timesteps, PromptEmbeds prompt, UnaryOperator<NDArray> outputGradient) {
        throw new UnsupportedOperationException(
                "This network was loaded without gradients; Models.differentiableDenoiser has them");
    }

    /** The shape of one latent at the model's own image size. */
    Shape latentShape();

    @Override
    void close();
}
