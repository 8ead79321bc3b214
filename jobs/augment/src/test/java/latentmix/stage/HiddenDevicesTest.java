package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.architecture.Architecture;
import latentmix.architecture.AutoencoderKL;
import latentmix.architecture.ClipTextModel;
import latentmix.architecture.ClipVisionModel;
import latentmix.architecture.ConvClassifier;
import latentmix.architecture.DenoisingNetwork;
import latentmix.architecture.DiTTransformer2DModel;
import latentmix.architecture.LowRankNetwork;
import latentmix.architecture.Part;
import latentmix.architecture.SD3Transformer2DModel;
import latentmix.architecture.UNet2DConditionModel;
import latentmix.checkpoint.BuiltIn;
import latentmix.checkpoint.ElementType;
import latentmix.model.CompiledPrograms;
import latentmix.torchscript.ScriptModule;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compiled programs make no tensor on a device of their own choice: PyTorch runs each with weights and inputs on the
 * device {@code meta}, and every operation is watched for tensors on another. On a GPU they would fail or wait.
 */
@Tag("interop")
@Timeout(value = 40, unit = TimeUnit.MINUTES) // gigabytes of PyTorch
class HiddenDevicesTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROWS = 2;

    @TempDir
    Path folder;

    /** The components with weights of the golden folders and the built-in models. */
    private static List<Path> components() throws IOException {
        List<Path> components = new ArrayList<>();
        for (Path root : List.of(Golden.folder(""), BuiltIn.FASHION.folder(), BuiltIn.EMOJI.folder())) {
            try (Stream<Path> folders = Files.list(root)) {
                folders.filter(component -> Files.exists(component.resolve("config.json")))
                        .sorted()
                        .forEach(components::add);
            }
        }
        return components;
    }

    private static ObjectNode program(String name, Path program) {
        return JSON.createObjectNode().put("name", name).put("program", program.toString());
    }

    private static void input(ObjectNode program, String type, long... shape) {
        ArrayNode inputs = program.withArray("inputs");
        inputs.addObject().put("type", type).set("shape", JSON.valueToTree(shape));
    }

    /** A part with its inputs, and the same with an adapter or a token that is learnt where it takes one. */
    private static List<ObjectNode> programs(Path component, ElementType type) {
        Architecture architecture = Architecture.of(component);
        List<ObjectNode> programs = new ArrayList<>();
        architecture.parts().forEach((part, module) -> programs.add(program(component, part.toString(), module, type)));
        if (architecture instanceof DenoisingNetwork network) {
            LowRankNetwork adapted = network.lowRank();
            ObjectNode program = program(component, "adapted", adapted.module(), type);
            input(program, "float32", 2, LowRankNetwork.width(adapted.layers()));
            programs.add(program);
        } else if (architecture instanceof ClipTextModel clip) {
            ObjectNode program = program(component, "learning", clip.tokenLearner(), type);
            input(program, "float32", 1, clip.hiddenSize());
            programs.add(program);
        }
        return programs;
    }

    private static ObjectNode program(Path component, String what, ScriptModule module, ElementType type) {
        Architecture architecture = Architecture.of(component);
        ObjectNode program = program(
                component.getParent().getFileName() + "/" + component.getFileName() + " " + what + " in " + type,
                CompiledPrograms.of(component, architecture, module, type));
        inputs(architecture, what, program);
        return program;
    }

    private static void inputs(Architecture architecture, String what, ObjectNode program) {
        if (architecture instanceof DenoisingNetwork network) {
            input(program, "float32", ROWS, network.inChannels(), network.sampleSize(), network.sampleSize());
            input(program, "float32");
            told(network, program);
        } else if (architecture instanceof AutoencoderKL vae) {
            input(
                    program,
                    "float32",
                    ROWS,
                    what.equals(Part.ENCODER.toString()) ? vae.inChannels() : vae.latentChannels(),
                    16,
                    16);
        } else if (architecture instanceof ClipVisionModel clip) {
            input(program, "float32", ROWS, clip.channels(), clip.imageSize(), clip.imageSize());
        } else if (architecture instanceof ConvClassifier classifier) {
            input(program, "float32", ROWS, classifier.inChannels(), classifier.imageSize(), classifier.imageSize());
        } else {
            input(program, "int64", ROWS, 9);
            input(program, "int64", ROWS, 9);
        }
    }

    /** What a denoiser gets beside a latent and a timestep. */
    private static void told(DenoisingNetwork network, ObjectNode program) {
        if (network instanceof UNet2DConditionModel unet) {
            input(program, "float32", ROWS, 7, unet.crossAttentionDims().get(0));
            unet.textTime().ifPresent(added -> {
                input(program, "float32", ROWS, added.width() - 6L * added.numberWidth());
                input(program, "float32", ROWS, 6);
            });
            if (unet.guidanceWidth() > 0) {
                input(program, "float32", ROWS, unet.guidanceWidth());
            }
        } else if (network instanceof SD3Transformer2DModel transformer) {
            input(program, "float32", ROWS, 7, transformer.jointAttentionDim());
            input(program, "float32", ROWS, transformer.pooledProjectionDim());
        } else if (network instanceof DiTTransformer2DModel dit) {
            input(program, "float32", ROWS, 1, dit.told());
        }
    }

    /** What PyTorch says of programs, in lines. */
    private List<String> said(List<ObjectNode> programs) throws IOException, InterruptedException {
        Path file = folder.resolve("programs.jsonl");
        Files.write(file, programs.stream().map(ObjectNode::toString).toList());
        return PythonReaders.in(folder)
                .run("devices.py", file.toString())
                .lines()
                .toList();
    }

    @Test
    void noProgramMakesATensorOnADeviceOfItsOwnChoice() throws Exception {
        List<ObjectNode> programs = new ArrayList<>();
        TreeSet<String> architectures = new TreeSet<>();
        for (Path component : components()) {
            architectures.add(Architecture.of(component).getClass().getSimpleName());
            for (ElementType type : List.of(ElementType.F32, ElementType.BF16)) {
                programs.addAll(programs(component, type));
            }
        }
        assertThat(architectures)
                .containsExactly(
                        "AutoencoderKL",
                        "ClipTextModel",
                        "ClipVisionModel",
                        "ConvClassifier",
                        "DiTTransformer2DModel",
                        "SD3Transformer2DModel",
                        "T5EncoderModel",
                        "UNet2DConditionModel");
        List<String> said = said(programs);
        System.out.println(String.join("\n", said));
        assertThat(said).singleElement().asString().startsWith(programs.size() + " programs ran on meta, ");
    }

    @Test
    void aTensorThatAProgramMakesElsewhereIsSeen() throws Exception {
        List<ObjectNode> programs = new ArrayList<>();
        for (String made : List.of(
                "torch.add(x, torch.arange(3, dtype=6))",
                "torch.matmul(x, torch.ones([3, 2]))",
                "torch.arange(3, dtype=6)",
                "torch.add(x, torch.arange(3, dtype=6, device=x.device))")) {
            ScriptModule module = ScriptModule.named("Made")
                    .method("def forward(self, x: Tensor) -> Tensor:\n  return " + made + "\n");
            Path dit = Golden.folder("dit"); // of which it takes no weights
            ObjectNode program = program(
                    "made" + programs.size(), CompiledPrograms.of(dit, Architecture.of(dit), module, ElementType.F32));
            input(program, "float32", 2, 3);
            programs.add(program);
        }
        List<String> said = said(programs);
        assertThat(said).hasSize(4);
        assertThat(said.subList(0, 3))
                .containsExactly(
                        "made0: aten.arange.default on cpu",
                        "made1: aten.ones.default on cpu, aten.mm.default on cpu", // which takes it without a word
                        "made2: aten.arange.default on cpu");
        assertThat(said.get(3)).startsWith("4 programs ran on meta, ");
    }
}
