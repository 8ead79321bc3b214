package latentmix.architecture;

import latentmix.torchscript.ScriptModule;

/**
 * Multi-head attention over tokens, softmax(q kᵀ / √headWidth) v.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/attention_processor.py">diffusers'
 * attention_processor.py</a>.
 */
final class Attention {
    private Attention() {}

    /** q, k, v from the tokens x (B, T, width) and context (B, L, contextWidth): forward(x, context), (B, T, width). */
    static ScriptModule cross(int width, int contextWidth, int heads, int headWidth) {
        int inner = heads * headWidth;
        return ScriptModule.named("Attention")
                .child("to_q", Layers.linearWithoutBias(width, inner))
                .child("to_k", Layers.linearWithoutBias(contextWidth, inner))
                .child("to_v", Layers.linearWithoutBias(contextWidth, inner))
                .child("to_out", ScriptModule.named("ModuleList").child("0", Layers.linear(inner, width)))
                .method(
                        """
                        def forward(self, x: Tensor, context: Tensor) -> Tensor:
                          q = torch.transpose(torch.unflatten(self.to_q.forward(x), 2, [%1$d, %2$d]), 1, 2)
                          k = torch.transpose(torch.unflatten(self.to_k.forward(context), 2, [%1$d, %2$d]), 1, 2)
                          v = torch.transpose(torch.unflatten(self.to_v.forward(context), 2, [%1$d, %2$d]), 1, 2)
                          o = torch.scaled_dot_product_attention(q, k, v)
                          o = torch.flatten(torch.transpose(o, 1, 2), 2)
                          return getattr(self.to_out, "0").forward(o)
                        """
                                .formatted(heads, headWidth));
    }

    /**
     * One head over all positions of an image, with its own norm and residual: forward(x), (B, C, H, W) to the same.
     */
    static ScriptModule overPositions(int channels, int groups, double eps) {
        return ScriptModule.named("SpatialAttention")
                .child("group_norm", Layers.groupNorm(groups, channels, eps))
                .child("to_q", Layers.linear(channels, channels))
                .child("to_k", Layers.linear(channels, channels))
                .child("to_v", Layers.linear(channels, channels))
                .child("to_out", ScriptModule.named("ModuleList").child("0", Layers.linear(channels, channels)))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          size = torch.size(x)
                          h = torch.flatten(torch.permute(self.group_norm.forward(x), [0, 2, 3, 1]), 1, 2)
                          q = torch.unsqueeze(self.to_q.forward(h), 1)
                          k = torch.unsqueeze(self.to_k.forward(h), 1)
                          v = torch.unsqueeze(self.to_v.forward(h), 1)
                          o = torch.squeeze(torch.scaled_dot_product_attention(q, k, v), 1)
                          o = torch.transpose(getattr(self.to_out, "0").forward(o), 1, 2)
                          return torch.add_(torch.reshape(o, size), x)
                        """);
    }
}
