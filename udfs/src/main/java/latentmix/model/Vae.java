package latentmix.model;

import ai.djl.ndarray.NDArray;

/** The half of an autoencoder that is loaded: images to latents, or back. Parts load apart. */
public interface Vae extends AutoCloseable {
    /**
     * Images to scaled latents: (mean - shift) · scaling, the encoder's mean, never a sample.
     *
     * @param images float32 (B, 3, H, W) in [-1, 1]
     * @return float32 (B, C, h, w), attached to the images' manager
     */
    NDArray encode(NDArray images);

    /**
     * Scaled latents to images: the decoder on z / scaling + shift.
     *
     * @param latents float32 (B, C, h, w)
     * @return float32 (B, 3, H, W), nominally in [-1, 1], not clamped; attached to the latents' manager
     */
    NDArray decode(NDArray latents);

    @Override
    void close();
}
