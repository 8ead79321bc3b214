package latentmix.architecture;

import latentmix.torchscript.ScriptModule;

/**
 * A block of Stable Diffusion 3's transformer: patches x and prompt c, each modulated by the timestep, attend to both;
 * x += gate · attention(x, c), x += gate · ff x, and the same for c.
 *
 * <p><a href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/attention.py">diffusers'
 * attention.py</a> (JointTransformerBlock) and {@code normalization.py}: layer norms have no weights, and become norm ·
 * (1 + scale) + shift.
 */
record JointTransformerBlock(int width, int heads, QkNorm qkNorm) {
    /** The norm of each head's queries and keys. */
    enum QkNorm {
        NONE,
        RMS_NORM
    }

    /** The attentions of the patches: one to patches and prompt, and perhaps a second to the patches alone. */
    enum Attends {
        ONCE,
        TWICE
    }

    /** The place of a block. The last block reads the prompt and does not change it. */
    enum Place {
        INNER,
        LAST
    }

    /** Of the norms that have no weights. */
    static final double EPS = 1e-6;

    /** The text of norm(x) · (1 + scale) + shift for a variable x. */
    static String modulated(String normed, String shift, String scale) {
        return "torch.addcmul(%s, %s, torch.add(%s, 1))".formatted(shift, normed, scale);
    }

    /** The text of a layer norm without weights of a variable x (B, T, width). */
    static String normed(String x, int width, double eps) {
        return "torch.layer_norm(%s, [%d], None, None, %s)".formatted(x, width, eps);
    }

    private String normed(String x) {
        return normed(x, width, EPS);
    }

    /** A norm whose scale and shift, in this order, come from temb: forward(x, temb), x (B, T, width). */
    ScriptModule adaLayerNormContinuous() {
        return ScriptModule.named("AdaLayerNormContinuous")
                .child("linear", Layers.linear(width, 2 * width))
                .method(
                        """
                        def forward(self, x: Tensor, temb: Tensor) -> Tensor:
                          scale, shift = torch.chunk(torch.unsqueeze(self.linear.forward(torch.silu(temb)), 1), 2, 2)
                          return %s
                        """
                                .formatted(modulated(normed("x"), "shift", "scale")));
    }

    /** The layer that makes so many triples of shift, scale and gate from temb: forward(temb), (B, 1, width) each. */
    ScriptModule adaLayerNormZero(int triples) {
        return ScriptModule.named("AdaLayerNormZero")
                .child("linear", Layers.linear(width, 3 * triples * width))
                .method(
                        """
                        def forward(self, temb: Tensor) -> List[Tensor]:
                          return torch.chunk(torch.unsqueeze(self.linear.forward(torch.silu(temb)), 1), %d, 2)
                        """
                                .formatted(3 * triples));
    }

    /**
     * forward(x, context, temb): patches (B, T, width), prompt (B, L, width) and temb (B, width) to new patches and
     * prompt; the last block only reads the prompt and gives patches alone.
     */
    ScriptModule module(Attends attends, Place place) {
        boolean dual = attends == Attends.TWICE;
        boolean last = place == Place.LAST;
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
                .child(q, Layers.linear(width, width))
                .child(k, Layers.linear(width, width))
                .child(v, Layers.linear(width, width));
    }

    private ScriptModule norms(ScriptModule attention, String q, String k) {
        return qkNorm == QkNorm.NONE
                ? attention
                : attention.child(q, Layers.rmsNorm(width / heads, EPS)).child(k, Layers.rmsNorm(width / heads, EPS));
    }

    /**
     * The text that turns a projection's output into heads, (B, heads, T, headWidth), and normalises them where there
     * is a norm.
     */
    private String heads(String projection, String x, String norm) {
        String text = "torch.transpose(torch.unflatten(self.%s.forward(%s), 2, [%d, %d]), 1, 2)"
                .formatted(projection, x, heads, width / heads);
        return norm.isEmpty() || qkNorm == QkNorm.NONE ? text : "self.%s.forward(%s)".formatted(norm, text);
    }

    private ScriptModule out() {
        return ScriptModule.named("ModuleList").child("0", Layers.linear(width, width));
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
        return joint().child("to_add_out", Layers.linear(width, width))
                .method(
                        """
                        def forward(self, x: Tensor, context: Tensor) -> Tuple[Tensor, Tensor]:
                          patches, prompt = torch.split_with_sizes(self.attend(x, context), \
                        [torch.size(x, 1), torch.size(context, 1)], 1)
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
    ScriptModule selfAttention() {
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

    /** The feed-forward layers: linear, GELU approximated by tanh, linear. They are four times as wide in between. */
    ScriptModule feedForward() {
        ScriptModule gelu = ScriptModule.named("GELU")
                .child("proj", Layers.linear(width, 4 * width))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return %s
                        """
                                .formatted(Activation.GELU_TANH.inPlace("self.proj.forward(x)")));
        return ScriptModule.named("FeedForward")
                .child(
                        "net",
                        ScriptModule.named("ModuleList").child("0", gelu).child("2", Layers.linear(4 * width, width)))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return getattr(self.net, "2").forward(getattr(self.net, "0").forward(x))
                        """);
    }
}
