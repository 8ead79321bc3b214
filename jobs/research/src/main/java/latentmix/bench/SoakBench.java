package latentmix.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import latentmix.checkpoint.Caches;
import latentmix.config.RunConfig;
import latentmix.model.AvailableMemory;
import latentmix.report.StageSummary;
import latentmix.stage.Pipeline;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * This bench runs thousands of micro-batches in one JVM and watches its resident memory: whole runs of invert, mix and
 * generate, each in a run folder of its own.
 */
public final class SoakBench {
    private static final int QUARTERS = 4;

    private final JavaSparkContext spark;
    private final RunConfig config;

    public SoakBench(JavaSparkContext spark, RunConfig config) {
        this.spark = spark;
        this.config = config;
    }

    /**
     * Runs until so many micro-batches are done; prints the resident memory after the first run, which loads the
     * networks, and after each quarter.
     */
    public void run(long microBatches, PrintStream out) throws IOException {
        long done = round();
        print(out, "start", done);
        for (int quarter = 1; quarter <= QUARTERS; quarter++) {
            while (done < microBatches * quarter / QUARTERS) {
                done += round();
            }
            print(out, quarter == QUARTERS ? "end" : "quarter " + quarter, done);
        }
    }

    private static void print(PrintStream out, String moment, long done) {
        out.printf(
                Locale.ROOT,
                "%-9s %6d micro-batches  %5d MB resident%n",
                moment,
                done,
                AvailableMemory.resident().orElse(0) >> 20);
    }

    /** One run; returns how many micro-batches it took. */
    private long round() throws IOException {
        Path run = Files.createTempDirectory("latentmix-soak");
        try {
            return Pipeline.summary(
                            spark, config, run.toString(), List.of(StageName.INVERT, StageName.MIX, StageName.GENERATE))
                    .stages()
                    .stream()
                    .filter(stage -> stage.networkEvaluations() > 0)
                    .mapToLong(this::microBatches)
                    .sum();
        } finally {
            Caches.deleteTree(run);
        }
    }

    /** Chunks are whole micro-batches but for their last one. */
    private long microBatches(StageSummary stage) {
        int batch = config.model().batch();
        return (stage.rows() + stage.rejected() + batch - 1) / batch;
    }
}
