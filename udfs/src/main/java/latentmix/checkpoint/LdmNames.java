package latentmix.checkpoint;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The names of a component's tensors in the layout of Stable Diffusion's original code, and in that of diffusers and
 * transformers, both ways.
 *
 * <p>A name is that of a block, which its place in the network gives, and what is inside the block.
 *
 * @see <a href="https://github.com/huggingface/diffusers/blob/main/src/diffusers/loaders/single_file_utils.py">The
 *     library's conversion</a>
 */
final class LdmNames {
    /** Queries, keys and values, of which OpenCLIP has one tensor. */
    static final List<String> PROJECTIONS = List.of("q_proj", "k_proj", "v_proj");

    /** What the name of such a tensor has, before {@code _weight} or {@code _bias}. */
    static final String JOINT = "in_proj";

    /** The projection of a text embedding in the libraries' layout. */
    static final String TEXT_PROJECTION = "text_projection.weight";

    private static final int LEVELS = 4;
    private static final int MOST_LAYERS = 100;

    static final LdmNames UNET = new LdmNames("model.diffusion_model.").unet();
    static final LdmNames UNET_XL = new LdmNames("model.diffusion_model.", "xl.").unetXl();
    static final LdmNames VAE = new LdmNames("first_stage_model.").autoencoder();
    static final LdmNames CLIP = new LdmNames("cond_stage_model.transformer.").clip();
    static final LdmNames OPEN_CLIP = new LdmNames("cond_stage_model.model.").openClip();
    static final LdmNames CLIP_XL = new LdmNames("conditioner.embedders.0.transformer.").clip();

    /** OpenCLIP with the projection of its text embedding, which is the transpose of transformers'. */
    static final LdmNames OPEN_CLIP_XL = new LdmNames("conditioner.embedders.1.model.").openClipWithProjection();

    /** The transformer of Stable Diffusion 3; queries, keys and values are one layer {@code qkv} there. */
    static final LdmNames MMDIT = new LdmNames("model.diffusion_model.").mmdit();

    private final String prefix;
    private final String id;
    private final Map<String, String> blocks = new HashMap<>();
    private final Map<String, String> insides = new HashMap<>();
    private final Map<String, String> originalBlocks = new HashMap<>();
    private final Map<String, String> originalInsides = new HashMap<>();

    private LdmNames(String prefix) {
        this(prefix, "");
    }

    private LdmNames(String prefix, String family) {
        this.prefix = prefix;
        this.id = family + prefix;
    }

    private LdmNames unet() {
        block("time_embed.0.", "time_embedding.linear_1.");
        block("time_embed.2.", "time_embedding.linear_2.");
        block("input_blocks.0.0.", "conv_in.");
        block("middle_block.0.", "mid_block.resnets.0.");
        block("middle_block.1.", "mid_block.attentions.0.");
        block("middle_block.2.", "mid_block.resnets.1.");
        block("out.0.", "conv_norm_out.");
        block("out.2.", "conv_out.");
        for (int level = 0; level < LEVELS; level++) {
            for (int i = 0; i < 2; i++) {
                String down = "input_blocks." + (3 * level + 1 + i);
                block(down + ".0.", "down_blocks." + level + ".resnets." + i + ".");
                block(down + ".1.", "down_blocks." + level + ".attentions." + i + ".");
            }
            for (int i = 0; i < 3; i++) {
                String up = "output_blocks." + (3 * level + i);
                block(up + ".0.", "up_blocks." + level + ".resnets." + i + ".");
                block(up + ".1.", "up_blocks." + level + ".attentions." + i + ".");
            }
            if (level < LEVELS - 1) {
                block("input_blocks." + (3 * level + 3) + ".0.op.", "down_blocks." + level + ".downsamplers.0.conv.");
                String resampled = "output_blocks." + (3 * level + 2) + (level == 0 ? ".1." : ".2.");
                block(resampled + "conv.", "up_blocks." + level + ".upsamplers.0.conv.");
            }
        }
        inside("in_layers.0.", "norm1.");
        inside("in_layers.2.", "conv1.");
        inside("emb_layers.1.", "time_emb_proj.");
        inside("out_layers.0.", "norm2.");
        inside("out_layers.3.", "conv2.");
        inside("skip_connection.", "conv_shortcut.");
        return this;
    }

    /** That of Stable Diffusion XL has attention at its lowest level, and an embedding of what it is told beside. */
    private LdmNames unetXl() {
        unet();
        block("output_blocks.2.2.conv.", "up_blocks.0.upsamplers.0.conv.");
        block("label_emb.0.0.", "add_embedding.linear_1.");
        block("label_emb.0.2.", "add_embedding.linear_2.");
        return this;
    }

    private LdmNames autoencoder() {
        block("quant_conv.", "quant_conv.");
        block("post_quant_conv.", "post_quant_conv.");
        for (String half : List.of("encoder.", "decoder.")) {
            block(half + "conv_in.", half + "conv_in.");
            block(half + "norm_out.", half + "conv_norm_out.");
            block(half + "conv_out.", half + "conv_out.");
            block(half + "mid.block_1.", half + "mid_block.resnets.0.");
            block(half + "mid.block_2.", half + "mid_block.resnets.1.");
            block(half + "mid.attn_1.norm.", half + "mid_block.attentions.0.group_norm.");
            for (String part : List.of("q", "k", "v")) {
                block(half + "mid.attn_1." + part + ".", half + "mid_block.attentions.0.to_" + part + ".");
            }
            block(half + "mid.attn_1.proj_out.", half + "mid_block.attentions.0.to_out.0.");
        }
        for (int level = 0; level < LEVELS; level++) {
            String down = "encoder.down." + level + ".";
            String up = "decoder.up." + (LEVELS - 1 - level) + ".";
            for (int i = 0; i < 3; i++) {
                block(down + "block." + i + ".", "encoder.down_blocks." + level + ".resnets." + i + ".");
                block(up + "block." + i + ".", "decoder.up_blocks." + level + ".resnets." + i + ".");
            }
            block(down + "downsample.", "encoder.down_blocks." + level + ".downsamplers.0.");
            block(up + "upsample.", "decoder.up_blocks." + level + ".upsamplers.0.");
        }
        inside("nin_shortcut.", "conv_shortcut.");
        return this;
    }

    private LdmNames clip() {
        for (String part : List.of(
                "embeddings.token_embedding.",
                "embeddings.position_embedding.",
                "encoder.layers.",
                "final_layer_norm.")) {
            block(part, "text_model." + part); // as transformers 5.6 writes them
            block("text_model." + part, "text_model." + part);
        }
        return this;
    }

    private LdmNames openClip() {
        block("positional_embedding", "text_model.embeddings.position_embedding.weight");
        block("token_embedding.", "text_model.embeddings.token_embedding.");
        block("ln_final.", "text_model.final_layer_norm.");
        for (int layer = 0; layer < MOST_LAYERS; layer++) {
            block("transformer.resblocks." + layer + ".", "text_model.encoder.layers." + layer + ".");
        }
        inside("ln_1.", "layer_norm1.");
        inside("ln_2.", "layer_norm2.");
        inside("mlp.c_fc.", "mlp.fc1.");
        inside("mlp.c_proj.", "mlp.fc2.");
        inside("attn.", "self_attn.");
        return this;
    }

    private LdmNames openClipWithProjection() {
        block("text_projection", TEXT_PROJECTION);
        return openClip();
    }

    private LdmNames mmdit() {
        block("x_embedder.proj.", "pos_embed.proj.");
        block("context_embedder.", "context_embedder.");
        for (int i = 0; i < 2; i++) {
            block("t_embedder.mlp." + 2 * i + ".", "time_text_embed.timestep_embedder.linear_" + (i + 1) + ".");
            block("y_embedder.mlp." + 2 * i + ".", "time_text_embed.text_embedder.linear_" + (i + 1) + ".");
        }
        block("final_layer.adaLN_modulation.1.", "norm_out.linear.");
        block("final_layer.linear.", "proj_out.");
        for (int layer = 0; layer < MOST_LAYERS; layer++) {
            String there = "joint_blocks." + layer + ".";
            String here = "transformer_blocks." + layer + ".";
            for (String part : List.of("q", "k", "v")) {
                block(there + "x_block.attn.qkv.", here + "attn.to_" + part + ".");
                block(there + "x_block.attn2.qkv.", here + "attn2.to_" + part + ".");
                block(there + "context_block.attn.qkv.", here + "attn.add_" + part + "_proj.");
            }
            block(there + "x_block.attn.proj.", here + "attn.to_out.0.");
            block(there + "x_block.attn2.proj.", here + "attn2.to_out.0.");
            block(there + "context_block.attn.proj.", here + "attn.to_add_out.");
            for (Map.Entry<String, String> half :
                    Map.of("x_block.", "", "context_block.", "_context").entrySet()) {
                block(there + half.getKey() + "mlp.fc1.", here + "ff" + half.getValue() + ".net.0.proj.");
                block(there + half.getKey() + "mlp.fc2.", here + "ff" + half.getValue() + ".net.2.");
                block(there + half.getKey() + "adaLN_modulation.1.", here + "norm1" + half.getValue() + ".linear.");
            }
        }
        return this;
    }

    /** What all names of the component begin with in a file of a whole checkpoint. */
    String prefix() {
        return prefix;
    }

    /** What tells them from others: the prefix, or for one that is another family's too, a word before it. */
    String id() {
        return id;
    }

    /** The names of this id. */
    static LdmNames of(String id) {
        return Stream.of(UNET, UNET_XL, VAE, CLIP, OPEN_CLIP, CLIP_XL, OPEN_CLIP_XL)
                .filter(names -> names.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no component has the names " + id));
    }

    private void block(String original, String renamed) {
        blocks.put(original, renamed);
        originalBlocks.put(renamed, original);
    }

    private void inside(String original, String renamed) {
        insides.put(original, renamed);
        originalInsides.put(renamed, original);
    }

    /** The name in the libraries' layout of one in the original layout, without its prefix; empty for unknown ones. */
    Optional<String> renamed(String name) {
        return translated(name, blocks, insides);
    }

    /**
     * The name in the original layout, without its prefix, of one in the libraries' layout; of a projection, that of
     * the tensor that has it. A name that is not known stays as it is.
     */
    String original(String name) {
        String joint = name;
        if (this == OPEN_CLIP || this == OPEN_CLIP_XL) {
            for (String projection : PROJECTIONS) {
                joint = joint.replace("." + projection + ".", "." + JOINT + "_");
            }
        }
        return translated(joint, originalBlocks, originalInsides).orElse(name);
    }

    private static Optional<String> translated(String name, Map<String, String> blocks, Map<String, String> insides) {
        int block = known(name, blocks);
        if (block == 0) {
            return Optional.empty();
        }
        String inside = name.substring(block);
        int known = known(inside, insides);
        return Optional.of(blocks.get(name.substring(0, block))
                + insides.getOrDefault(inside.substring(0, known), "")
                + inside.substring(known));
    }

    /** How much of the start of a name a table has, up to a dot or its end: the longest; 0 where it has none. */
    private static int known(String name, Map<String, String> table) {
        int end = name.length();
        while (end > 0 && !table.containsKey(name.substring(0, end))) {
            end = name.lastIndexOf('.', end - 2) + 1;
        }
        return Math.max(end, 0);
    }
}
