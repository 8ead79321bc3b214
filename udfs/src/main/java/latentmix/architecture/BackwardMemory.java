package latentmix.architecture;

import java.util.List;

/**
 * The memory that a backward pass through a U-Net or a transformer takes: the activations that autograd keeps of its
 * forward, 4 bytes each, times {@link #MARGIN},
 *
 * <pre>
 * residual block of in to out channels    2 in + 4 out        and in again where a skip connection is joined on
 * transformers of width w, depth n        (3 + 28 n) w        attention keeps no scores, only its inputs and result
 * resampling to width w                   2 w                 at the new resolution
 * </pre>
 *
 * numbers for each position of the level and each latent: norms and activations before and after, convolutions' inputs,
 * queries, keys, values and the two halves of the gated layer. Weights are not in it. Where an adapter is learnt, the
 * inputs of its layers are kept, too: 4 w for each depth.
 */
public final class BackwardMemory {
    /**
     * A factor for the allocator and for what layers hold while they run. Without it the estimate was 0.9 to 1 times
     * the measured memory.
     */
    static final double MARGIN = 1.5;

    /** What gradients are led back to. */
    public enum Learnt {
        /** The prompt's embeddings. */
        PROMPT(0),
        /** Those and a low-rank adapter of the attention layers. */
        ADAPTER(4);

        private final double inputs; // that a transformer block keeps more, in widths

        Learnt(double inputs) {
            this.inputs = inputs;
        }
    }

    private BackwardMemory() {}

    /** Bytes that the backward pass of a batch of latents (batch, C, height, width) needs beside the weights. */
    public static long bytes(UNet2DConditionModel unet, Learnt learnt, int batch, int height, int width) {
        List<Integer> channels = unet.blockOutChannels();
        int levels = channels.size();
        double numbers = 0;
        for (int level = 0; level < levels; level++) {
            double positions = positions(height, width, level);
            int out = channels.get(level);
            int layers = unet.layersPerBlock().get(level);
            boolean crossDown = unet.downBlockTypes().get(level).startsWith("CrossAttn");
            boolean crossUp = unet.upBlockTypes().get(levels - 1 - level).startsWith("CrossAttn");
            for (int layer = 0; layer < layers; layer++) {
                int in = layer > 0 ? out : channels.get(Math.max(level - 1, 0));
                numbers += positions * (2.0 * in + 4.0 * out);
                numbers += crossDown
                        ? positions * transformer(learnt, out, unet.depths().get(level))
                        : 0;
            }
            for (int layer = 0; layer <= layers; layer++) {
                int hidden = layer > 0 ? out : channels.get(Math.min(level + 1, levels - 1));
                int in = hidden + (layer == layers ? channels.get(Math.max(level - 1, 0)) : out);
                numbers += positions * (3.0 * in + 4.0 * out);
                numbers += crossUp
                        ? positions * transformer(learnt, out, unet.upDepths().get(levels - 1 - level))
                        : 0;
            }
            numbers += level < levels - 1 ? positions(height, width, level + 1) * 2 * out + positions * 2 * out : 0;
        }
        int last = channels.get(levels - 1);
        if (unet.middle() == UNet2DConditionModel.Middle.CROSS_ATTENTION) {
            numbers += positions(height, width, levels - 1)
                    * (2 * 6.0 * last + transformer(learnt, last, unet.depths().get(levels - 1)));
        }
        return (long) (MARGIN * Float.BYTES * batch * numbers);
    }

    /**
     * The same for Stable Diffusion 3's transformer of width w: 26 w for each patch and each token of the prompt in
     * each block, with 9 w more for a patch where it attends twice. Those are inputs of norms and their modulations,
     * queries, keys and values before and after their norms, and the feed-forward layers' 4 w before and after GELU.
     *
     * @param tokens of a prompt
     */
    public static long bytes(
            SD3Transformer2DModel transformer, Learnt learnt, int batch, int height, int width, int tokens) {
        double patches = (double) height * width / (transformer.patchSize() * transformer.patchSize());
        double numbers = transformer.layers() * (26.0 + learnt.inputs) * (patches + tokens)
                + transformer.dualAttentionLayers().size() * 9 * patches;
        return (long) (MARGIN * Float.BYTES * batch * numbers * transformer.heads() * transformer.headWidth());
    }

    private static double transformer(Learnt learnt, int width, int depth) {
        return (3.0 + (28 + learnt.inputs) * depth) * width;
    }

    private static double positions(int height, int width, int level) {
        return Math.ceil(height / Math.pow(2, level)) * Math.ceil(width / Math.pow(2, level));
    }
}
