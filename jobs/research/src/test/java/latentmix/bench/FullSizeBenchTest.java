package latentmix.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import latentmix.OtherJvm;
import latentmix.model.Dtype;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("heavy")
class FullSizeBenchTest {
    @TempDir
    Path folder;

    /** A process of its own: what another network took stays with a process after the network is closed. */
    static final class Measurement {
        public static void main(String[] args) throws IOException {
            FullSizeModel model = FullSizeModel.valueOf(args[1]);
            Path component = FullSizeBench.write(Path.of(args[0]).resolve("component"), model);
            FullSizeBench.Result result = FullSizeBench.measure(component, model, Dtype.valueOf(args[2]), 1, 0);
            System.out.println(result);
            long bytes = Long.parseLong(args[3]);
            assertThat(result.weightBytes()).isBetween(bytes, bytes + 1_000_000);
            assertThat(result.compilePeak()).isLessThan((long) (1.5 * result.weightBytes()));
            assertThat(result.forwards().get(0).peak()).isLessThan(2 * result.weightBytes());
        }
    }

    /** The smallest; the larger ones are cases of the bench. The counts are the published models'. */
    @ParameterizedTest
    @CsvSource({"SD15_UNET, FLOAT32, 859520964, 4", "DIT_XL_2, FLOAT32, 749826464, 4"})
    void aPublishedNetworkCompilesInLittleMemoryAndRuns(FullSizeModel model, Dtype dtype, long weights, int bytes)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(OtherJvm.command(
                        Measurement.class,
                        OtherJvm.options(),
                        folder.toString(),
                        model.name(),
                        dtype.name(),
                        Long.toString(weights * bytes)))
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(process.waitFor()).as(output).isZero();
    }
}
