package latentmix.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import latentmix.torchscript.ScriptModule;

/**
 * The multimodal diffusion transformer of Stable Diffusion 3: the latent's patches and the prompt's tokens, each with
 * weights of their own, in one attention.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/transformers/transformer_sd3.py">diffusers'
 * transformer_sd3.py</a>; <a href="https://arxiv.org/abs/2403.03206">Esser et al.</a>, Figure 2.
 *
 * @param dualAttentionLayers the blocks whose patches attend to themselves a second time
 * @param posEmbedMaxSize side of the square of positions, in patches, of which the latent's are the middle
 */
public record SD3Transformer2DModel(
        int sampleSize,
        int patchSize,
        int inChannels,
        int outChannels,
        int layers,
        int heads,
        int headWidth,
        int jointAttentionDim,
        int pooledProjectionDim,
        int posEmbedMaxSize,
        List<Integer> dualAttentionLayers,
        JointTransformerBlock.QkNorm qkNorm)
        implements DenoisingNetwork {
    private static final int TIME_WIDTH = 256;
    private static final TimestepEmbedding TIME = new TimestepEmbedding(true, 0);

    static SD3Transformer2DModel of(ModelConfig config) {
        config.only("qk_norm", "rms_norm");
        int layers = config.integer("num_layers", 18);
        int heads = config.integer("num_attention_heads", 18);
        int headWidth = config.integer("attention_head_dim", 64);
        int caption = config.integer("caption_projection_dim", 1152);
        config.require(
                caption == heads * headWidth,
                "caption_projection_dim must be num_attention_heads · attention_head_dim = " + heads * headWidth
                        + ", cannot be: " + caption);
        int sampleSize = config.side("sample_size", 128);
        int patchSize = config.integer("patch_size", 2);
        int maxSize = config.integer("pos_embed_max_size", 96);
        config.require(
                sampleSize % patchSize == 0 && sampleSize / patchSize <= maxSize,
                "sample_size must be a multiple of patch_size = " + patchSize + " and at most pos_embed_max_size = "
                        + maxSize + " times that, cannot be: " + sampleSize);
        int inChannels = config.integer("in_channels", 16);
        return new SD3Transformer2DModel(
                sampleSize,
                patchSize,
                inChannels,
                config.integer("out_channels", config.isNull("out_channels") ? inChannels : 16),
                layers,
                heads,
                headWidth,
                config.integer("joint_attention_dim", 4096),
                config.integer("pooled_projection_dim", 2048),
                maxSize,
                config.indices("dual_attention_layers", layers),
                config.has("qk_norm") ? JointTransformerBlock.QkNorm.RMS_NORM : JointTransformerBlock.QkNorm.NONE);
    }

    private int width() {
        return heads * headWidth;
    }

    /**
     * forward(hidden_states, timestep, encoder_hidden_states, pooled_projections): the latent (B, inChannels, H, W), a
     * scalar or (B), the prompt (B, L, jointAttentionDim) and (B, pooledProjectionDim), all float32, to the velocity
     * (B, outChannels, H, W), float32. H and W are multiples of patchSize, at most posEmbedMaxSize of them.
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        JointTransformerBlock block = new JointTransformerBlock(width(), heads, qkNorm);
        List<ScriptModule> blocks = new ArrayList<>();
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < layers; i++) {
            boolean last = i == layers - 1;
            blocks.add(block.module(
                    dualAttentionLayers.contains(i)
                            ? JointTransformerBlock.Attends.TWICE
                            : JointTransformerBlock.Attends.ONCE,
                    last ? JointTransformerBlock.Place.LAST : JointTransformerBlock.Place.INNER));
            calls.append("  %s = getattr(self.transformer_blocks, \"%d\").forward(x, context, temb)\n"
                    .formatted(last ? "x" : "x, context", i));
        }
        ScriptModule time = ScriptModule.named("CombinedTimestepTextProjEmbeddings")
                .child("timestep_embedder", TimestepEmbedding.module(TIME_WIDTH, width(), Activation.SILU))
                .child("text_embedder", TimestepEmbedding.module(pooledProjectionDim, width(), Activation.SILU))
                .method(TIME.method("time_proj", TIME_WIDTH))
                .method(
                        """
                        def forward(self, timestep: Tensor, pooled: Tensor) -> Tensor:
                          time = self.timestep_embedder.forward(self.time_proj(timestep).to(pooled))
                          return torch.add(time, self.text_embedder.forward(pooled))
                        """);
        return Map.of(
                Part.DENOISER,
                ScriptModule.named("SD3Transformer2DModel")
                        .child("pos_embed", patchEmbed())
                        .child("time_text_embed", time)
                        .child("context_embedder", Layers.linear(jointAttentionDim, width()))
                        .child("transformer_blocks", ScriptModule.list(blocks))
                        .child("norm_out", block.adaLayerNormContinuous())
                        .child("proj_out", Layers.linear(width(), patchSize * patchSize * outChannels))
                        .method(
                                """
                                def forward(self, hidden_states: Tensor, timestep: Tensor, \
                                encoder_hidden_states: Tensor, pooled_projections: Tensor) -> Tensor:
                                  weight = self.proj_out.weight
                                  x, h, w = self.pos_embed.forward(hidden_states.to(weight))
                                  temb = self.time_text_embed.forward(timestep, pooled_projections.to(weight))
                                  context = self.context_embedder.forward(encoder_hidden_states.to(weight))
                                %s  x = self.proj_out.forward(self.norm_out.forward(x, temb))
                                  x = torch.reshape(x, [-1, h, w, %2$d, %2$d, %3$d])
                                  x = torch.flatten(torch.flatten(torch.permute(x, [0, 5, 1, 3, 2, 4]), 4, 5), 2, 3)
                                  return torch.contiguous(x.to(6))
                                """
                                        .formatted(calls, patchSize, outChannels)));
    }

    /**
     * Cuts the latent into patches by a convolution of stride patchSize and adds the middle of the table of positions:
     * to (B, h·w, width), h, w.
     */
    private ScriptModule patchEmbed() {
        return ScriptModule.named("PatchEmbed")
                .parameter("pos_embed", 1, (long) posEmbedMaxSize * posEmbedMaxSize, width())
                .child("proj", Layers.conv2d(inChannels, width(), patchSize, patchSize, 0))
                .method(
                        """
                        def forward(self, latent: Tensor) -> Tuple[Tensor, int, int]:
                          x = self.proj.forward(latent)
                          h = torch.size(x, 2)
                          w = torch.size(x, 3)
                          positions = torch.unflatten(self.pos_embed, 1, [%1$d, %1$d])
                          positions = torch.narrow(positions, 1, torch.floordiv(%1$d - h, 2), h)
                          positions = torch.narrow(positions, 2, torch.floordiv(%1$d - w, 2), w)
                          x = torch.add(torch.transpose(torch.flatten(x, 2), 1, 2), torch.flatten(positions, 1, 2))
                          return (x, h, w)
                        """
                                .formatted(posEmbedMaxSize));
    }
}
