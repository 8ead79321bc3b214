package latentmix.model;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import latentmix.image.Pixels;

/** A half of an autoencoder: it turns images into latents, or back. Each half is loaded by itself. */
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

    /** Moves images of one size onto a device: float32 (B, 3, H, W) in [-1, 1], as {@link #encode} takes them. */
    static NDArray images(NDManager manager, List<Pixels> batch) {
        int width = batch.get(0).width();
        int height = batch.get(0).height();
        int each = 3 * height * width;
        float[] values = new float[batch.size() * each];
        for (int i = 0; i < batch.size(); i++) {
            System.arraycopy(batch.get(i).toChw(), 0, values, i * each, each);
        }
        return manager.create(values, new Shape(batch.size(), 3, height, width));
    }

    @Override
    void close();
}
