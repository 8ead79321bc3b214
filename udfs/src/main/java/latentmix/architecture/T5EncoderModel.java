package latentmix.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import latentmix.torchscript.ScriptModule;

/**
 * T5's text encoder: token ids to the embeddings that a denoiser attends to, by blocks of attention with learned biases
 * for relative positions, softmax(q kᵀ + bias) v without scaling.
 *
 * <p><a
 * href="https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/t5/modeling_t5.py">transformers'
 * modeling_t5.py</a>; <a href="https://arxiv.org/abs/1910.10683">Raffel et al.</a>, Section 2.1. The sum that the
 * blocks add to is float32 in every type, for it outgrows float16.
 *
 * @param headWidth d_kv; heads · headWidth need not be hiddenSize
 * @param buckets distances that have a bias of their own, half of them for either direction
 * @param maxDistance from here on all distances share one
 */
public record T5EncoderModel(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int headWidth,
        int buckets,
        int maxDistance,
        Activation activation,
        FeedForward feedForward,
        double eps)
        implements Architecture {
    /** The hidden layer: activation(wi x), or gated, activation(wi_0 x) · wi_1 x. */
    enum FeedForward {
        PLAIN,
        GATED
    }

    /** The name that some files give to shared.weight. */
    private static final String EMBED_TOKENS = "encoder.embed_tokens.weight";

    private static final String SHARED = "shared.weight";

    static T5EncoderModel of(ModelConfig config) {
        String kind = config.oneOf(
                "feed_forward_proj", "relu", "gelu", "gelu_new", "silu", "gated-relu", "gated-gelu", "gated-silu");
        boolean gated = kind.startsWith("gated-");
        // A historical choice of the library: gated-gelu is the approximation, gelu is exact.
        String activation = kind.equals("gated-gelu") ? "gelu_new" : kind.replace("gated-", "");
        config.only("is_gated_act", gated);
        config.only("dense_act_fn", activation);
        int buckets = config.integer("relative_attention_num_buckets", 32);
        int maxDistance = config.integer("relative_attention_max_distance", 128);
        config.require(
                buckets % 4 == 0 && maxDistance > buckets / 4,
                "relative_attention_num_buckets must be a multiple of 4, less than 4 relative_attention_max_distance = "
                        + 4 * maxDistance + ", cannot be: " + buckets);
        return new T5EncoderModel(
                config.integer("vocab_size", 32128),
                config.integer("d_model", 512),
                config.integer("d_ff", 2048),
                config.integer("num_layers", 6),
                config.integer("num_heads", 8),
                config.integer("d_kv", 64),
                buckets,
                maxDistance,
                Activation.of(activation),
                gated ? FeedForward.GATED : FeedForward.PLAIN,
                config.number("layer_norm_epsilon", 1e-6));
    }

    @Override
    public Map<Pattern, String> renamings(Set<String> keys) {
        return keys.contains(SHARED) ? Map.of() : Map.of(Pattern.compile("^" + Pattern.quote(EMBED_TOKENS)), SHARED);
    }

    /** Ignores a second copy of the embeddings, and the decoder in the file of a whole T5. */
    @Override
    public boolean ignores(String key) {
        return key.equals(EMBED_TOKENS) || key.equals("lm_head.weight") || key.startsWith("decoder.");
    }

    /**
     * forward(input_ids, attention_mask): both int64 (B, L), the mask 1 for tokens to attend to, at least one a row, to
     * float32 [last_hidden_state, hidden_states 0 to layers], (B, L, hiddenSize) each. The last two are the same: it
     * has the final norm, those before have not. A masked token's logit is -60000, which float16 can hold too.
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        List<ScriptModule> blocks = new ArrayList<>();
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < layers; i++) {
            blocks.add(block(i));
            calls.append("  x = getattr(self.block, \"%d\").forward(x, bias)\n".formatted(i))
                    .append(i < layers - 1 ? "  states.append(x)\n" : "");
        }
        ScriptModule stack = ScriptModule.named("T5Stack")
                .child("block", ScriptModule.list(blocks))
                .child("final_layer_norm", Layers.rmsNorm(hiddenSize, eps))
                .method(
                        """
                        def forward(self, x: Tensor, attention_mask: Tensor) -> List[Tensor]:
                          length = torch.size(x, 1)
                          padding = torch.reshape(torch.eq(attention_mask, 0), [-1, 1, 1, length])
                          bias = getattr(getattr(self.block, "0").layer, "0").SelfAttention.position_bias(length)
                          bias = torch.masked_fill(bias, padding, -60000.)
                          x = x.to(6)
                          states = [x]
                        %s  last = self.final_layer_norm.forward(x)
                          return [last] + states + [last]
                        """
                                .formatted(calls));
        return Map.of(
                Part.TEXT_ENCODER,
                ScriptModule.named("T5EncoderModel")
                        .child("shared", Layers.embedding(vocabSize, hiddenSize))
                        .child("encoder", stack)
                        .method(
                                """
                                def forward(self, input_ids: Tensor, attention_mask: Tensor) -> List[Tensor]:
                                  return self.encoder.forward(self.shared.forward(input_ids), attention_mask)
                                """));
    }

    /** forward(x, bias): x float32 (B, L, hiddenSize), bias (B or 1, heads, L, L), to x. */
    private ScriptModule block(int i) {
        ScriptModule attention = ScriptModule.named("T5LayerSelfAttention")
                .child("SelfAttention", i == 0 ? withPositionBias(attention()) : attention())
                .child("layer_norm", Layers.rmsNorm(hiddenSize, eps))
                .method(
                        """
                        def forward(self, x: Tensor, bias: Tensor) -> Tensor:
                          h = self.layer_norm.forward(x).to(self.SelfAttention.q.weight)
                          return torch.add(x, self.SelfAttention.forward(h, bias))
                        """);
        ScriptModule feedForward = ScriptModule.named("T5LayerFF")
                .child("DenseReluDense", dense())
                .child("layer_norm", Layers.rmsNorm(hiddenSize, eps))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          h = self.layer_norm.forward(x).to(self.DenseReluDense.wo.weight)
                          return torch.add(x, self.DenseReluDense.forward(h))
                        """);
        return ScriptModule.named("T5Block")
                .child("layer", ScriptModule.list(List.of(attention, feedForward)))
                .method(
                        """
                        def forward(self, x: Tensor, bias: Tensor) -> Tensor:
                          x = getattr(self.layer, "0").forward(x, bias)
                          return getattr(self.layer, "1").forward(x)
                        """);
    }

    private ScriptModule attention() {
        int inner = heads * headWidth;
        return ScriptModule.named("T5Attention")
                .child("q", Layers.linearWithoutBias(hiddenSize, inner))
                .child("k", Layers.linearWithoutBias(hiddenSize, inner))
                .child("v", Layers.linearWithoutBias(hiddenSize, inner))
                .child("o", Layers.linearWithoutBias(inner, hiddenSize))
                .method(
                        """
                        def forward(self, x: Tensor, bias: Tensor) -> Tensor:
                          q = torch.transpose(torch.unflatten(self.q.forward(x), 2, [%1$d, %2$d]), 1, 2)
                          k = torch.transpose(torch.unflatten(self.k.forward(x), 2, [%1$d, %2$d]), 1, 2)
                          v = torch.transpose(torch.unflatten(self.v.forward(x), 2, [%1$d, %2$d]), 1, 2)
                          o = torch.scaled_dot_product_attention(q, k, v, bias.to(q), scale=1.)
                          return self.o.forward(torch.flatten(torch.transpose(o, 1, 2), 2))
                        """
                                .formatted(heads, headWidth));
    }

    /**
     * Adds position_bias(length), the bias for each head and pair of positions, (1, heads, L, L): the n = buckets/2 of
     * a direction are distances 0 to n/2 - 1, then n/2 + ln(d / (n/2)) / ln(maxDistance / (n/2)) · n/2 rounded down, at
     * most n - 1.
     */
    private ScriptModule withPositionBias(ScriptModule attention) {
        int exact = buckets / 4;
        return attention
                .child("relative_attention_bias", Layers.embedding(buckets, heads))
                .method(
                        """
                        def position_bias(self, length: int) -> Tensor:
                          positions = torch.arange(length, dtype=4, device=self.q.weight.device)
                          relative = torch.sub(torch.unsqueeze(positions, 0), torch.unsqueeze(positions, 1))
                          distance = torch.abs(relative)
                          ratio = torch.div(torch.clamp_min(distance, 1).to(6), %1$d)
                          far = torch.mul(torch.div(torch.log(ratio), %3$s), %1$d).to(4)
                          far = torch.clamp_max(torch.add(far, %1$d), %2$d)
                          bucket = torch.where(torch.lt(distance, %1$d), distance, far)
                          bucket = torch.add(bucket, torch.mul(torch.gt(relative, 0).to(4), %4$d))
                          return torch.unsqueeze(torch.permute(\
                        self.relative_attention_bias.forward(bucket), [2, 0, 1]), 0)
                        """
                                .formatted(exact, 2 * exact - 1, Math.log((double) maxDistance / exact), 2 * exact));
    }

    /** Two linear layers without bias. float16 cannot hold the second's output, which is summed in float32 there. */
    private ScriptModule dense() {
        ScriptModule dense = ScriptModule.named("T5DenseActDense");
        String hidden;
        if (feedForward == FeedForward.GATED) {
            dense = dense.child("wi_0", Layers.linearWithoutBias(hiddenSize, intermediateSize))
                    .child("wi_1", Layers.linearWithoutBias(hiddenSize, intermediateSize));
            hidden = "  gate = self.wi_0.forward(x)\n  h = torch.mul_(" + activation.inPlace("gate")
                    + ", self.wi_1.forward(x))\n";
        } else {
            dense = dense.child("wi", Layers.linearWithoutBias(hiddenSize, intermediateSize));
            hidden = "  h = self.wi.forward(x)\n  h = " + activation.inPlace("h") + "\n";
        }
        return dense.child("wo", Layers.linearWithoutBias(intermediateSize, hiddenSize))
                .method(
                        "def forward(self, x: Tensor) -> Tensor:\n" + hidden
                                + """
                          if h.dtype == 5:
                            return torch.linear(h.to(6), self.wo.weight.to(6))
                          return self.wo.forward(h)
                        """);
    }
}
