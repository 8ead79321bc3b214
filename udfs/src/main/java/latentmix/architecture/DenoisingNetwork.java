package latentmix.architecture;

/** A network that denoises latents: what is asked of either kind. */
public sealed interface DenoisingNetwork extends Architecture permits UNet2DConditionModel, SD3Transformer2DModel {
    int inChannels();

    int outChannels();

    /** A side of the latents that it was trained on. */
    int sampleSize();
}
