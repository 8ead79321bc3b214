package latentmix.model;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import latentmix.architecture.Architecture;
import latentmix.architecture.Part;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Safetensors;

/**
 * What the U-Net of Stable Diffusion 1.5 costs at its published size, 860 million weights: compiling it, loading it, and a
 * forward of two latents of 4×64×64 (one image with guidance). The weights are random, for time and memory do not depend
 * on them.
 */
public final class FullSizeBench {
    /** <a href="https://huggingface.co/stable-diffusion-v1-5/stable-diffusion-v1-5/blob/main/unet/config.json">Its config</a>. */
    private static final String CONFIG =
            """
            {
              "_class_name": "UNet2DConditionModel",
              "act_fn": "silu",
              "attention_head_dim": 8,
              "block_out_channels": [320, 640, 1280, 1280],
              "center_input_sample": false,
              "cross_attention_dim": 768,
              "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
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
            """;

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR_REFS = Path.of("/proc/self/clear_refs");

    /**
     * What was measured; memory is the whole process's peak resident bytes, 0 where the system does not tell.
     *
     * @param weightBytes size of the compiled weights
     * @param compileSeconds from safetensors to the compiled program, fingerprint included
     * @param forwardSeconds each forward after a first one that is not measured
     */
    public record Result(
            Dtype dtype,
            long weightBytes,
            double compileSeconds,
            long compilePeak,
            double loadSeconds,
            List<Double> forwardSeconds,
            long forwardPeak) {}

    private FullSizeBench() {}

    /** Writes the component folder: the config and 3.4 GB of random float32 weights. */
    public static Path write(Path component) throws IOException {
        Files.createDirectories(component);
        Files.writeString(component.resolve("config.json"), CONFIG);
        Map<String, ElementType> types = new LinkedHashMap<>();
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        Architecture.of(component).parts().get(Part.DENOISER).forEachParameter((key, shape) -> {
            types.put(key, ElementType.F32);
            shapes.put(key, shape);
        });
        SplittableRandom random = new SplittableRandom(1);
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 22).order(ByteOrder.LITTLE_ENDIAN);
        Safetensors.write(
                component.resolve("diffusion_pytorch_model.safetensors"),
                types,
                shapes,
                (tensor, out) -> fill(tensor, random, buffer, out));
        return component;
    }

    /** Matrices and kernels uniform with variance 1 / fan-in, biases 0, gains 1: activations stay of the order of 1. */
    private static void fill(
            Safetensors.Tensor tensor, SplittableRandom random, ByteBuffer buffer, WritableByteChannel out)
            throws IOException {
        boolean matrix = tensor.shape().size() > 1;
        double fanIn = matrix ? (double) tensor.size() / tensor.shape().get(0) : 1;
        float width = (float) Math.sqrt(12 / fanIn);
        float constant = tensor.name().endsWith("bias") ? 0 : 1;
        for (long left = tensor.size(); left > 0; ) {
            buffer.clear();
            for (; left > 0 && buffer.hasRemaining(); left--) {
                float uniform = (random.nextInt() >>> 8) * 0x1p-24f - 0.5f;
                buffer.putFloat(matrix ? uniform * width : constant);
            }
            out.write(buffer.flip());
        }
    }

    /** Compiles the component anew, loads it on the CPU and runs it; the compiled program is deleted afterwards. */
    public static Result measure(Path component, Dtype dtype, int threads, int forwards) throws IOException {
        Torch.setThreadsPerTask(threads);
        Architecture architecture = Architecture.of(component);
        resetPeak();
        long start = System.nanoTime();
        Path program = CompiledPrograms.of(
                component, architecture, architecture.parts().get(Part.DENOISER), dtype.elementType());
        double compileSeconds = seconds(start);
        long compilePeak = peak();
        long weightBytes = Files.size(program);
        resetPeak();
        start = System.nanoTime();
        try (Network network = Network.load(program, Device.cpu());
                NDManager manager = NDManager.newBaseManager()) {
            double loadSeconds = seconds(start);
            NDArray sample = manager.randomNormal(new Shape(2, 4, 64, 64));
            NDArray timestep = manager.create(481f);
            NDArray prompt = manager.randomNormal(new Shape(2, 77, 768));
            List<Double> times = new ArrayList<>();
            for (int i = 0; i <= forwards; i++) {
                start = System.nanoTime();
                float[] output;
                try (NDManager scope = manager.newSubManager()) {
                    output = network.forward(scope, sample, timestep, prompt)
                            .get(0)
                            .toFloatArray();
                }
                for (float value : output) {
                    if (!Float.isFinite(value)) {
                        throw new IllegalStateException("The U-Net's output should be finite, has " + value);
                    }
                }
                if (i > 0) {
                    times.add(seconds(start));
                }
            }
            return new Result(dtype, weightBytes, compileSeconds, compilePeak, loadSeconds, times, peak());
        } finally {
            Files.delete(program);
        }
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /** The most bytes of memory that this process has had resident since the last reset. */
    private static long peak() throws IOException {
        if (!Files.exists(STATUS)) {
            return 0;
        }
        return Files.readAllLines(STATUS, StandardCharsets.UTF_8).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
    }

    private static void resetPeak() throws IOException {
        if (Files.isWritable(CLEAR_REFS)) {
            Files.writeString(CLEAR_REFS, "5");
        }
    }
}
