package latentmix.architecture;

import java.util.Locale;

/** The pieces of a component that are compiled and loaded apart. */
public enum Part {
    DENOISER,
    ENCODER,
    DECODER,
    TEXT_ENCODER,
    IMAGE_ENCODER,
    CLASSIFIER;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
