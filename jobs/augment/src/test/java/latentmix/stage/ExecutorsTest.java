package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.table.StageName;
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

    /** Executors in the locale of a bare machine, where this driver can name what they cannot. */
    @Test
    void executorsThatCannotNameAFileAreRefusedBeforeTheFirstStage() throws IOException, InterruptedException {
        Path classes = folder.resolve("classes");
        TinyRun.copy(TinyRun.input(classes, 3).resolve("5-sandal"), classes.resolve("caf\u00e9"));
        Path images = TinyRun.input(folder.resolve("images"), 3);
        TinyRun.copy(images.resolve("5-sandal"), images.resolve("9-ankle-boot/th\u00e9"));
        SparkConf bare = new SparkConf().setAppName("test");
        StandaloneCluster.shared().settings().forEach(bare::set);
        bare.set("spark.executorEnv.LC_ALL", "POSIX");
        try (JavaSparkContext spark = new JavaSparkContext(bare)) {
            Path run = folder.resolve("refused");
            assertThatThrownBy(() ->
                            Pipeline.run(spark, TinyRun.config(classes), run.toString(), List.of(StageName.values())))
                    .isInstanceOf(ConfigException.class)
                    .hasMessage("caf\u00e9: expected executors that can name this file, but sun.jnu.encoding is"
                            + " ANSI_X3.4-1968 on 127.0.0.2, 127.0.0.3; start them with"
                            + " spark.executorEnv.LC_ALL=C.UTF-8");
            assertThatThrownBy(() -> Pipeline.plan(spark, TinyRun.config(classes), run.toString()))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageStartingWith("caf\u00e9: expected executors");
            assertThat(run.resolve("images")).doesNotExist();
            assertThatThrownBy(() ->
                            Pipeline.run(spark, TinyRun.config(images), run.toString(), List.of(StageName.values())))
                    .as("an image's name, which no such executor can list")
                    .hasMessageContaining("spark.executorEnv.LC_ALL=C.UTF-8");
            assertThat(run.resolve("images")).doesNotExist();
            assertThat(Pipeline.run(
                            spark,
                            TinyRun.config(
                                    TinyRun.input(folder.resolve("plain"), 3),
                                    "mixing=[{name: few, methods: nin/chm, inputs: 2, count: 2}]"),
                            folder.resolve("done").toString(),
                            List.of(StageName.values())))
                    .as("plain names need no locale")
                    .isZero();
        }
    }
}
