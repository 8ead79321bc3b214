package latentmix.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.util.List;
import latentmix.architecture.Part;
import latentmix.checkpoint.ElementType;
import latentmix.model.Dtype;

/** Networks at their published size, by their published configs, and what a bench runs them on. */
public enum FullSizeModel {
    /**
     * 860 million weights: <a
     * href="https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5/blob/main/unet/config.json">config</a>.
     */
    SD15_UNET(
            "sd15-unet",
            Part.DENOISER,
            ElementType.F32,
            """
            {
              "_class_name": "UNet2DConditionModel",
              "act_fn": "silu",
              "attention_head_dim": 8,
              "block_out_channels": [320, 640, 1280, 1280],
              "center_input_sample": false,
              "cross_attention_dim": 768,
              "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", \
            "DownBlock2D"],
              "downsample_padding": 1,
              "flip_sin_to_cos": true,
              "freq_shift": 0,
              "in_channels": 4,
              "layers_per_block": 2,
              "mid_block_scale_factor": 1,
              "norm_eps": 1e-05,
              "norm_num_groups": 32,
              "out_channels": 4,
              "sample_size": 64,
              "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"]
            }
            """),
    /**
     * 2.6 billion weights: <a
     * href="https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/unet/config.json">config</a>.
     */
    SDXL_UNET(
            "sdxl-unet",
            Part.DENOISER,
            ElementType.F16,
            """
            {
              "_class_name": "UNet2DConditionModel",
              "act_fn": "silu",
              "addition_embed_type": "text_time",
              "addition_time_embed_dim": 256,
              "attention_head_dim": [5, 10, 20],
              "block_out_channels": [320, 640, 1280],
              "cross_attention_dim": 2048,
              "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
              "in_channels": 4,
              "layers_per_block": 2,
              "norm_num_groups": 32,
              "out_channels": 4,
              "projection_class_embeddings_input_dim": 2816,
              "sample_size": 128,
              "transformer_layers_per_block": [1, 2, 10],
              "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
              "use_linear_projection": true
            }
            """),
    /**
     * 2.2 billion weights, and positions: <a
     * href="https://huggingface.co/stabilityai/stable-diffusion-3.5-medium/blob/main/transformer/config.json">config</a>.
     */
    SD35_MEDIUM(
            "sd35-medium",
            Part.DENOISER,
            ElementType.BF16,
            """
            {
              "_class_name": "SD3Transformer2DModel",
              "attention_head_dim": 64,
              "caption_projection_dim": 1536,
              "dual_attention_layers": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
              "in_channels": 16,
              "joint_attention_dim": 4096,
              "num_attention_heads": 24,
              "num_layers": 24,
              "out_channels": 16,
              "patch_size": 2,
              "pooled_projection_dim": 2048,
              "pos_embed_max_size": 384,
              "qk_norm": "rms_norm",
              "sample_size": 128
            }
            """),
    /**
     * 675 million weights, and 75 million of copies of one embedding: <a
     * href="https://huggingface.co/facebook/DiT-XL-2-256/blob/main/transformer/config.json">config</a>.
     */
    DIT_XL_2(
            "dit-xl-2",
            Part.DENOISER,
            ElementType.F32,
            """
            {
              "_class_name": "DiTTransformer2DModel",
              "activation_fn": "gelu-approximate",
              "attention_bias": true,
              "attention_head_dim": 72,
              "in_channels": 4,
              "norm_elementwise_affine": false,
              "norm_type": "ada_norm_zero",
              "num_attention_heads": 16,
              "num_embeds_ada_norm": 1000,
              "num_layers": 28,
              "out_channels": 8,
              "patch_size": 2,
              "sample_size": 32
            }
            """),
    /** 4.8 billion weights: <a href="https://huggingface.co/google/t5-v1_1-xxl/blob/main/config.json">config</a>. */
    T5_XXL(
            "t5-xxl",
            Part.TEXT_ENCODER,
            ElementType.BF16,
            """
            {
              "architectures": ["T5EncoderModel"],
              "d_ff": 10240,
              "d_kv": 64,
              "d_model": 4096,
              "feed_forward_proj": "gated-gelu",
              "layer_norm_epsilon": 1e-06,
              "num_heads": 64,
              "num_layers": 24,
              "relative_attention_num_buckets": 32,
              "vocab_size": 32128
            }
            """);

    /** Inputs of one forward, in its order. */
    record Workload(String name, List<Shape> shapes) {
        private static Workload of(String name, Shape... shapes) {
            return new Workload(name, List.of(shapes));
        }
    }

    private final String text;
    private final Part part;
    private final ElementType stored;
    private final String config;

    FullSizeModel(String text, Part part, ElementType stored, String config) {
        this.text = text;
        this.part = part;
        this.stored = stored;
        this.config = config;
    }

    Part part() {
        return part;
    }

    /** The type that its weights are published in. */
    ElementType stored() {
        return stored;
    }

    /** The types to measure it in. */
    public List<Dtype> dtypes() {
        return stored == ElementType.F32 ? List.of(Dtype.FLOAT32, Dtype.BFLOAT16) : List.of(Dtype.BFLOAT16);
    }

    /** Its config.json. */
    String config() {
        return config;
    }

    /**
     * The work of one forward: one image with guidance for the U-Net of Stable Diffusion 1.5 and for DiT, one image
     * without for XL's and the transformer of Stable Diffusion 3.5, one prompt for the text encoder.
     */
    List<Workload> workloads() {
        return switch (this) {
            case SD15_UNET ->
                List.of(Workload.of("2 × 4×64×64", new Shape(2, 4, 64, 64), new Shape(), new Shape(2, 77, 768)));
            case SDXL_UNET ->
                List.of(Workload.of(
                        "1 × 4×128×128",
                        new Shape(1, 4, 128, 128),
                        new Shape(),
                        new Shape(1, 77, 2048),
                        new Shape(1, 1280),
                        new Shape(1, 6)));
            case SD35_MEDIUM -> List.of(latents(64), latents(128));
            case DIT_XL_2 ->
                List.of(Workload.of("2 × 4×32×32", new Shape(2, 4, 32, 32), new Shape(), new Shape(2, 1, 1001)));
            case T5_XXL -> List.of(Workload.of("256 tokens", new Shape(1, 256), new Shape(1, 256)));
        };
    }

    /** SD 3.5's latents of this side, with the 77 tokens of CLIP and 256 of T5. */
    private static Workload latents(int side) {
        return Workload.of(
                "1 × 16×%1$d×%1$d".formatted(side),
                new Shape(1, 16, side, side),
                new Shape(),
                new Shape(1, 77 + 256, 4096),
                new Shape(1, 2048));
    }

    /** Noise at the timestep 481, or token ids without padding. */
    NDArray[] inputs(Workload workload, NDManager manager) {
        return workload.shapes().stream()
                .map(shape -> part == Part.TEXT_ENCODER
                        ? manager.ones(shape, DataType.INT64)
                        : shape.dimension() == 0 ? manager.create(481f) : manager.randomNormal(shape))
                .toArray(NDArray[]::new);
    }

    @Override
    public String toString() {
        return text;
    }
}
