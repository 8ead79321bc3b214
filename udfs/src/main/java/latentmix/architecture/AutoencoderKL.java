package latentmix.architecture;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import latentmix.torchscript.ScriptModule;

/**
 * The variational autoencoder of Stable Diffusion: images to the mean and log variance of a latent, and latents to
 * images.
 *
 * <p><a
 * href="https://github.com/huggingface/diffusers/blob/v0.36.0/src/diffusers/models/autoencoders/autoencoder_kl.py">diffusers'
 * autoencoder_kl.py</a> and {@code vae.py}. A sampler's latent is (mean - shiftFactor) · scalingFactor.
 */
public record AutoencoderKL(
        int inChannels,
        int outChannels,
        int latentChannels,
        List<Integer> blockOutChannels,
        int layersPerBlock,
        Activation activation,
        int groups,
        int sampleSize,
        double scalingFactor,
        double shiftFactor,
        boolean quantConv,
        boolean postQuantConv,
        boolean midBlockAttention)
        implements Architecture {
    private static final double EPS = 1e-6;
    /** The attention's tensors in the middle block: diffusers gave them other names before 0.12. */
    private static final String ATTENTION = "^((?:en|de)coder\\.mid_block\\.attentions\\.0\\.)";

    private static final Map<Pattern, String> RENAMINGS = renamings(Map.of(
            "query", "to_q",
            "key", "to_k",
            "value", "to_v",
            "proj_attn", "to_out.0"));

    private static Map<Pattern, String> renamings(Map<String, String> names) {
        Map<Pattern, String> rules = new LinkedHashMap<>();
        names.forEach((old, name) -> rules.put(Pattern.compile(ATTENTION + old + "\\."), "$1" + name + "."));
        return Collections.unmodifiableMap(rules);
    }

    static AutoencoderKL of(ModelConfig config) {
        config.onlyInAll("latents_mean", 0.0);
        config.onlyInAll("latents_std", 1.0);
        List<Integer> channels = config.integers("block_out_channels", List.of(64));
        int levels = channels.size();
        config.blockTypes("down_block_types", List.of("DownEncoderBlock2D"), levels, "DownEncoderBlock2D");
        config.blockTypes("up_block_types", List.of("UpDecoderBlock2D"), levels, "UpDecoderBlock2D");
        int groups = config.integer("norm_num_groups", 32);
        config.require(
                channels.stream().allMatch(width -> width % groups == 0),
                "block_out_channels must be multiples of norm_num_groups = " + groups + ", cannot be: " + channels);
        return new AutoencoderKL(
                config.integer("in_channels", 3),
                config.integer("out_channels", 3),
                config.integer("latent_channels", 4),
                channels,
                config.integer("layers_per_block", 1),
                Activation.of(config.oneOf("act_fn", "silu", "swish", "mish", "gelu", "relu")),
                groups,
                config.side("sample_size", 32),
                config.number("scaling_factor", 0.18215),
                config.number("shift_factor", 0),
                config.flag("use_quant_conv", true),
                config.flag("use_post_quant_conv", true),
                config.flag("mid_block_add_attention", true));
    }

    /** The number of pixels along a side for one entry of the latent. Each level but the last halves the side. */
    public int factor() {
        return 1 << (blockOutChannels.size() - 1);
    }

    @Override
    public Map<Part, ScriptModule> parts() {
        return Map.of(Part.ENCODER, encoder(), Part.DECODER, decoder());
    }

    @Override
    public Map<Pattern, String> renamings(Set<String> keys) {
        return RENAMINGS;
    }

    /** Older files store the attention's projections as 1×1 convolutions, so (C, C, 1, 1) is accepted for (C, C). */
    @Override
    public boolean accepts(String key, List<Long> declared, List<Long> shape) {
        boolean kernel = shape.size() == 4 && shape.get(2) == 1 && shape.get(3) == 1;
        return shape.equals(declared)
                || (kernel
                        && key.matches(ATTENTION + ".*")
                        && shape.subList(0, 2).equals(declared));
    }

    private ResnetBlock2D resnet() {
        return new ResnetBlock2D(groups, EPS, activation);
    }

    private int width(int level) {
        return blockOutChannels.get(level);
    }

    private List<ScriptModule> resnets(int in, int out, int count) {
        List<ScriptModule> resnets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            resnets.add(resnet().module(i == 0 ? in : out, out));
        }
        return resnets;
    }

    private ScriptModule mid() {
        int width = width(blockOutChannels.size() - 1);
        return UNet2DBlocks.midEncoder(
                resnets(width, width, 2),
                midBlockAttention ? List.of(Attention.overPositions(width, groups, EPS)) : List.of());
    }

    /**
     * forward(image): (B, inChannels, H, W) in [-1, 1] to [mean, log variance clamped to [-30, 20]], (B, C, h, w) each.
     */
    private ScriptModule encoder() {
        int last = blockOutChannels.size() - 1;
        List<ScriptModule> levels = new ArrayList<>();
        for (int i = 0; i <= last; i++) {
            levels.add(UNet2DBlocks.downEncoder(
                    resnets(width(Math.max(i - 1, 0)), width(i), layersPerBlock),
                    i == last ? List.of() : List.of(Resampling.downsample2D(width(i), 0))));
        }
        ScriptModule encoder = half("Encoder", "down_blocks", levels, inChannels, width(0))
                .child("conv_norm_out", Layers.groupNorm(groups, width(last), EPS))
                .child("conv_out", Layers.conv2d(width(last), 2 * latentChannels, 3));
        String moments = "self.encoder.forward(image.to(self.encoder.conv_in.weight))";
        ScriptModule root = ScriptModule.named("AutoencoderKLEncoder").child("encoder", encoder);
        if (quantConv) {
            root = root.child("quant_conv", Layers.conv2d(2 * latentChannels, 2 * latentChannels, 1));
            moments = "self.quant_conv.forward(" + moments + ")";
        }
        return root.method(
                """
                def forward(self, image: Tensor) -> List[Tensor]:
                  moments = %s
                  mean, logvar = torch.chunk(moments.to(6), 2, 1)
                  return [torch.contiguous(mean), torch.contiguous(torch.clamp(logvar, -30., 20.))]
                """
                        .formatted(moments));
    }

    /**
     * forward(latent): z (B, latentChannels, h, w), already unscaled, to an image (B, outChannels, H, W), not clamped.
     */
    private ScriptModule decoder() {
        int last = blockOutChannels.size() - 1;
        List<ScriptModule> levels = new ArrayList<>();
        for (int i = last; i >= 0; i--) {
            levels.add(UNet2DBlocks.upDecoder(
                    resnets(width(Math.min(i + 1, last)), width(i), layersPerBlock + 1),
                    i == 0 ? List.of() : List.of(Resampling.upsample2D(width(i)))));
        }
        ScriptModule decoder = half("Decoder", "up_blocks", levels, latentChannels, width(last))
                .child("conv_norm_out", Layers.groupNorm(groups, width(0), EPS))
                .child("conv_out", Layers.conv2d(width(0), outChannels, 3));
        String latent = "latent.to(self.decoder.conv_in.weight)";
        ScriptModule root = ScriptModule.named("AutoencoderKLDecoder").child("decoder", decoder);
        if (postQuantConv) {
            root = root.child("post_quant_conv", Layers.conv2d(latentChannels, latentChannels, 1));
            latent = "self.post_quant_conv.forward(" + latent + ")";
        }
        return root.method(
                """
                def forward(self, latent: Tensor) -> Tensor:
                  return torch.contiguous(self.decoder.forward(%s).to(6))
                """
                        .formatted(latent));
    }

    /**
     * The layers that encoder and decoder share: a first convolution, the levels with the middle block after or before
     * them, a norm and a last convolution.
     */
    private ScriptModule half(String type, String name, List<ScriptModule> levels, int in, int first) {
        StringBuilder calls = new StringBuilder();
        for (int i = 0; i < levels.size(); i++) {
            calls.append("  x = getattr(self.%s, \"%d\").forward(x)\n".formatted(name, i));
        }
        String mid = "  x = self.mid_block.forward(x)\n";
        return ScriptModule.named(type)
                .child("conv_in", Layers.conv2d(in, first, 3))
                .child(name, ScriptModule.list(levels))
                .child("mid_block", mid())
                .method("def forward(self, x: Tensor) -> Tensor:\n"
                        + "  x = self.conv_in.forward(x)\n"
                        + (name.equals("up_blocks") ? mid + calls : calls + mid)
                        + "  x = self.conv_norm_out.forward(x)\n"
                        + "  return self.conv_out.forward(" + activation.inPlace("x") + ")\n");
    }
}
