package latentmix.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import latentmix.torchscript.ScriptModule;

/**
 * CLIP's text encoder: token ids to the embeddings that a denoiser attends to.
 *
 * <p><a
 * href="https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/clip/modeling_clip.py">transformers'
 * modeling_clip.py</a>.
 *
 * @param pooling the position that is pooled
 * @param projection width of text_embeds, or 0 for a model without projection, whose pooled output it is
 */
public record ClipTextModel(
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int maxPositionEmbeddings,
        Activation activation,
        double layerNormEps,
        Pooling pooling,
        int projection)
        implements Architecture {
    /** The end token's position. */
    sealed interface Pooling {
        /** Where the id is largest, first of equals: configs of old checkpoints say eos_token_id 2, which is wrong. */
        record LargestId() implements Pooling {}

        /** Where the id is this one, first of equals. */
        record EndToken(int id) implements Pooling {}

        /** Expression for a position a row, from input_ids. */
        default String text() {
            return this instanceof EndToken end
                    ? "torch.argmax(torch.eq(input_ids, " + end.id() + ").to(3), -1)"
                    : "torch.argmax(input_ids, -1)";
        }
    }

    private static final int LEGACY_END_TOKEN = 2;

    static ClipTextModel of(ModelConfig config) {
        int hidden = config.integer("hidden_size", 512);
        int heads = config.integer("num_attention_heads", 8);
        config.require(
                hidden % heads == 0,
                "hidden_size = " + hidden + " must be a multiple of num_attention_heads, cannot be: " + heads);
        int end = config.integer("eos_token_id", 49407);
        return new ClipTextModel(
                config.integer("vocab_size", 49408),
                hidden,
                config.integer("intermediate_size", 2048),
                config.integer("num_hidden_layers", 12),
                heads,
                config.integer("max_position_embeddings", 77),
                Activation.of(config.oneOf("hidden_act", "quick_gelu", "gelu", "silu", "relu")),
                config.number("layer_norm_eps", 1e-5),
                end == LEGACY_END_TOKEN ? new Pooling.LargestId() : new Pooling.EndToken(end),
                config.className().equals("CLIPTextModelWithProjection") ? config.integer("projection_dim", 512) : 0);
    }

    /** Old files carry the positions 0, 1, … as a tensor. */
    @Override
    public boolean ignores(String key) {
        return key.equals("text_model.embeddings.position_ids");
    }

    /**
     * forward(input_ids, attention_mask): both int64 (B, L), L at most maxPositionEmbeddings, the mask 1 for tokens to attend
     * to, to float32 [last_hidden_state (B, L, hiddenSize), pooled (B, hiddenSize or projection), hidden_states 0 to layers
     * (B, L, hiddenSize) each]. The pooled output has the final norm, hidden states do not.
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        List<ScriptModule> blocks = new ArrayList<>();
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < layers; i++) {
            blocks.add(layer());
            calls.append("  x = getattr(self.encoder.layers, \"%d\").forward(x, mask)\n".formatted(i))
                    .append("  states.append(x)\n");
        }
        ScriptModule embeddings = ScriptModule.named("CLIPTextEmbeddings")
                .child("token_embedding", Layers.embedding(vocabSize, hiddenSize))
                .child("position_embedding", Layers.embedding(maxPositionEmbeddings, hiddenSize))
                .method(
                        """
                        def forward(self, ids: Tensor) -> Tensor:
                          positions = torch.arange(torch.size(ids, 1), dtype=4, device=ids.device)
                          return torch.add(self.token_embedding.forward(ids), self.position_embedding.forward(positions))
                        """);
        ScriptModule text = ScriptModule.named("CLIPTextTransformer")
                .child("embeddings", embeddings)
                .child("encoder", ScriptModule.named("CLIPEncoder").child("layers", ScriptModule.list(blocks)))
                .child("final_layer_norm", Layers.layerNorm(hiddenSize, layerNormEps))
                .method(
                        """
                        def forward(self, input_ids: Tensor, attention_mask: Tensor) -> List[Tensor]:
                          length = torch.size(input_ids, 1)
                          ones = torch.ones([length, length], dtype=11, device=input_ids.device)
                          padding = torch.reshape(attention_mask.to(11), [-1, 1, 1, length])
                          mask = torch.logical_and(torch.tril(ones), padding)
                          x = self.embeddings.forward(input_ids)
                          states = [x]
                        %s  last = self.final_layer_norm.forward(x)
                          rows = torch.arange(torch.size(input_ids, 0), dtype=4, device=input_ids.device)
                          pooled = torch.index(last, [rows, %s])
                          return [last, pooled] + states
                        """
                                .formatted(calls, pooling.text()));
        ScriptModule root = ScriptModule.named("CLIPTextModel").child("text_model", text);
        String projected = "outputs";
        if (projection > 0) {
            root = root.child("text_projection", Layers.linearWithoutBias(hiddenSize, projection));
            projected = "[outputs[0], self.text_projection.forward(outputs[1])] + outputs[2:]";
        }
        return Map.of(
                Part.TEXT_ENCODER,
                root.method(
                        """
                def forward(self, input_ids: Tensor, attention_mask: Tensor) -> List[Tensor]:
                  outputs = self.text_model.forward(input_ids, attention_mask)
                  floats = annotate(List[Tensor], [])
                  for output in %s:
                    floats.append(output.to(6))
                  return floats
                """
                                .formatted(projected)));
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
                        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
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
                .child("layer_norm1", Layers.layerNorm(hiddenSize, layerNormEps))
                .child("mlp", mlp)
                .child("layer_norm2", Layers.layerNorm(hiddenSize, layerNormEps))
                .method(
                        """
                        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
                          x = torch.add(self.self_attn.forward(self.layer_norm1.forward(x), mask), x)
                          return torch.add(self.mlp.forward(self.layer_norm2.forward(x)), x)
                        """);
    }
}
