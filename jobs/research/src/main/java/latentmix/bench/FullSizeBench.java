package latentmix.bench;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import latentmix.architecture.Architecture;
import latentmix.architecture.Part;
import latentmix.checkpoint.ElementType;
import latentmix.checkpoint.Safetensors;
import latentmix.codec.LittleEndian;
import latentmix.model.CompiledPrograms;
import latentmix.model.Dtype;
import latentmix.model.Network;
import latentmix.model.Torch;

/**
 * This bench measures a network at its published size: the cost of compiling it, loading it and running it. The weights
 * are random: time and memory do not depend on them.
 */
public final class FullSizeBench {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR_REFS = Path.of("/proc/self/clear_refs");

    /**
     * The measurements of loading and compiling. Memory is the whole process's peak resident bytes, 0 where the system
     * does not tell.
     *
     * @param weightBytes size of the compiled weights
     * @param compileSeconds from safetensors to the compiled program, fingerprint included
     */
    public record Result(
            Dtype dtype,
            long weightBytes,
            double compileSeconds,
            long compilePeak,
            double loadSeconds,
            List<Forward> forwards) {}

    /**
     * The measurements of running.
     *
     * @param seconds each forward after a first one, which is measured alone where there is no other
     * @param cpuSeconds processor time of all threads in each forward, which other work on the machine does not change
     */
    public record Forward(String inputs, List<Double> seconds, List<Double> cpuSeconds, long peak) {}

    private FullSizeBench() {}

    /** Writes the component folder: the config and random weights. */
    public static Path write(Path component, FullSizeModel model) throws IOException {
        Files.createDirectories(component);
        Files.writeString(component.resolve("config.json"), model.config());
        Map<String, ElementType> types = new LinkedHashMap<>();
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        Architecture.of(component).parts().get(model.part()).forEachParameter((key, shape) -> {
            types.put(key, model.stored());
            shapes.put(key, shape);
        });
        SplittableRandom random = new SplittableRandom(1);
        float[] values = new float[1 << 20];
        ByteBuffer buffer = LittleEndian.direct(values.length * Float.BYTES);
        Safetensors.write(
                component.resolve(
                        model.part() == Part.DENOISER ? "diffusion_pytorch_model.safetensors" : "model.safetensors"),
                types,
                shapes,
                (tensor, out) -> fill(tensor, random, values, buffer, out));
        return component;
    }

    /** Matrices and kernels uniform with variance 1 / fan-in, biases 0, gains 1: activations stay of the order of 1. */
    private static void fill(
            Safetensors.Tensor tensor,
            SplittableRandom random,
            float[] values,
            ByteBuffer buffer,
            WritableByteChannel out)
            throws IOException {
        boolean matrix = tensor.shape().size() > 1;
        double fanIn = matrix ? (double) tensor.size() / tensor.shape().get(0) : 1;
        float width = (float) Math.sqrt(12 / fanIn);
        Arrays.fill(values, tensor.name().endsWith("bias") ? 0 : 1);
        for (long left = tensor.size(); left > 0; ) {
            int count = (int) Math.min(left, values.length);
            for (int i = 0; matrix && i < count; i++) {
                values[i] = ((random.nextInt() >>> 8) * 0x1p-24f - 0.5f) * width;
            }
            tensor.type().encode(values, count, buffer.clear());
            out.write(buffer.flip());
            left -= count;
        }
    }

    /** Compiles the component anew, loads it on the CPU and runs it; the compiled program is deleted afterwards. */
    public static Result measure(Path component, FullSizeModel model, Dtype dtype, int threads, int forwards)
            throws IOException {
        Torch.setThreadsPerTask(threads);
        Architecture architecture = Architecture.of(component);
        resetPeak();
        long start = System.nanoTime();
        Path program = CompiledPrograms.of(
                component, architecture, architecture.parts().get(model.part()), dtype.elementType());
        double compileSeconds = seconds(start);
        long compilePeak = peak();
        long weightBytes = Files.size(program);
        resetPeak();
        start = System.nanoTime();
        try (Network network = Network.load(program, Device.cpu())) {
            double loadSeconds = seconds(start);
            List<Forward> measured = new ArrayList<>();
            for (FullSizeModel.Workload workload : model.workloads()) {
                measured.add(forward(network, model, workload, forwards));
            }
            return new Result(dtype, weightBytes, compileSeconds, compilePeak, loadSeconds, measured);
        } finally {
            Files.delete(program);
        }
    }

    private static Forward forward(Network network, FullSizeModel model, FullSizeModel.Workload workload, int forwards)
            throws IOException {
        List<Double> times = new ArrayList<>();
        List<Double> cpuTimes = new ArrayList<>();
        resetPeak();
        try (NDManager manager = NDManager.newBaseManager()) {
            NDArray[] inputs = model.inputs(workload, manager);
            for (int i = 0; i <= forwards; i++) {
                long start = System.nanoTime();
                double cpuStart = cpuSeconds();
                float[] output;
                try (NDManager scope = manager.newSubManager()) {
                    output = network.forward(scope, inputs).get(0).toFloatArray();
                }
                for (float value : output) {
                    if (!Float.isFinite(value)) {
                        throw new IllegalStateException("The output of " + model + " should be finite, has " + value);
                    }
                }
                if (i > 0 || forwards == 0) {
                    times.add(seconds(start));
                    cpuTimes.add(cpuSeconds() - cpuStart);
                }
            }
        }
        return new Forward(workload.name(), times, cpuTimes, peak());
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    /** Processor time of this process so far. */
    static double cpuSeconds() {
        return ProcessHandle.current()
                        .info()
                        .totalCpuDuration()
                        .orElse(Duration.ZERO)
                        .toMillis()
                / 1e3;
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
