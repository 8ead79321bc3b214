package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import latentmix.config.RunConfig;
import latentmix.table.StageName;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The job on a standalone cluster of two workers with executors in processes of their own. */
@Tag("heavy")
class ExecutorsTest {
    @TempDir
    Path folder;

    @Test
    void executorsInOtherProcessesGiveTheBytesOfALocalRun() throws IOException, InterruptedException {
        RunConfig config = TinyRun.config(TinyRun.input(folder.resolve("in"), 8));
        Path local = folder.resolve("local");
        assertThat(TinyRun.run(2, config, local)).isZero();

        Path run = folder.resolve("cluster");
        try (JavaSparkContext spark = StandaloneCluster.shared().spark()) {
            long hosts = spark.parallelize(List.of(1, 2, 3, 4, 5, 6, 7, 8), 8)
                    .map(i -> ProcessHandle.current().pid())
                    .distinct()
                    .count();
            assertThat(hosts).as("executors").isEqualTo(2);
            assertThat(Pipeline.run(spark, config, run.toString(), List.of(StageName.values())))
                    .isZero();
        }
        TinyRun.assertSameTables(run, local);
    }
}
