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
 * transformer_sd3.py</a>, {@code attention.py} (JointTransformerBlock) and {@code normalization.py}. <a
 * href="https://arxiv.org/abs/2403.03206">Esser et al.</a>, Figure 2.
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
        QkNorm qkNorm)
        implements DenoisingNetwork {
    /** What is done to the queries and keys of each head. */
    enum QkNorm {
        NONE,
        RMS_NORM
    }

    private static final double EPS = 1e-6;
    private static final int TIME_WIDTH = 256;
    private static final TimestepEmbedding TIME = new TimestepEmbedding(true, 0);

    static SD3Transformer2DModel of(ModelConfig config) {
        config.only("qk_norm", null, "rms_norm");
        int layers = config.integer("num_layers", 18);
        int heads = config.integer("num_attention_heads", 18);
        int headWidth = config.integer("attention_head_dim", 64);
        int caption = config.integer("caption_projection_dim", 1152);
        config.require(
                caption == heads * headWidth,
                "caption_projection_dim must be num_attention_heads · attention_head_dim = " + heads * headWidth
                        + ", cannot be: " + caption);
        int sampleSize = config.integer("sample_size", 128);
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
                config.json().has("out_channels") ? config.integerOrNull("out_channels", inChannels) : 16,
                layers,
                heads,
                headWidth,
                config.integer("joint_attention_dim", 4096),
                config.integer("pooled_projection_dim", 2048),
                maxSize,
                config.indices("dual_attention_layers", layers),
                config.json().path("qk_norm").isTextual() ? QkNorm.RMS_NORM : QkNorm.NONE);
    }

    private int width() {
        return heads * headWidth;
    }

    /**
     * forward(hidden_states, timestep, encoder_hidden_states, pooled_projections): the latent (B, inChannels, H, W), a scalar
     * or (B), the prompt (B, L, jointAttentionDim) and (B, pooledProjectionDim), all float32, to the velocity
     * (B, outChannels, H, W), float32. H and W are multiples of patchSize, at most posEmbedMaxSize of them.
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        List<ScriptModule> blocks = new ArrayList<>();
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < layers; i++) {
            blocks.add(block(i));
            calls.append("  %s = getattr(self.transformer_blocks, \"%d\").forward(x, context, temb)\n"
                    .formatted(isLast(i) ? "x" : "x, context", i));
        }
        ScriptModule time = ScriptModule.named("CombinedTimestepTextProjEmbeddings")
                .child("timestep_embedder", TimestepEmbedding.module(TIME_WIDTH, width(), Activation.SILU))
                .child("text_embedder", TimestepEmbedding.module(pooledProjectionDim, width(), Activation.SILU))
                .method(TIME.method(TIME_WIDTH))
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
                        .child("norm_out", adaLayerNormContinuous())
                        .child("proj_out", Layers.linear(width(), patchSize * patchSize * outChannels))
                        .method(
                                """
                                def forward(self, hidden_states: Tensor, timestep: Tensor, encoder_hidden_states: Tensor, pooled_projections: Tensor) -> Tensor:
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

    private boolean isLast(int block) {
        return block == layers - 1;
    }

    /** A convolution of stride patchSize, and the middle of the table of positions: to (B, h·w, width), h, w. */
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

    /** Text of the layer norm without weights of a variable, times 1 + scale plus shift. */
    private String modulated(String normed, String shift, String scale) {
        return "torch.addcmul(%s, %s, torch.add(%s, 1))".formatted(shift, normed, scale);
    }

    private String normed(String x) {
        return "torch.layer_norm(%s, [%d], None, None, %s)".formatted(x, width(), EPS);
    }

    /** Scale, then shift, from temb: forward(x, temb), x (B, T, width). */
    private ScriptModule adaLayerNormContinuous() {
        return ScriptModule.named("AdaLayerNormContinuous")
                .child("linear", Layers.linear(width(), 2 * width()))
                .method(
                        """
                        def forward(self, x: Tensor, temb: Tensor) -> Tensor:
                          scale, shift = torch.chunk(torch.unsqueeze(self.linear.forward(torch.silu(temb)), 1), 2, 2)
                          return %s
                        """
                                .formatted(modulated(normed("x"), "shift", "scale")));
    }

    /** Shift, scale and gate, so many times, from temb: forward(temb), (B, 1, width) each. */
    private ScriptModule adaLayerNormZero(int triples) {
        return ScriptModule.named("AdaLayerNormZero")
                .child("linear", Layers.linear(width(), 3 * triples * width()))
                .method(
                        """
                        def forward(self, temb: Tensor) -> List[Tensor]:
                          return torch.chunk(torch.unsqueeze(self.linear.forward(torch.silu(temb)), 1), %d, 2)
                        """
                                .formatted(3 * triples));
    }

    /**
     * forward(x, context, temb): patches (B, T, width), prompt (B, L, width) and temb (B, width) to new patches and prompt; the
     * last block only reads the prompt and gives patches alone.
     */
    private ScriptModule block(int i) {
        boolean dual = dualAttentionLayers.contains(i);
        boolean last = isLast(i);
        ScriptModule block = ScriptModule.named("JointTransformerBlock")
                .child("norm1", adaLayerNormZero(dual ? 3 : 2))
                .child("norm1_context", last ? adaLayerNormContinuous() : adaLayerNormZero(2))
                .child("attn", last ? jointAttentionToPatches() : jointAttention());
        if (dual) {
            block = block.child("attn2", selfAttention());
        }
        block = block.child("ff", feedForward());
        if (!last) {
            block = block.child("ff_context", feedForward());
        }
        String in = "def forward(self, x: Tensor, context: Tensor, temb: Tensor) -> "
                + (last ? "Tensor" : "Tuple[Tensor, Tensor]")
                + ":\n  m = self.norm1.forward(temb)\n  n = "
                + normed("x") + "\n";
        String attention = last
                ? "  a = self.attn.forward(%s, self.norm1_context.forward(context, temb))\n"
                        .formatted(modulated("n", "m[0]", "m[1]"))
                : "  c = self.norm1_context.forward(temb)\n  a, b = self.attn.forward(%s, %s)\n"
                        .formatted(modulated("n", "m[0]", "m[1]"), modulated(normed("context"), "c[0]", "c[1]"));
        String second = dual
                ? "  x = torch.addcmul(x, m[8], self.attn2.forward(%s))\n".formatted(modulated("n", "m[6]", "m[7]"))
                : "";
        String patches =
                "  x = torch.addcmul(x, m[5], self.ff.forward(%s))\n".formatted(modulated(normed("x"), "m[3]", "m[4]"));
        String prompt = last
                ? "  return x\n"
                : """
                  context = torch.addcmul(context, c[2], b)
                  context = torch.addcmul(context, c[5], self.ff_context.forward(%s))
                  return (x, context)
                """
                        .formatted(modulated(normed("context"), "c[3]", "c[4]"));
        return block.method(in + attention + "  x = torch.addcmul(x, m[2], a)\n" + second + patches + prompt);
    }

    /** Adds the projections to queries, keys and values. */
    private ScriptModule projections(ScriptModule attention, String q, String k, String v) {
        return attention
                .child(q, Layers.linear(width(), width()))
                .child(k, Layers.linear(width(), width()))
                .child(v, Layers.linear(width(), width()));
    }

    private ScriptModule norms(ScriptModule attention, String q, String k) {
        return qkNorm == QkNorm.NONE
                ? attention
                : attention.child(q, Layers.rmsNorm(headWidth, EPS)).child(k, Layers.rmsNorm(headWidth, EPS));
    }

    /** Text: a projection's output as heads, (B, heads, T, headWidth), normalised where there is a norm. */
    private String heads(String projection, String x, String norm) {
        String text = "torch.transpose(torch.unflatten(self.%s.forward(%s), 2, [%d, %d]), 1, 2)"
                .formatted(projection, x, heads, headWidth);
        return norm.isEmpty() || qkNorm == QkNorm.NONE ? text : "self.%s.forward(%s)".formatted(norm, text);
    }

    private ScriptModule out() {
        return ScriptModule.named("ModuleList").child("0", Layers.linear(width(), width()));
    }

    /** One attention over patches and prompt: forward(x, context), normalised and modulated both. */
    private ScriptModule joint() {
        ScriptModule attention = ScriptModule.named("JointAttention");
        attention = projections(attention, "to_q", "to_k", "to_v");
        attention = projections(attention, "add_q_proj", "add_k_proj", "add_v_proj");
        attention = norms(norms(attention, "norm_q", "norm_k"), "norm_added_q", "norm_added_k");
        return attention
                .child("to_out", out())
                .method(
                        """
                        def attend(self, x: Tensor, context: Tensor) -> Tensor:
                          q = torch.cat([%s, %s], 2)
                          k = torch.cat([%s, %s], 2)
                          v = torch.cat([%s, %s], 2)
                          return torch.flatten(torch.transpose(torch.scaled_dot_product_attention(q, k, v), 1, 2), 2)
                        """
                                .formatted(
                                        heads("to_q", "x", "norm_q"),
                                        heads("add_q_proj", "context", "norm_added_q"),
                                        heads("to_k", "x", "norm_k"),
                                        heads("add_k_proj", "context", "norm_added_k"),
                                        heads("to_v", "x", ""),
                                        heads("add_v_proj", "context", "")));
    }

    private ScriptModule jointAttention() {
        return joint().child("to_add_out", Layers.linear(width(), width()))
                .method(
                        """
                        def forward(self, x: Tensor, context: Tensor) -> Tuple[Tensor, Tensor]:
                          patches, prompt = torch.split_with_sizes(self.attend(x, context), [torch.size(x, 1), torch.size(context, 1)], 1)
                          return (getattr(self.to_out, "0").forward(patches), self.to_add_out.forward(prompt))
                        """);
    }

    private ScriptModule jointAttentionToPatches() {
        return joint().method(
                        """
                        def forward(self, x: Tensor, context: Tensor) -> Tensor:
                          o = self.attend(x, context)
                          return getattr(self.to_out, "0").forward(torch.narrow(o, 1, 0, torch.size(x, 1)))
                        """);
    }

    /** Attention of the patches to themselves: forward(x). */
    private ScriptModule selfAttention() {
        ScriptModule attention = projections(ScriptModule.named("SelfAttention"), "to_q", "to_k", "to_v");
        return norms(attention, "norm_q", "norm_k")
                .child("to_out", out())
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          q = %s
                          k = %s
                          v = %s
                          o = torch.flatten(torch.transpose(torch.scaled_dot_product_attention(q, k, v), 1, 2), 2)
                          return getattr(self.to_out, "0").forward(o)
                        """
                                .formatted(
                                        heads("to_q", "x", "norm_q"),
                                        heads("to_k", "x", "norm_k"),
                                        heads("to_v", "x", "")));
    }

    /** Linear, gelu approximated by tanh, linear; four times as wide between. */
    private ScriptModule feedForward() {
        ScriptModule gelu = ScriptModule.named("GELU")
                .child("proj", Layers.linear(width(), 4 * width()))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return %s
                        """
                                .formatted(Activation.GELU_TANH.inPlace("self.proj.forward(x)")));
        return ScriptModule.named("FeedForward")
                .child(
                        "net",
                        ScriptModule.named("ModuleList")
                                .child("0", gelu)
                                .child("2", Layers.linear(4 * width(), width())))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return getattr(self.net, "2").forward(getattr(self.net, "0").forward(x))
                        """);
    }
}
