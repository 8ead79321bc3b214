package latentmix.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("heavy")
class FullSizeBenchTest {
    @TempDir
    Path folder;

    @Test
    void stableDiffusionsUNetCompilesInLittleMemoryAndRuns() throws IOException {
        FullSizeBench.Result result =
                FullSizeBench.measure(FullSizeBench.write(folder.resolve("unet")), Dtype.FLOAT32, 1, 0);
        assertThat(result.weightBytes()).isBetween(859_520_964L * 4, 859_520_964L * 4 + 1_000_000);
        assertThat(result.compilePeak()).isLessThan((long) (1.5 * result.weightBytes()));
        assertThat(result.forwardPeak()).isLessThan(2 * result.weightBytes());
    }
}
