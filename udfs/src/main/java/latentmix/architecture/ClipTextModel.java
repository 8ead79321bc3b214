package latentmix.architecture;

import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import latentmix.checkpoint.CheckpointException;
import latentmix.checkpoint.CheckpointFolder;
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
        int vocabSize, ClipEncoder encoder, int maxPositionEmbeddings, Pooling pooling, int projection)
        implements Architecture {
    /** The rule that finds the end token in a row of ids. */
    sealed interface Pooling {
        /**
         * The end token is the largest id, the first of equal ones. Configs of old checkpoints say eos_token_id 2,
         * which is wrong.
         */
        record LargestId() implements Pooling {}

        /**
         * The same where tokens were added to the vocabulary.
         *
         * @param added the first of their ids, which do not count
         */
        record LargestIdBelow(int added) implements Pooling {}

        /** The end token is this id, where it stands first. */
        record EndToken(int id) implements Pooling {}

        /** The text of an expression that gives one position for each row of input_ids. */
        default String text() {
            if (this instanceof EndToken end) {
                return "torch.argmax(torch.eq(input_ids, " + end.id() + ").to(3), -1)";
            }
            return this instanceof LargestIdBelow below
                    ? "torch.argmax(torch.mul(input_ids, torch.lt(input_ids, " + below.added() + ")), -1)"
                    : "torch.argmax(input_ids, -1)";
        }
    }

    private static final int LEGACY_END_TOKEN = 2;

    private static final Map<Pattern, String> WITHOUT_PREFIX =
            Map.of(Pattern.compile("^(?=(embeddings|encoder|final_layer_norm)\\.)"), "text_model.");

    private static final Pattern OF_CLIP = Pattern.compile("text_model\\.embeddings\\.position_ids"
            + "|text_projection\\.weight|vision_model\\..*|visual_projection\\.weight|logit_scale");

    static ClipTextModel of(ModelConfig config) {
        return of(
                config,
                config.className().equals("CLIPTextModelWithProjection") ? config.integer("projection_dim", 512) : 0);
    }

    private static ClipTextModel of(ModelConfig config, int projection) {
        int end = config.integer("eos_token_id", 49407);
        int tokens = config.integer("vocab_size", 49408);
        int added = config.has(CheckpointFolder.ADDED_TOKENS) ? config.integer(CheckpointFolder.ADDED_TOKENS, 1) : 0;
        Pooling largest = added > 0 ? new Pooling.LargestIdBelow(tokens - added) : new Pooling.LargestId();
        return new ClipTextModel(
                tokens,
                ClipEncoder.of(config, 512, 2048, 8),
                config.integer("max_position_embeddings", 77),
                end == LEGACY_END_TOKEN ? largest : new Pooling.EndToken(end),
                projection);
    }

    /**
     * The text model, with its projection, in a folder of both of CLIP's models.
     *
     * @throws CheckpointException if the folder is of another architecture
     */
    public static ClipTextModel ofBoth(Path component) {
        ModelConfig config = new ModelConfig(
                CheckpointFolder.config(component),
                component.resolve("config.json").toString());
        if (!config.className().equals("CLIPModel")) {
            throw new CheckpointException(config.where() + ": the architecture must be CLIPModel, whose folder has both"
                    + " of CLIP's models, cannot be: " + config.className());
        }
        return of(config.member("text_config"), config.integer("projection_dim", 512));
    }

    /** The width of the hidden states. */
    public int hiddenSize() {
        return encoder.hiddenSize();
    }

    /** transformers 5.6 and newer write a model without projection without its prefix. */
    @Override
    public Map<Pattern, String> renamings(Set<String> keys) {
        return keys.stream().anyMatch(key -> key.startsWith("text_model.")) ? Map.of() : WITHOUT_PREFIX;
    }

    /** Ignores the positions 0, 1, … of old files, and the rest of CLIP in a file of both models. */
    @Override
    public boolean ignores(String key) {
        return OF_CLIP.matcher(key).matches();
    }

    /**
     * forward(input_ids, attention_mask): both int64 (B, L), L at most maxPositionEmbeddings, the mask 1 for tokens to
     * attend to, to float32 [last_hidden_state (B, L, hiddenSize), pooled (B, hiddenSize or projection), hidden_states
     * 0 to layers (B, L, hiddenSize) each]. The pooled output has the final norm, hidden states do not.
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        return Map.of(
                Part.TEXT_ENCODER,
                module(
                        pooling,
                        "",
                        """
                        def forward(self, ids: Tensor) -> Tensor:
                          positions = torch.arange(torch.size(ids, 1), dtype=4, device=ids.device)
                          return torch.add(self.token_embedding.forward(ids), \
                        self.position_embedding.forward(positions))
                        """));
    }

    /**
     * The same with one more input: forward(input_ids, attention_mask, learned). Ids from vocabSize on stand for rows
     * of learned, float32 (n, hiddenSize), of which there is one at least. They are no end of a text.
     */
    public ScriptModule tokenLearner() {
        return module(
                pooling instanceof Pooling.LargestId ? new Pooling.LargestIdBelow(vocabSize) : pooling,
                ", learned",
                """
                def forward(self, ids: Tensor, learned: Tensor) -> Tensor:
                  positions = torch.arange(torch.size(ids, 1), dtype=4, device=ids.device)
                  known = self.token_embedding.forward(torch.clamp_max(ids, %1$d))
                  rows = torch.embedding(learned.to(known), torch.clamp_min(torch.sub(ids, %2$d), 0))
                  tokens = torch.where(torch.unsqueeze(torch.ge(ids, %2$d), -1), rows, known)
                  return torch.add(tokens, self.position_embedding.forward(positions))
                """
                        .formatted(vocabSize - 1, vocabSize));
    }

    /**
     * The whole model.
     *
     * @param more a further input, with a comma before it
     * @param embeddings the method that makes embeddings of ids and that input
     */
    private ScriptModule module(Pooling pooled, String more, String embeddings) {
        String declared = more.isEmpty() ? "" : more + ": Tensor";
        ScriptModule tokens = ScriptModule.named("CLIPTextEmbeddings")
                .child("token_embedding", Layers.embedding(vocabSize, hiddenSize()))
                .child("position_embedding", Layers.embedding(maxPositionEmbeddings, hiddenSize()))
                .method(embeddings);
        ScriptModule text = ScriptModule.named("CLIPTextTransformer")
                .child("embeddings", tokens)
                .child("encoder", encoder.module())
                .child("final_layer_norm", encoder.layerNorm())
                .method(
                        """
                        def forward(self, input_ids: Tensor, attention_mask: Tensor%s) -> List[Tensor]:
                          length = torch.size(input_ids, 1)
                          ones = torch.ones([length, length], dtype=11, device=input_ids.device)
                          padding = torch.reshape(attention_mask.to(11), [-1, 1, 1, length])
                          mask = torch.logical_and(torch.tril(ones), padding)
                          states = self.encoder.forward(self.embeddings.forward(input_ids%s), mask)
                          last = self.final_layer_norm.forward(states[-1])
                          rows = torch.arange(torch.size(input_ids, 0), dtype=4, device=input_ids.device)
                          pooled = torch.index(last, [rows, %s])
                          return [last, pooled] + states
                        """
                                .formatted(declared, more, pooled.text()));
        ScriptModule root = ScriptModule.named("CLIPTextModel").child("text_model", text);
        String projected = "outputs";
        if (projection > 0) {
            root = root.child("text_projection", Layers.linearWithoutBias(hiddenSize(), projection));
            projected = "[outputs[0], self.text_projection.forward(outputs[1])] + outputs[2:]";
        }
        return root.method(
                """
                def forward(self, input_ids: Tensor, attention_mask: Tensor%s) -> List[Tensor]:
                  outputs = self.text_model.forward(input_ids, attention_mask%s)
                  floats = annotate(List[Tensor], [])
                  for output in %s:
                    floats.append(output.to(6))
                  return floats
                """
                        .formatted(declared, more, projected));
    }
}
