package latentmix.architecture;

import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import latentmix.torchscript.ScriptModule;

/**
 * CLIP's image encoder: pixels to one embedding an image, and to the states of its patches.
 *
 * <p><a
 * href="https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/clip/modeling_clip.py">transformers'
 * modeling_clip.py</a>. The norm before the blocks is called {@code pre_layrnorm} in every checkpoint.
 *
 * @param projection width of image_embeds, or 0 for a model without projection, whose features are its pooled output
 */
public record ClipVisionModel(ClipEncoder encoder, int imageSize, int patchSize, int channels, int projection)
        implements Architecture {
    private static final Map<Pattern, String> WITHOUT_PREFIX =
            Map.of(Pattern.compile("^(?=(embeddings|pre_layrnorm|encoder|post_layernorm)\\.)"), "vision_model.");

    private static final Pattern OF_CLIP = Pattern.compile("vision_model\\.embeddings\\.position_ids"
            + "|visual_projection\\.weight|text_model\\..*|text_projection\\.weight|logit_scale");

    /** Reads the config of the vision model alone or, as most published folders have it, of both models (CLIPModel). */
    static ClipVisionModel of(ModelConfig config) {
        ModelConfig vision = config.className().equals("CLIPModel") ? config.member("vision_config") : config;
        ClipVisionModel model = new ClipVisionModel(
                ClipEncoder.of(vision, 768, 3072, 12),
                vision.integer("image_size", 224),
                vision.integer("patch_size", 32),
                vision.integer("num_channels", 3),
                config.className().equals("CLIPVisionModel") ? 0 : config.integer("projection_dim", 512));
        config.require(
                model.patchSize <= model.imageSize,
                "patch_size must be at most image_size = " + model.imageSize + ", cannot be: " + model.patchSize);
        return model;
    }

    /** How many features an image has: the width of image_embeds, or of the pooled output. */
    public int features() {
        return projection > 0 ? projection : encoder.hiddenSize();
    }

    /** transformers 5.6 and newer write a model without projection without its prefix. */
    @Override
    public Map<Pattern, String> renamings(Set<String> keys) {
        return keys.stream().anyMatch(key -> key.startsWith("vision_model.")) ? Map.of() : WITHOUT_PREFIX;
    }

    /** Ignores the positions 0, 1, … of old files, and the rest of CLIP in a file of both models. */
    @Override
    public boolean ignores(String key) {
        return OF_CLIP.matcher(key).matches();
    }

    /**
     * forward(pixel_values): (B, channels, imageSize, imageSize), normalised as the checkpoint's image processor does,
     * to float32 [features (B, projection or hiddenSize), last_hidden_state (B, 1 + patches, hiddenSize), pooler_output
     * (B, hiddenSize), hidden_states 0 to layers (B, 1 + patches, hiddenSize) each]. The features are image_embeds, not
     * normalised, or the pooled output. The class token is first, and it alone goes through the last norm.
     */
    @Override
    public Map<Part, ScriptModule> parts() {
        ScriptModule vision = ScriptModule.named("CLIPVisionTransformer")
                .child("embeddings", embeddings())
                .child("pre_layrnorm", encoder.layerNorm())
                .child("encoder", encoder.module())
                .child("post_layernorm", encoder.layerNorm())
                .method(
                        """
                        def forward(self, pixel_values: Tensor) -> List[Tensor]:
                          x = self.pre_layrnorm.forward(self.embeddings.forward(pixel_values))
                          states = self.encoder.forward(x, None)
                          last = states[-1]
                          pooled = self.post_layernorm.forward(torch.select(last, 1, 0))
                          return [last, pooled] + states
                        """);
        ScriptModule root = ScriptModule.named("CLIPVisionModel").child("vision_model", vision);
        String features = "outputs[1]";
        if (projection > 0) {
            root = root.child("visual_projection", Layers.linearWithoutBias(encoder.hiddenSize(), projection));
            features = "self.visual_projection.forward(outputs[1])";
        }
        return Map.of(
                Part.IMAGE_ENCODER,
                root.method(
                        """
                        def forward(self, pixel_values: Tensor) -> List[Tensor]:
                          outputs = self.vision_model.forward(pixel_values)
                          floats = annotate(List[Tensor], [])
                          for output in [%s] + outputs:
                            floats.append(output.to(6))
                          return floats
                        """
                                .formatted(features)));
    }

    /** A learned class token, then a token a patch, each with its position added. */
    private ScriptModule embeddings() {
        int hidden = encoder.hiddenSize();
        int side = imageSize / patchSize;
        return ScriptModule.named("CLIPVisionEmbeddings")
                .parameter("class_embedding", hidden)
                .child("patch_embedding", Layers.conv2dWithoutBias(channels, hidden, patchSize, patchSize, 0))
                .child(
                        "position_embedding",
                        ScriptModule.named("Positions").parameter("weight", 1 + side * side, hidden))
                .method(
                        """
                        def forward(self, pixel_values: Tensor) -> Tensor:
                          patches = self.patch_embedding.forward(pixel_values.to(self.class_embedding))
                          patches = torch.transpose(torch.flatten(patches, 2), 1, 2)
                          first = torch.expand(self.class_embedding, [torch.size(patches, 0), 1, -1])
                          return torch.add(torch.cat([first, patches], 1), self.position_embedding.weight)
                        """);
    }
}
