package latentmix.plan;

import java.io.Serializable;

/**
 * Everything that decides an image's features beside the image itself.
 *
 * @param network {@link FeatureKind#text}
 * @param fingerprint the network's weights
 * @param size real images' side: they are made the run's image size first, as those are that they are compared with
 */
public record FeatureSettings(String network, String fingerprint, String device, int batch, int threads, int size)
        implements Serializable {}
