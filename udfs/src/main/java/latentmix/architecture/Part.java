package latentmix.architecture;

import java.util.Locale;

/** The pieces of a checkpoint that are compiled and loaded apart. */
public enum Part {
    DENOISER("unet"),
    ENCODER("vae"),
    DECODER("vae"),
    TEXT_ENCODER("text_encoder"),
    IMAGE_ENCODER("image_encoder"),
    CLASSIFIER("classifier");

    private final String component;

    Part(String component) {
        this.component = component;
    }

    /** The component folder of a checkpoint that this part is in. */
    public String component() {
        return component;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
