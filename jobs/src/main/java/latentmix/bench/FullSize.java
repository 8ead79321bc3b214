package latentmix.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import latentmix.model.Dtype;
import latentmix.model.FullSizeBench;

/** Prints what Stable Diffusion 1.5's U-Net costs in float32 and bfloat16 with all of this machine's cores. */
public final class FullSize {
    private FullSize() {}

    /** Writes the random weights into this folder, measures, and deletes it. */
    public static void run(Path folder, int rounds, PrintStream out) throws IOException {
        try {
            FullSizeBench.write(folder);
            int threads = Runtime.getRuntime().availableProcessors();
            for (Dtype dtype : List.of(Dtype.FLOAT32, Dtype.BFLOAT16)) {
                FullSizeBench.Result result = FullSizeBench.measure(folder, dtype, threads, rounds);
                out.printf(
                        "%s: weights %.2f GB; compile %.1f s, peak resident %.2f GB; load %.1f s; forward (2 × 4×64×64, %d"
                                + " threads) median of %d %.2f s, peak resident %.2f GB%n",
                        dtype,
                        result.weightBytes() / 1e9,
                        result.compileSeconds(),
                        result.compilePeak() / 1e9,
                        result.loadSeconds(),
                        threads,
                        rounds,
                        Median.of(result.forwardSeconds()),
                        result.forwardPeak() / 1e9);
            }
        } finally {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }
}
