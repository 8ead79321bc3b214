package latentmix.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import latentmix.model.Dtype;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("heavy")
class FullSizeBenchTest {
    @TempDir
    Path folder;

    /** The counts are the published models', positions included. */
    @ParameterizedTest
    @CsvSource({
        "SD15_UNET, FLOAT32, 859520964, 4",
        "SDXL_UNET, BFLOAT16, 2567463684, 2",
        "SD35_MEDIUM, BFLOAT16, 2469663936, 2"
    })
    void aPublishedNetworkCompilesInLittleMemoryAndRuns(FullSizeModel model, Dtype dtype, long weights, int bytes)
            throws IOException {
        Path component = FullSizeBench.write(folder.resolve("component"), model);
        FullSizeBench.Result result = FullSizeBench.measure(component, model, dtype, 1, 0);
        assertThat(result.weightBytes()).isBetween(weights * bytes, weights * bytes + 1_000_000);
        assertThat(result.compilePeak()).isLessThan((long) (1.5 * result.weightBytes()));
        assertThat(result.forwards().get(0).peak()).isLessThan(2 * result.weightBytes());
    }
}
