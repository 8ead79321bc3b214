package latentmix.architecture;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import latentmix.torchscript.ScriptModule;

/**
 * The U-Net of Stable Diffusion 1, 2 and XL: levels of residual blocks and prompt attention, halving and doubling the
 * latent's sides, with skip connections.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/unets/unet_2d_condition.py">diffusers'
 * unet_2d_condition.py</a>. Lists have an entry a level, in down order; the up levels take them reversed and the middle
 * takes the last. {@code attention_head_dim} is the number of heads (a historical naming error of the library).
 *
 * @param guidanceWidth width of the embedded guidance scale that a consistency model's distillation takes as an input
 *     ({@code time_cond_proj_dim}), or 0
 */
public record UNet2DConditionModel(
        int sampleSize,
        int inChannels,
        int outChannels,
        List<String> downBlockTypes,
        List<String> upBlockTypes,
        List<Integer> blockOutChannels,
        List<Integer> layersPerBlock,
        List<Integer> depths,
        List<Integer> upDepths,
        List<Integer> heads,
        List<Integer> crossAttentionDims,
        Activation activation,
        int groups,
        double normEps,
        Transformer2DModel.Projection projection,
        int timeEmbeddingDim,
        TimestepEmbedding timeProjection,
        int downsamplePadding,
        double midBlockScale,
        int convInKernel,
        int convOutKernel,
        InputRange inputRange,
        Middle middle,
        int guidanceWidth,
        Optional<TextTime> textTime)
        implements DenoisingNetwork {
    /** The block between the down and the up levels, which small distilled models lack (mid_block_type null). */
    enum Middle {
        CROSS_ATTENTION,
        NONE
    }

    /** The range of the sample: taken as it is, or moved from [0, 1] to [-1, 1] first (center_input_sample). */
    enum InputRange {
        AS_IS,
        CENTERED
    }

    /**
     * The numbers that Stable Diffusion XL adds to the timestep embedding (addition_embed_type text_time): the pooled
     * prompt and six numbers about the image's size, each embedded as a timestep is.
     *
     * @param numberWidth width of one number's embedding
     * @param width of the pooled prompt and all numbers together
     */
    public record TextTime(int numberWidth, int width) {}

    private static final String CROSS_DOWN = "CrossAttnDownBlock2D";
    private static final String CROSS_UP = "CrossAttnUpBlock2D";

    static UNet2DConditionModel of(ModelConfig config) {
        config.only("mid_block_type", "UNetMidBlock2DCrossAttn");
        config.require(
                !config.isNull("norm_num_groups"), "norm_num_groups must be a positive integer, cannot be: null");
        config.only("num_attention_heads");
        config.onlyInAll("only_cross_attention", false);
        config.only("mid_block_only_cross_attention", false);
        config.only("dual_cross_attention", false);
        config.only("cross_attention_norm");
        config.only("attention_type", "default");
        config.only("encoder_hid_dim");
        config.only("encoder_hid_dim_type");
        config.only("class_embed_type");
        config.only("num_class_embeds");
        config.only("class_embeddings_concat", false);
        config.only("addition_embed_type", "text_time");
        config.only("resnet_time_scale_shift", "default");
        config.only("resnet_skip_time_act", false);
        config.only("resnet_out_scale_factor", 1.0);
        config.only("time_embedding_type", "positional");
        config.only("time_embedding_act_fn");
        config.only("timestep_post_act");
        config.only("dropout", 0.0);

        List<Integer> channels = config.integers("block_out_channels", List.of(320, 640, 1280, 1280));
        int levels = channels.size();
        List<String> down = config.blockTypes(
                "down_block_types",
                List.of(CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, "DownBlock2D"),
                levels,
                CROSS_DOWN,
                "DownBlock2D");
        List<String> up = config.blockTypes(
                "up_block_types", List.of("UpBlock2D", CROSS_UP, CROSS_UP, CROSS_UP), levels, CROSS_UP, "UpBlock2D");
        List<Integer> heads = config.perLevel("attention_head_dim", 8, levels);
        List<Integer> depths = config.perLevel("transformer_layers_per_block", 1, levels);
        boolean asymmetric = config.has("reverse_transformer_layers_per_block");
        int groups = config.integer("norm_num_groups", 32);
        for (int i = 0; i < levels; i++) {
            int width = channels.get(i);
            config.require(
                    width % groups == 0,
                    "block_out_channels must be multiples of norm_num_groups = " + groups + ", cannot be: " + channels);
            config.require(
                    width >= heads.get(i),
                    "attention_head_dim (the number of heads) must be at most block_out_channels, cannot be: " + heads);
        }
        return new UNet2DConditionModel(
                config.side("sample_size", 64),
                config.integer("in_channels", 4),
                config.integer("out_channels", 4),
                down,
                up,
                channels,
                config.perLevel("layers_per_block", 2, levels),
                depths,
                asymmetric ? config.perLevel("reverse_transformer_layers_per_block", 1, levels) : reversed(depths),
                heads,
                config.perLevel("cross_attention_dim", 1280, levels),
                Activation.of(config.oneOf("act_fn", "silu", "swish", "mish", "gelu", "relu")),
                groups,
                config.number("norm_eps", 1e-5),
                config.flag("use_linear_projection", false)
                        ? Transformer2DModel.Projection.LINEAR
                        : Transformer2DModel.Projection.CONV,
                config.integer("time_embedding_dim", 4 * channels.get(0)),
                new TimestepEmbedding(config.flag("flip_sin_to_cos", true), config.number("freq_shift", 0)),
                downsamplePadding(config),
                config.number("mid_block_scale_factor", 1),
                oddKernel(config, "conv_in_kernel"),
                oddKernel(config, "conv_out_kernel"),
                config.flag("center_input_sample", false) ? InputRange.CENTERED : InputRange.AS_IS,
                config.isNull("mid_block_type") ? Middle.NONE : Middle.CROSS_ATTENTION,
                config.integer("time_cond_proj_dim", 0),
                textTime(config));
    }

    private static Optional<TextTime> textTime(ModelConfig config) {
        if (!config.has("addition_embed_type")) {
            return Optional.empty();
        }
        for (String key : List.of("addition_time_embed_dim", "projection_class_embeddings_input_dim")) {
            config.require(config.has(key), key + " must be given where addition_embed_type is text_time");
        }
        return Optional.of(new TextTime(
                config.integer("addition_time_embed_dim", 256),
                config.integer("projection_class_embeddings_input_dim", 2816)));
    }

    private static int downsamplePadding(ModelConfig config) {
        config.only("downsample_padding", 1, 0);
        return config.json().path("downsample_padding").asInt(1);
    }

    private static int oddKernel(ModelConfig config, String key) {
        int kernel = config.integer(key, 3);
        config.require(kernel % 2 == 1, key + " must be odd, cannot be: " + kernel);
        return kernel;
    }

    private static <T> List<T> reversed(List<T> list) {
        List<T> reversed = new ArrayList<>(list);
        Collections.reverse(reversed);
        return reversed;
    }

    /** The names of forward's inputs, in order. */
    public List<String> inputs() {
        List<String> inputs = new ArrayList<>(List.of("sample", "timestep", "encoder_hidden_states"));
        if (textTime.isPresent()) {
            inputs.addAll(List.of("text_embeds", "time_ids"));
        }
        if (guidanceWidth > 0) {
            inputs.add("timestep_cond");
        }
        return List.copyOf(inputs);
    }

    @Override
    public Map<Part, ScriptModule> parts() {
        return Map.of(Part.DENOISER, module());
    }

    /**
     * forward(sample, timestep, encoder_hidden_states): sample (B, inChannels, H, W), timestep a scalar or (B),
     * encoder_hidden_states (B, L, crossAttentionDim), all float32, to the raw output (B, outChannels, H, W), float32.
     * With textTime two more inputs: text_embeds (B, …) and time_ids (B, 6). With a guidance one more: timestep_cond
     * (B, guidanceWidth).
     */
    private ScriptModule module() {
        int levels = blockOutChannels.size();
        int first = blockOutChannels.get(0);
        int last = blockOutChannels.get(levels - 1);
        List<ScriptModule> down = new ArrayList<>();
        List<ScriptModule> up = new ArrayList<>();
        for (int i = 0; i < levels; i++) {
            down.add(down(i));
            up.add(up(i));
        }
        ScriptModule root = ScriptModule.named("UNet2DConditionModel")
                .child("conv_in", Layers.conv2d(inChannels, first, convInKernel))
                .child("time_embedding", time());
        if (textTime.isPresent()) {
            int added = textTime.get().width();
            root = root.child("add_embedding", TimestepEmbedding.module(added, timeEmbeddingDim, Activation.SILU))
                    .method(timeProjection.method(
                            "add_time_proj", textTime.get().numberWidth()));
        }
        root = root.child("down_blocks", ScriptModule.list(down));
        if (middle == Middle.CROSS_ATTENTION) {
            root = root.child("mid_block", mid(last));
        }
        return root.child("up_blocks", ScriptModule.list(up))
                .child("conv_norm_out", Layers.groupNorm(groups, first, normEps))
                .child("conv_out", Layers.conv2d(first, outChannels, convOutKernel))
                .method(timeProjection.method("time_proj", first))
                .method(forward(levels));
    }

    private String forward(int levels) {
        StringBuilder text = new StringBuilder(
                """
                def forward(self, %s: Tensor) -> Tensor:
                  weight = self.conv_in.weight
                  x = sample.to(weight)
                  prompt = encoder_hidden_states.to(weight)
                  temb = self.time_embedding.forward(%s)
                """
                        .formatted(
                                String.join(": Tensor, ", inputs()),
                                guidanceWidth > 0
                                        ? "torch.add(self.time_proj(timestep).to(weight),"
                                                + " self.time_embedding.cond_proj.forward(timestep_cond.to(weight)))"
                                        : "self.time_proj(timestep).to(weight)"));
        if (textTime.isPresent()) {
            text.append(
                    """
                      numbers = torch.reshape(self.add_time_proj(time_ids), [torch.size(time_ids, 0), -1])
                      added = torch.cat([text_embeds.to(weight), numbers.to(weight)], 1)
                      temb = torch.add(temb, self.add_embedding.forward(added))
                    """);
        }
        if (inputRange == InputRange.CENTERED) {
            text.append("  x = torch.sub(torch.mul(x, 2), 1)\n");
        }
        text.append("  states = [self.conv_in.forward(x)]\n");
        for (int i = 0; i < levels; i++) {
            text.append(
                    "  states += getattr(self.down_blocks, \"%d\").forward(states[-1], temb, prompt)\n".formatted(i));
        }
        text.append(
                middle == Middle.CROSS_ATTENTION
                        ? "  x = self.mid_block.forward(states[-1], temb, prompt)\n"
                        : "  x = states[-1]\n");
        for (int i = 0; i < levels; i++) {
            text.append("  x = getattr(self.up_blocks, \"%d\").forward(x, states, temb, prompt)\n".formatted(i));
        }
        return text.append("  x = self.conv_norm_out.forward(x)\n")
                .append("  return self.conv_out.forward(" + activation.inPlace("x") + ").to(6)\n")
                .toString();
    }

    /** The timestep's embedding, whose waves a guidance's projection is added to. */
    private ScriptModule time() {
        int first = blockOutChannels.get(0);
        ScriptModule time = TimestepEmbedding.module(first, timeEmbeddingDim, activation);
        return guidanceWidth > 0 ? time.child("cond_proj", Layers.linearWithoutBias(guidanceWidth, first)) : time;
    }

    private ResnetBlock2D resnet() {
        return new ResnetBlock2D(groups, normEps, activation);
    }

    private List<ScriptModule> transformers(int count, int level, int depth) {
        int width = blockOutChannels.get(level);
        int headCount = heads.get(level);
        Transformer2DModel transformer = new Transformer2DModel(groups, crossAttentionDims.get(level), projection);
        List<ScriptModule> modules = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            modules.add(transformer.module(width, headCount, width / headCount, depth));
        }
        return modules;
    }

    private ScriptModule down(int level) {
        int out = blockOutChannels.get(level);
        int layers = layersPerBlock.get(level);
        List<ScriptModule> resnets = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            int in = i > 0 ? out : blockOutChannels.get(Math.max(level - 1, 0));
            resnets.add(resnet().module(in, out, timeEmbeddingDim, 1));
        }
        String type = downBlockTypes.get(level);
        return UNet2DBlocks.down(
                type,
                resnets,
                type.equals(CROSS_DOWN) ? transformers(layers, level, depths.get(level)) : List.of(),
                level == blockOutChannels.size() - 1
                        ? List.of()
                        : List.of(Resampling.downsample2D(out, downsamplePadding)));
    }

    private ScriptModule mid(int width) {
        int level = blockOutChannels.size() - 1;
        ScriptModule resnet = resnet().module(width, width, timeEmbeddingDim, midBlockScale);
        return UNet2DBlocks.mid(List.of(resnet, resnet), transformers(1, level, depths.get(level)));
    }

    /**
     * The i-th up level. It is as wide as the down level n - 1 - i. Its residual blocks take the skip connections'
     * widths.
     */
    private ScriptModule up(int i) {
        int level = blockOutChannels.size() - 1 - i;
        int out = blockOutChannels.get(level);
        int before = blockOutChannels.get(Math.min(level + 1, blockOutChannels.size() - 1));
        int lastSkip = blockOutChannels.get(Math.max(level - 1, 0));
        int layers = layersPerBlock.get(level) + 1;
        List<ScriptModule> resnets = new ArrayList<>();
        for (int j = 0; j < layers; j++) {
            int hidden = j == 0 ? before : out;
            int skip = j == layers - 1 ? lastSkip : out;
            resnets.add(resnet().module(hidden + skip, out, timeEmbeddingDim, 1));
        }
        String type = upBlockTypes.get(i);
        return UNet2DBlocks.up(
                type,
                resnets,
                type.equals(CROSS_UP) ? transformers(layers, level, upDepths.get(i)) : List.of(),
                level == 0 ? List.of() : List.of(Resampling.upsample2D(out)));
    }
}
