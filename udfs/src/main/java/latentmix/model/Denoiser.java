package latentmix.model;

import ai.djl.ndarray.NDArray;
import latentmix.latent.Shape;

/** A denoising network on its device: what samplers and inversions see of a U-Net or a transformer. */
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

    /** The shape of one latent at the model's own image size. */
    Shape latentShape();

    @Override
    void close();
}
