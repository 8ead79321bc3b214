package latentmix.architecture;

import java.util.ArrayList;
import java.util.List;
import latentmix.torchscript.ScriptModule;

/**
 * The transformer blocks that CLIP's text and vision models share.
 *
 * <p><a
 * href="https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/clip/modeling_clip.py">transformers'
 * modeling_clip.py</a>.
 */
record ClipEncoder(
        int hiddenSize, int intermediateSize, int layers, int heads, Activation activation, double layerNormEps) {
    /** Reads the keys that both models' configs share. The defaults of the first three are those of each model. */
    static ClipEncoder of(ModelConfig config, int hiddenSize, int intermediateSize, int heads) {
        int hidden = config.integer("hidden_size", hiddenSize);
        int headCount = config.integer("num_attention_heads", heads);
        config.require(
                hidden % headCount == 0,
                "hidden_size = " + hidden + " must be a multiple of num_attention_heads, cannot be: " + headCount);
        return new ClipEncoder(
                hidden,
                config.integer("intermediate_size", intermediateSize),
                config.integer("num_hidden_layers", 12),
                headCount,
                Activation.of(config.oneOf("hidden_act", "quick_gelu", "gelu", "silu", "relu")),
                config.number("layer_norm_eps", 1e-5));
    }

    /** forward(x, mask): embeddings (B, L, hiddenSize), a mask or none, to the states before and after every block. */
    ScriptModule module() {
        List<ScriptModule> blocks = new ArrayList<>();
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < layers; i++) {
            blocks.add(layer());
            calls.append("  x = getattr(self.layers, \"%d\").forward(x, mask)\n".formatted(i))
                    .append("  states.append(x)\n");
        }
        return ScriptModule.named("CLIPEncoder")
                .child("layers", ScriptModule.list(blocks))
                .method("def forward(self, x: Tensor, mask: Optional[Tensor]) -> List[Tensor]:\n"
                        + "  states = [x]\n"
                        + calls
                        + "  return states\n");
    }

    ScriptModule layerNorm() {
        return Layers.layerNorm(hiddenSize, layerNormEps);
    }

    /** x += attention norm1 x; x += mlp norm2 x: forward(x, mask), x (B, L, hiddenSize). */
    private ScriptModule layer() {
        ScriptModule attention = ScriptModule.named("CLIPAttention")
                .child("q_proj", Layers.linear(hiddenSize, hiddenSize))
                .child("k_proj", Layers.linear(hiddenSize, hiddenSize))
                .child("v_proj", Layers.linear(hiddenSize, hiddenSize))
                .child("out_proj", Layers.linear(hiddenSize, hiddenSize))
                .method(
                        """
                        def forward(self, x: Tensor, mask: Optional[Tensor]) -> Tensor:
                          q = torch.transpose(torch.unflatten(self.q_proj.forward(x), 2, [%1$d, %2$d]), 1, 2)
                          k = torch.transpose(torch.unflatten(self.k_proj.forward(x), 2, [%1$d, %2$d]), 1, 2)
                          v = torch.transpose(torch.unflatten(self.v_proj.forward(x), 2, [%1$d, %2$d]), 1, 2)
                          o = torch.scaled_dot_product_attention(q, k, v, mask)
                          return self.out_proj.forward(torch.flatten(torch.transpose(o, 1, 2), 2))
                        """
                                .formatted(heads, hiddenSize / heads));
        ScriptModule mlp = ScriptModule.named("CLIPMLP")
                .child("fc1", Layers.linear(hiddenSize, intermediateSize))
                .child("fc2", Layers.linear(intermediateSize, hiddenSize))
                .method(
                        """
                        def forward(self, x: Tensor) -> Tensor:
                          h = self.fc1.forward(x)
                          return self.fc2.forward(%s)
                        """
                                .formatted(activation.inPlace("h")));
        return ScriptModule.named("CLIPEncoderLayer")
                .child("self_attn", attention)
                .child("layer_norm1", layerNorm())
                .child("mlp", mlp)
                .child("layer_norm2", layerNorm())
                .method(
                        """
                        def forward(self, x: Tensor, mask: Optional[Tensor]) -> Tensor:
                          x = torch.add(self.self_attn.forward(self.layer_norm1.forward(x), mask), x)
                          return torch.add(self.mlp.forward(self.layer_norm2.forward(x)), x)
                        """);
    }
}
