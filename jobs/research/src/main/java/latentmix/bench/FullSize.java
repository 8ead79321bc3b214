package latentmix.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import latentmix.model.Dtype;

/** Prints what networks of published size cost with all of this machine's cores. */
public final class FullSize {
    private FullSize() {}

    /** Writes random weights into a folder that there is not yet, measures, and deletes it. */
    public static void run(FullSizeModel model, Path folder, int rounds, PrintStream out) throws IOException {
        try {
            FullSizeBench.write(folder, model);
            int threads = Runtime.getRuntime().availableProcessors();
            for (Dtype dtype : model.dtypes()) {
                FullSizeBench.Result result = FullSizeBench.measure(folder, model, dtype, threads, rounds);
                out.printf(
                        "%s, %s: weights %.2f GB; compile %.1f s, peak resident %.2f GB; load %.1f s%n",
                        model,
                        dtype,
                        result.weightBytes() / 1e9,
                        result.compileSeconds(),
                        result.compilePeak() / 1e9,
                        result.loadSeconds());
                for (FullSizeBench.Forward forward : result.forwards()) {
                    out.printf(
                            "  forward (%s, %d threads) median of %d %.2f s (%.2f s of processor "
                                    + "time), peak resident %.2f GB%n",
                            forward.inputs(),
                            threads,
                            forward.seconds().size(),
                            Median.of(forward.seconds()),
                            Median.of(forward.cpuSeconds()),
                            forward.peak() / 1e9);
                }
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
