package latentmix.model;

import latentmix.image.Resize;

/**
 * The six numbers that Stable Diffusion XL is told of an image's size, {@code add_time_ids} of diffusers' pipeline:
 * {@code original_size}, {@code crops_coords_top_left} and {@code target_size}, in pixels.
 *
 * @param originalHeight before the image was resized
 * @param top where the cut begins in the resized image
 * @param targetHeight of what was cut out
 * @see <a href="https://arxiv.org/abs/2307.01952">Podell et al., SDXL, Section 2.2</a>
 */
public record TimeIds(int originalHeight, int originalWidth, int top, int left, int targetHeight, int targetWidth) {
    /** How many numbers there are. */
    static final int COUNT = 6;

    /** An image that was neither resized nor cut: what the pipeline tells when it is told nothing. */
    public static TimeIds whole(int height, int width) {
        return new TimeIds(height, width, 0, 0, height, width);
    }

    /** The middle square of an image, as {@link Resize#square} makes it. */
    public static TimeIds square(int height, int width, int side) {
        Resize.Corner corner = Resize.corner(width, height, side, side);
        return new TimeIds(height, width, Math.toIntExact(corner.top()), Math.toIntExact(corner.left()), side, side);
    }

    /** The numbers in the network's order. */
    float[] values() {
        return new float[] {originalHeight, originalWidth, top, left, targetHeight, targetWidth};
    }
}
