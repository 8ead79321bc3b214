package latentmix.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import latentmix.torchscript.ScriptModule;

/**
 * The diffusion transformer that is told classes by their numbers: the latent's patches in one attention, each norm
 * modulated by the timestep and the class.
 *
 * <p>A class is given as weights of all classes and of the null class, which is the last. So a sum of weights is a sum
 * of what the network knows of classes, Σ w_i · e_i, and one weight of 1 is a class.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/transformers/dit_transformer_2d.py">diffusers'
 * dit_transformer_2d.py</a>; <a href="https://arxiv.org/abs/2212.09748">Peebles and Xie</a>, Figure 3.
 *
 * @param variance whether the network predicts variances after the noise, which no sampler here needs
 * @param classes without the null class
 * @param normEps of the norms before the feed-forward layers
 */
public record DiTTransformer2DModel(
        int sampleSize,
        int patchSize,
        int inChannels,
        Variance variance,
        int layers,
        int heads,
        int headWidth,
        int classes,
        double normEps)
        implements DenoisingNetwork {
    /** The variance of a step, which the network may have learnt. */
    enum Variance {
        FIXED,
        LEARNED
    }

    private static final int TIME_WIDTH = 256;
    private static final TimestepEmbedding TIME = new TimestepEmbedding(true, 1);

    static DiTTransformer2DModel of(ModelConfig config) {
        config.require(
                config.className().equals("DiTTransformer2DModel") || config.has("norm_type"),
                "norm_type must be ada_norm_zero, as of a DiT, cannot be: absent (other Transformer2DModels are not"
                        + " supported)");
        config.only("norm_type", "ada_norm_zero");
        config.only("activation_fn", "gelu-approximate");
        config.only("attention_bias", true);
        config.only("norm_elementwise_affine", false);
        config.only("dropout", 0.0);
        config.only("attention_type", "default");
        config.only("caption_channels");
        config.only("cross_attention_dim");
        config.only("double_self_attention", false);
        config.only("interpolation_scale", 1.0);
        config.only("num_vector_embeds");
        config.only("only_cross_attention", false);
        config.only("use_linear_projection", false);
        config.integer("norm_num_groups", 32); // which no layer has
        int heads = config.integer("num_attention_heads", 16);
        int headWidth = config.integer("attention_head_dim", 72);
        config.require(
                heads * headWidth % 4 == 0,
                "num_attention_heads · attention_head_dim must be a multiple of 4, for sines and cosines of two"
                        + " coordinates, cannot be: " + heads * headWidth);
        int sampleSize = config.side("sample_size", 32);
        int patchSize = config.integer("patch_size", 2);
        config.require(
                sampleSize % patchSize == 0,
                "sample_size must be a multiple of patch_size = " + patchSize + ", cannot be: " + sampleSize);
        int in = config.integer("in_channels", 4);
        int out = config.integer("out_channels", in);
        config.require(
                out == in || out == 2 * in,
                "out_channels must be in_channels = " + in + ", or twice that where variances are learnt, cannot be: "
                        + out);
        return new DiTTransformer2DModel(
                sampleSize,
                patchSize,
                in,
                out == in ? Variance.FIXED : Variance.LEARNED,
                config.integer("num_layers", 28),
                heads,
                headWidth,
                config.integer("num_embeds_ada_norm", 1000),
                config.number("norm_eps", 1e-5));
    }

    /** The channels of the noise alone. */
    @Override
    public int outChannels() {
        return inChannels;
    }

    /** The classes and the null class, which the network is told where there is no class. */
    public int told() {
        return classes + 1;
    }

    private int width() {
        return heads * headWidth;
    }

    /**
     * forward(hidden_states, timestep, class_labels): the latent (B, inChannels, H, W), a scalar or (B), and the
     * weights of classes, (B, 1, told) or (B, told), all float32, to the noise (B, inChannels, H, W), float32. H and W
     * are multiples of patchSize; positions are stretched over those of the sample size.
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        int predicted = variance == Variance.LEARNED ? 2 * inChannels : inChannels;
        List<ScriptModule> blocks = new ArrayList<>();
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < layers; i++) {
            blocks.add(block());
            calls.append("  x = getattr(self.transformer_blocks, \"%d\").forward(x, time, labels)\n".formatted(i));
        }
        return Map.of(
                Part.DENOISER,
                ScriptModule.named("DiTTransformer2DModel")
                        .child("pos_embed", patchEmbed())
                        .child("transformer_blocks", ScriptModule.list(blocks))
                        .child("proj_out_1", Layers.linear(width(), 2 * width()))
                        .child("proj_out_2", Layers.linear(width(), patchSize * patchSize * predicted))
                        .method(TIME.method("time_proj", TIME_WIDTH))
                        .method(
                                """
                                def forward(self, hidden_states: Tensor, timestep: Tensor, class_labels: Tensor) \
                                -> Tensor:
                                  weight = self.proj_out_2.weight
                                  x, h, w = self.pos_embed.forward(hidden_states.to(weight))
                                  time = self.time_proj(timestep).to(weight)
                                  labels = torch.flatten(class_labels, 1).to(weight)
                                %s  temb = getattr(self.transformer_blocks, "0").norm1.emb.forward(time, labels)
                                  m = torch.chunk(torch.unsqueeze(self.proj_out_1.forward(torch.silu(temb)), 1), 2, 2)
                                  x = self.proj_out_2.forward(%s)
                                  x = torch.narrow(torch.reshape(x, [-1, h, w, %3$d, %3$d, %4$d]), 5, 0, %5$d)
                                  x = torch.flatten(torch.flatten(torch.permute(x, [0, 5, 1, 3, 2, 4]), 4, 5), 2, 3)
                                  return torch.contiguous(x.to(6))
                                """
                                        .formatted(
                                                calls,
                                                JointTransformerBlock.modulated(
                                                        JointTransformerBlock.normed(
                                                                "x", width(), JointTransformerBlock.EPS),
                                                        "m[0]",
                                                        "m[1]"),
                                                patchSize,
                                                predicted,
                                                inChannels)));
    }

    /**
     * Cuts the latent into patches by a convolution of stride patchSize and adds sines and cosines of their columns and
     * rows, in float64 as the library computes them: to (B, h·w, width), h, w.
     */
    private ScriptModule patchEmbed() {
        return ScriptModule.named("PatchEmbed")
                .child("proj", Layers.conv2d(inChannels, width(), patchSize, patchSize, 0))
                .method(
                        """
                        def waves(self, count: int, device: Device) -> Tensor:
                          i = torch.div(torch.arange(count, dtype=6, device=device), count / %1$d)
                          exponent = torch.div(torch.arange(%2$d, dtype=7, device=device), %2$d)
                          frequencies = torch.reciprocal(torch.pow(10000, exponent))
                          angles = torch.mul(torch.unsqueeze(i, 1).to(7), frequencies)
                          return torch.cat([torch.sin(angles), torch.cos(angles)], 1).to(6)
                        def forward(self, latent: Tensor) -> Tuple[Tensor, int, int]:
                          x = self.proj.forward(latent)
                          h = torch.size(x, 2)
                          w = torch.size(x, 3)
                          columns = torch.expand(torch.unsqueeze(self.waves(w, x.device), 0), [h, w, %3$d])
                          rows = torch.expand(torch.unsqueeze(self.waves(h, x.device), 1), [h, w, %3$d])
                          positions = torch.flatten(torch.cat([columns, rows], 2), 0, 1)
                          x = torch.add(torch.transpose(torch.flatten(x, 2), 1, 2), positions).to(x.dtype)
                          return (x, h, w)
                        """
                                .formatted(sampleSize / patchSize, width() / 4, width() / 2));
    }

    /** x += gate · attention(x), x += gate · ff x: patches (B, T, width), waves of the timestep, weights of classes. */
    private ScriptModule block() {
        JointTransformerBlock like =
                new JointTransformerBlock(width(), heads, JointTransformerBlock.QkNorm.NONE); // without a prompt
        return ScriptModule.named("BasicTransformerBlock")
                .child("norm1", like.adaLayerNormZero(2).child("emb", timeAndLabel()))
                .child("attn1", like.selfAttention())
                .child("ff", like.feedForward())
                .method(
                        """
                        def forward(self, x: Tensor, time: Tensor, labels: Tensor) -> Tensor:
                          m = self.norm1.forward(self.norm1.emb.forward(time, labels))
                          x = torch.addcmul(x, m[2], self.attn1.forward(%s))
                          return torch.addcmul(x, m[5], self.ff.forward(%s))
                        """
                                .formatted(
                                        JointTransformerBlock.modulated(
                                                JointTransformerBlock.normed("x", width(), JointTransformerBlock.EPS),
                                                "m[0]",
                                                "m[1]"),
                                        JointTransformerBlock.modulated(
                                                JointTransformerBlock.normed("x", width(), normEps), "m[3]", "m[4]")));
    }

    /** The embedding of the timestep and the class, which each block has of its own: (B, width). */
    private ScriptModule timeAndLabel() {
        ScriptModule label = ScriptModule.named("LabelEmbedding")
                .child(
                        "embedding_table",
                        ScriptModule.named("EmbeddingTable")
                                .parameter("weight", told(), width())
                                .method(
                                        """
                                        def forward(self, weights: Tensor) -> Tensor:
                                          return torch.matmul(weights, self.weight)
                                        """))
                .method(
                        """
                        def forward(self, labels: Tensor) -> Tensor:
                          return self.embedding_table.forward(labels)
                        """);
        return ScriptModule.named("CombinedTimestepLabelEmbeddings")
                .child("timestep_embedder", TimestepEmbedding.module(TIME_WIDTH, width(), Activation.SILU))
                .child("class_embedder", label)
                .method(
                        """
                        def forward(self, time: Tensor, labels: Tensor) -> Tensor:
                          return torch.add(self.timestep_embedder.forward(time), self.class_embedder.forward(labels))
                        """);
    }
}
