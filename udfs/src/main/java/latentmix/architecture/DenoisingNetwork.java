package latentmix.architecture;

/** A network that denoises latents: a U-Net or a transformer. */
public sealed interface DenoisingNetwork extends Architecture
        permits UNet2DConditionModel, SD3Transformer2DModel, DiTTransformer2DModel {
    int inChannels();

    int outChannels();

    /** The side of the latents that the network was trained on. */
    int sampleSize();

    /** The network whose attention layers take a low-rank adapter with each call. */
    default LowRankNetwork lowRank() {
        return LowRankNetwork.of(parts().get(Part.DENOISER));
    }
}
