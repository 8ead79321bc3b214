package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.util.List;
import java.util.function.UnaryOperator;
import latentmix.latent.Shape;

/** A denoising network on its device: the view that samplers and inversions have of a U-Net or a transformer. */
public interface Denoiser extends AutoCloseable {
    /**
     * What is told of prompts, with the sizes of their images where the network is told of them; else the same. Without
     * this, such a network is told that each image is as large as its latent and was neither resized nor cut.
     *
     * @param prompts one row for each image, or one for all
     * @param images one for each image
     * @param owner of the arrays that are added
     */
    default PromptEmbeds sized(PromptEmbeds prompts, List<TimeIds> images, NDManager owner) {
        return prompts;
    }

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
     * The gradient of some value with respect to the prompts' embeddings, not to sizes: one forward and one backward.
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
