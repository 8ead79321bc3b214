package latentmix.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class SparkSettingsTest {
    @Test
    void aTaskTakesAsManyCoresAsItHasThreads() {
        SparkConf conf = SparkSettings.with(config("model.threads=3"), empty());
        assertThat(conf.get("spark.master")).isEqualTo("local[*]");
        assertThat(conf.get("spark.task.cpus")).isEqualTo("3");
        assertThat(conf.get("spark.executor.extraJavaOptions")).contains("-Dai.djl.pytorch.num_threads=3");
        assertThat(conf.get("spark.executorEnv.OMP_WAIT_POLICY")).isEqualTo("passive");
    }

    @Test
    void whatTheUserHasSetStays() {
        SparkConf given = empty().set("spark.master", "spark://host:7077")
                .set("spark.locality.wait", "1")
                .set("spark.executor.extraJavaOptions", "-Xss2m");
        SparkConf conf = SparkSettings.with(config(), given);
        assertThat(conf.get("spark.master")).isEqualTo("spark://host:7077");
        assertThat(conf.get("spark.locality.wait")).isEqualTo("1");
        assertThat(conf.get("spark.executor.extraJavaOptions")).startsWith("-Xss2m -D");
        assertThat(conf.contains("spark.ui.enabled")).isFalse();
    }

    @Test
    void aLocalMasterIsRefusedWhatItCannotGive() {
        assertThat(SparkSettings.problems(config("model.threads=4"), empty(), 4))
                .isEmpty();
        assertThat(SparkSettings.problems(
                        config("model.threads=5", "model.device=gpu", "model.dtype=float16"),
                        empty().set("spark.task.resource.gpu.amount", "1").set("spark.latentmix.gpus", "0.5"),
                        4))
                .satisfiesExactly(
                        problem -> assertThat(problem).startsWith("--gpus: expected auto or off with a local master"),
                        problem -> assertThat(problem).startsWith("spark.task.resource.gpu.amount: expected nothing"),
                        problem -> assertThat(problem).startsWith("model.threads: expected at most the 4 cores"),
                        problem -> assertThat(problem).startsWith("model.device: expected cpu or auto"),
                        problem -> assertThat(problem).startsWith("model.dtype: expected float32 or bfloat16"));
    }

    @Test
    void aClusterMayHaveWhatThisMachineLacks() {
        SparkConf given = empty().set("spark.master", "yarn").set("spark.executor.resource.gpu.amount", "1");
        assertThat(SparkSettings.problems(
                        config("model.threads=5", "model.device=gpu", "model.dtype=float16"), given, 4))
                .isEmpty();
    }

    @Test
    void aConfigurationAndGpusThatContradictEachOtherAreRefused() {
        SparkConf given = empty().set("spark.master", "yarn");
        assertThat(SparkSettings.problems(config("model.device=gpu", "model.dtype=float16"), given, 4))
                .satisfiesExactly(
                        problem -> assertThat(problem).startsWith("model.device: expected cpu or auto"),
                        problem -> assertThat(problem).contains("conf/spark-defaults-*.conf"));
        given.set("spark.executor.resource.gpu.amount", "1").set("spark.latentmix.gpus", "1");
        assertThat(SparkSettings.problems(config("model.device=cpu"), given, 4))
                .singleElement()
                .asString()
                .startsWith("model.device: expected gpu or auto with --gpus 1, got cpu");
    }

    @Test
    void aConfigurationForTheCpuAsksForNoGpu() {
        SparkConf given = empty().set("spark.master", "yarn").set("spark.executor.resource.gpu.amount", "1");
        assertThat(SparkSettings.with(config("model.device=cpu"), given).contains("spark.executor.resource.gpu.amount"))
                .isFalse();
        assertThat(SparkSettings.with(config(), given).get("spark.latentmix.gpus"))
                .isEqualTo("1.0");
    }

    private static SparkConf empty() {
        return new SparkConf(false);
    }

    private static RunConfig config(String... overrides) {
        return ConfigFile.parse("input: {root: i}\nmodel: {checkpoint: c}", "test", List.of(overrides));
    }
}
