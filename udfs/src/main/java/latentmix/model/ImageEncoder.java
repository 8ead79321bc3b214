package latentmix.model;

import java.util.List;
import latentmix.image.Pixels;

/** A network that gives features of images, as metrics see it. */
public interface ImageEncoder extends AutoCloseable {
    /**
     * The features of each image, float32, of {@link #width} numbers each. All images go through the network at once:
     * their number is the micro-batch.
     *
     * @param images at least one, of any sizes
     */
    List<float[]> encode(List<Pixels> images);

    /** The number of features of an image. */
    int width();

    @Override
    void close();
}
