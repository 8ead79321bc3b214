package latentmix.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.Golden;
import latentmix.checkpoint.Tensors;
import latentmix.model.Dtype;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TurnsBenchTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream said = new ByteArrayOutputStream();

    private TurnsBench turns(int turns) {
        return new TurnsBench(
                folder,
                new ByteArrayInputStream("\n".repeat(turns).getBytes(StandardCharsets.UTF_8)),
                new PrintStream(said, true, StandardCharsets.UTF_8));
    }

    private List<String> lines() {
        return said.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void aForwardPassSaysFirstHowFarItsOutputIsFromTheOther() throws IOException {
        Path golden = Golden.folder("unet-sd15");
        for (String file : List.of("config.json", "diffusion_pytorch_model.safetensors")) {
            Files.copy(golden.resolve(file), folder.resolve(file));
        }
        Tensors all = Tensors.of(golden.resolve("golden.safetensors"));
        Tensors inputs = new Tensors();
        List<String> names = List.of("0.sample", "1.timestep", "2.encoder_hidden_states", "out");
        for (String name : names) {
            Tensors.Values values = all.get("t901." + name.replaceFirst("^\\d\\.", ""));
            inputs.put(name, values.shape(), values.values());
        }
        inputs.write(folder.resolve("inputs.safetensors"));

        turns(2).forward(FullSizeModel.SD15_UNET, Dtype.FLOAT32, 1);

        assertThat(lines()).hasSize(4).first().isEqualTo("ready");
        assertThat(Double.parseDouble(lines().get(1))).isBetween(0.0, 1e-4);
        assertThat(lines().subList(2, 4)).allMatch(line -> line.matches("\\d+\\.\\d{6} \\d+\\.\\d{3}"));
    }

    @Test
    void aTableIsReadOnceForEachLine() throws IOException {
        turns(3).tables();

        assertThat(lines()).hasSize(4).first().isEqualTo("ready");
        assertThat(lines().subList(1, 4)).allMatch(line -> line.matches("\\d+\\.\\d{6} \\d+\\.\\d{3}"));
    }
}
