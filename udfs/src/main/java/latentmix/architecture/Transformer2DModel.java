package latentmix.architecture;

import java.util.ArrayList;
import java.util.List;
import latentmix.torchscript.ScriptModule;

/**
 * Transformer blocks over the positions of an image, each attending to itself and to the prompt.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/transformers/transformer_2d.py">diffusers'
 * transformer_2d.py</a> and {@code attention.py}.
 *
 * @param groups groups of the norm at the entry, whose eps is 1e-6 unlike the residual blocks'
 * @param contextWidth width of the prompt embeddings
 * @param projection how the image goes in and out: CONV (1×1, before flattening) or LINEAR (after it)
 */
record Transformer2DModel(int groups, int contextWidth, Projection projection) {
    enum Projection {
        CONV,
        LINEAR
    }

    private static final double GROUP_NORM_EPS = 1e-6;
    private static final double LAYER_NORM_EPS = 1e-5;

    /**
     * forward(x, encoder_hidden_states): x (B, channels, H, W), prompt (B, L, contextWidth), to (B, channels, H, W).
     */
    ScriptModule module(int channels, int heads, int headWidth, int depth) {
        int inner = heads * headWidth;
        List<ScriptModule> blocks = new ArrayList<>();
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < depth; i++) {
            blocks.add(basicTransformerBlock(inner, heads, headWidth));
            calls.append(
                    "  h = getattr(self.transformer_blocks, \"%d\").forward(h, encoder_hidden_states)\n".formatted(i));
        }
        boolean conv = projection == Projection.CONV;
        String in = conv
                ? "  h = torch.flatten(torch.permute(self.proj_in.forward(h), [0, 2, 3, 1]), 1, 2)\n"
                : "  h = self.proj_in.forward(torch.flatten(torch.permute(h, [0, 2, 3, 1]), 1, 2))\n";
        String image = "torch.permute(torch.unflatten(%s, 1, [size[2], size[3]]), [0, 3, 1, 2])";
        String out = conv
                ? "self.proj_out.forward(" + image.formatted("h") + ")"
                : image.formatted("self.proj_out.forward(h)");
        return ScriptModule.named("Transformer2DModel")
                .child("norm", Layers.groupNorm(groups, channels, GROUP_NORM_EPS))
                .child("proj_in", conv ? Layers.conv2d(channels, inner, 1) : Layers.linear(channels, inner))
                .child("transformer_blocks", ScriptModule.list(blocks))
                .child("proj_out", conv ? Layers.conv2d(inner, channels, 1) : Layers.linear(inner, channels))
                .method("def forward(self, x: Tensor, encoder_hidden_states: Tensor) -> Tensor:\n"
                        + "  size = torch.size(x)\n"
                        + "  h = self.norm.forward(x)\n"
                        + in
                        + calls
                        + "  return torch.add_(" + out + ", x)\n");
    }

    /** x += attn1 norm1 x; x += attn2(norm2 x, prompt); x += ff norm3 x: tokens (B, T, width) to the same. */
    private ScriptModule basicTransformerBlock(int width, int heads, int headWidth) {
        return ScriptModule.named("BasicTransformerBlock")
                .child("norm1", Layers.layerNorm(width, LAYER_NORM_EPS))
                .child("attn1", Attention.cross(width, width, heads, headWidth))
                .child("norm2", Layers.layerNorm(width, LAYER_NORM_EPS))
                .child("attn2", Attention.cross(width, contextWidth, heads, headWidth))
                .child("norm3", Layers.layerNorm(width, LAYER_NORM_EPS))
                .child("ff", feedForward(width))
                .method(
                        """
                        def forward(self, x: Tensor, encoder_hidden_states: Tensor) -> Tensor:
                          h = self.norm1.forward(x)
                          x = torch.add_(self.attn1.forward(h, h), x)
                          x = torch.add_(self.attn2.forward(self.norm2.forward(x), encoder_hidden_states), x)
                          return torch.add_(self.ff.forward(self.norm3.forward(x)), x)
                        """);
    }

    /** The feed-forward layers: GEGLU, hidden · gelu(gate) of the two halves of 8·width, then a linear layer. */
    private static ScriptModule feedForward(int width) {
        ScriptModule geglu = ScriptModule.named("GEGLU")
                .child("proj", Layers.linear(width, 8 * width))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          hidden, gate = torch.chunk(self.proj.forward(x), 2, -1)
                          return torch.mul_(torch.gelu(gate), hidden)
                        """);
        return ScriptModule.named("FeedForward")
                .child(
                        "net",
                        ScriptModule.named("ModuleList").child("0", geglu).child("2", Layers.linear(4 * width, width)))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          return getattr(self.net, "2").forward(getattr(self.net, "0").forward(x))
                        """);
    }
}
