package latentmix.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.checkpoint.SafetensorsWriter.Values;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @Test
    void whatIsWrittenIsReadAgainRoundedToItsType(@TempDir Path folder) throws IOException {
        Map<String, Values> tensors = new LinkedHashMap<>();
        tensors.put("b.weight", new Values(List.of(2L, 2L), new float[] {1, -0.5f, 3.25f, 1.0009766f}));
        tensors.put("a", new Values(List.of(), new float[] {7}));
        Path file = folder.resolve("model.safetensors");
        SafetensorsWriter.write(file, ElementType.F16, tensors);
        byte[] first = Files.readAllBytes(file);
        try (Safetensors read = Safetensors.open(file)) {
            assertThat(read.tensors().keySet()).containsExactly("b.weight", "a");
            assertThat(read.tensor("b.weight").type()).isEqualTo(ElementType.F16);
            assertThat(read.floats("b.weight")).containsExactly(1, -0.5f, 3.25f, 1.0009766f);
            assertThat(read.floats("a")).containsExactly(7);
        }
        SafetensorsWriter.write(file, ElementType.F16, tensors);
        assertThat(Files.readAllBytes(file)).isEqualTo(first);
    }

    @Test
    void aTensorHasAsManyValuesAsItsShapeSays() {
        assertThatThrownBy(() -> new Values(List.of(2L, 3L), new float[5]))
                .hasMessage("A tensor of shape [2, 3] has 6 values, cannot have: 5");
    }
}
