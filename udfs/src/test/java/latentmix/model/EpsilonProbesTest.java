package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.nio.file.Path;
import java.util.stream.Stream;
import latentmix.Golden;
import latentmix.architecture.Architecture;
import latentmix.architecture.Part;
import latentmix.checkpoint.ElementType;
import latentmix.torchscript.ScriptModule;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Submodules on inputs whose variance is as small as the normalisations' epsilons: a wrong one shows by 0.3 or more.
 */
class EpsilonProbesTest {
    private static final Golden PROBES = Golden.open("epsilon-probes");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            unet-sd15      | DENOISER     | conv_norm_out                                      | x
            unet-sd15      | DENOISER     | down_blocks.0.resnets.0                            | x temb
            unet-sd15      | DENOISER     | down_blocks.0.attentions.0                         | x encoder_hidden_states
            unet-sd15      | DENOISER     | down_blocks.0.attentions.0.transformer_blocks.0    | x encoder_hidden_states
            vae-sd15       | ENCODER      | encoder.down_blocks.0.resnets.0                    | x
            vae-sd15       | ENCODER      | encoder.mid_block.attentions.0                     | x
            vae-sd15       | DECODER      | decoder.conv_norm_out                              | x
            mmdit-sd35-medium | DENOISER  | norm_out                                           | x temb
            mmdit-sd35-medium | DENOISER  | transformer_blocks.0          | hidden_states encoder_hidden_states temb
            mmdit-sd35-medium | DENOISER  | transformer_blocks.0.attn.norm_q                   | x
            clip-text-sd15 | TEXT_ENCODER | text_model.final_layer_norm                        | x
            t5             | TEXT_ENCODER | encoder.block.0.layer.1                            | x
            """)
    void theEpsilonsAreTheReferences(String folder, Part part, String path, String inputs) {
        Path component = Golden.folder(folder);
        Architecture architecture = Architecture.of(component);
        // A child of this one name, so that its weights keep their keys in the state dict.
        ScriptModule probe = wrapped(architecture.parts().get(part), path);
        Path program = CompiledPrograms.of(component, architecture, probe, ElementType.F32);
        String name = folder + "/" + path + ".";
        try (Network network = Network.load(program, Device.cpu());
                NDManager manager = NDManager.newBaseManager()) {
            NDArray[] arrays = Stream.of(inputs.split(" ", -1))
                    .map(input -> PROBES.array(manager, name + input))
                    .toArray(NDArray[]::new);
            // The transformer's block gives patches and prompt, which the golden has one after the other.
            float[] output = network.forward(manager, arrays).stream()
                    .reduce((patches, prompt) -> patches.concat(prompt, 1))
                    .orElseThrow()
                    .toFloatArray();
            float[] expected = PROBES.floats(name + "out");
            assertThat(output).hasSameSizeAs(expected);
            for (int i = 0; i < output.length; i++) {
                assertThat(Math.abs(output[i] - expected[i])).isLessThanOrEqualTo(2e-5f);
            }
        }
    }

    /** A root that holds nothing but the module under this path and passes its inputs on. */
    private static ScriptModule wrapped(ScriptModule root, String path) {
        ScriptModule module = root.at(path);
        String signature = module.methods().lines().findFirst().orElseThrow();
        String arguments = signature.replaceAll("^def forward\\(self, |\\) -> .*$|: Tensor", "");
        String child = Stream.of(path.split("\\.", -1))
                .reduce("self", (object, name) -> "getattr(" + object + ", \"" + name + "\")");
        ScriptModule tree = module;
        String[] names = path.split("\\.", -1);
        for (int i = names.length - 1; i >= 0; i--) {
            tree = ScriptModule.named("Path").child(names[i], tree);
        }
        return tree.method(signature + "\n  return " + child + ".forward(" + arguments + ")\n");
    }
}
