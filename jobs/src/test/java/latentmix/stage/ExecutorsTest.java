package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import latentmix.config.RunConfig;
import org.apache.spark.SparkConf;
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
    void executorsInOtherProcessesGiveTheBytesOfALocalRun() throws IOException {
        RunConfig config = TinyRun.config(TinyRun.input(folder.resolve("in"), 8));
        Path local = folder.resolve("local");
        assertThat(TinyRun.run(2, config, local)).isZero();

        Files.createDirectories(
                Path.of(System.getenv("SPARK_HOME"), "jars")); // Spark wants one; the class path is the tests'
        SparkConf conf = new SparkConf()
                .setAppName("test")
                .setMaster("local-cluster[2,1,1024]")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.executor.extraClassPath", System.getProperty("java.class.path"));
        Path run = folder.resolve("cluster");
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
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
