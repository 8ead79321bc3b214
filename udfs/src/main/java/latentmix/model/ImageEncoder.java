package latentmix.model;

import java.util.List;
import latentmix.image.Pixels;

/** What metrics see of a network that looks at images: its features of them. */
public interface ImageEncoder extends AutoCloseable {
    /**
     * The features of each image, float32, of {@link #width} numbers each. All images go through the network at once:
     * their number is the micro-batch.
     *
     * @param images at least one, of any sizes
     */
    List<float[]> encode(List<Pixels> images);

    /** How many features an image has. */
    int width();

    @Override
    void close();
}
