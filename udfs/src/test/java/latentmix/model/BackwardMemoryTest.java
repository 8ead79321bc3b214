package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.Golden;
import latentmix.OtherJvm;
import latentmix.architecture.Architecture;
import latentmix.architecture.BackwardMemory;
import latentmix.architecture.LowRankNetwork;
import latentmix.architecture.Part;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.ElementType;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The estimate of the backward pass's memory against the most that the process has resident. */
class BackwardMemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR_REFS = Path.of("/proc/self/clear_refs");

    /** One measurement in a process of its own: what another left to the allocator would hide it. */
    static final class Measurement {
        public static void main(String[] args) throws IOException {
            Path component = Path.of(args[0]);
            int context = unet(component).crossAttentionDims().get(0);
            Torch.setThreadsPerTask(1);
            BackwardMemory.Learnt learnt = BackwardMemory.Learnt.valueOf(args[3]);
            LowRankNetwork adaptable = unet(component).lowRank();
            Path program = learnt == BackwardMemory.Learnt.PROMPT
                    ? Models.compile(component, Part.DENOISER, Dtype.FLOAT32)
                    : CompiledPrograms.of(component, unet(component), adaptable.module(), ElementType.F32);
            int columns = learnt == BackwardMemory.Learnt.PROMPT ? 0 : LowRankNetwork.width(adaptable.layers());
            try (Network network = Network.loadDifferentiable(program, Device.cpu());
                    NDManager manager = NDManager.newBaseManager(Device.cpu())) {
                backward(network, manager, 1, 8, context, columns); // code and buffers that any run needs
                long before = field("VmRSS:");
                Files.writeString(CLEAR_REFS, "5");
                backward(network, manager, Integer.parseInt(args[1]), Integer.parseInt(args[2]), context, columns);
                System.out.println("measured " + (field("VmHWM:") - before));
            }
        }
    }

    private static UNet2DConditionModel unet(Path component) {
        return (UNet2DConditionModel) Architecture.of(component);
    }

    @ParameterizedTest
    @CsvSource({
        "builtin, 256, 8, PROMPT",
        "builtin, 4, 64, PROMPT",
        "sd15, 1, 64, PROMPT",
        "builtin, 256, 8, ADAPTER",
        "sd15, 1, 64, ADAPTER"
    })
    void theEstimateIsAboveWhatIsMeasuredAndNotTwiceAsMuch(
            String model, int batch, int side, BackwardMemory.Learnt learnt) throws IOException, InterruptedException {
        assumeTrue(Files.isWritable(CLEAR_REFS), "the system does not tell a process its peak");
        Path component =
                model.equals("builtin") ? BuiltIn.FASHION.folder().resolve("unet") : Golden.folder("unet-sd15");
        List<String> command = OtherJvm.command(
                Measurement.class,
                OtherJvm.options(),
                component.toString(),
                Integer.toString(batch),
                Integer.toString(side),
                learnt.name());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(output).isZero();

        double measured = output.lines()
                .filter(line -> line.startsWith("measured "))
                .mapToDouble(line -> Double.parseDouble(line.substring("measured ".length())))
                .findFirst()
                .orElseThrow();
        double estimate = BackwardMemory.bytes(unet(component), learnt, batch, side, side);
        assertThat(estimate / measured).isBetween(1.0, 2.0);
    }

    private static void backward(Network network, NDManager manager, int batch, int side, int context, int columns) {
        try (NDManager scope = manager.newSubManager()) {
            NDArray sample = scope.ones(new Shape(batch, 4, side, side));
            NDArray prompt = scope.ones(new Shape(batch, 16, context));
            List<NDArray> inputs = new ArrayList<>(List.of(sample, scope.create(481f), prompt));
            if (columns > 0) {
                inputs.add(scope.ones(new Shape(4, columns)).mul(0.01f));
            }
            NDArray gradient = network.gradients(
                            scope, 2, inputs.size(), NDArray::onesLike, inputs.toArray(NDArray[]::new))
                    .get(0);
            assertThat(gradient.getShape()).isEqualTo(prompt.getShape());
        }
    }

    private static long field(String name) throws IOException {
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith(name))
                .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                .findFirst()
                .orElseThrow();
    }
}
