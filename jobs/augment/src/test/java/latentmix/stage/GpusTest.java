package latentmix.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.Device;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GpusTest {
    private static final String AMOUNT = "spark.executor.resource.gpu.amount";
    private static final String TASK = "spark.task.resource.gpu.amount";

    private static SparkConf cluster(long gpus) {
        SparkConf conf = new SparkConf(false).set("spark.master", "spark://host:7077");
        return gpus == 0
                ? conf
                : conf.set(AMOUNT, Long.toString(gpus)).set("spark.executor.resource.gpu.discoveryScript", "d");
    }

    private static double share(SparkConf conf) {
        return Gpus.of(conf).orElseThrow().share();
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1, 1", "1, 2, 1, 0.5", "1, 8, 1, 0.5", "1, 8, 8, 1", "2, 2, 1, 1", "2, 3, 1, 1", "2, 4, 1, 0.5"})
    void halfAGpuIsTheDefaultWhereSlotsSufficeForAllOfThem(long gpus, int cores, int cpus, double share) {
        SparkConf conf = cluster(gpus)
                .set("spark.executor.cores", Integer.toString(cores))
                .set("spark.task.cpus", Integer.toString(cpus));
        assertThat(share(conf)).isEqualTo(share);
    }

    @Test
    void whereNoCoresAreSetATaskTakesAGpuOfItsOwn() {
        assertThat(share(cluster(2))).isEqualTo(1);
    }

    @Test
    void anOptionGoesBeforeSparksOwnSettingAndThatBeforeTheDefault() {
        assertThat(share(cluster(1).set(TASK, "0.25"))).isEqualTo(0.25);
        assertThat(share(cluster(1).set(TASK, "0.25").set(Gpus.SETTING, "1"))).isEqualTo(1);
        assertThat(Gpus.of(cluster(1).set(Gpus.SETTING, "off"))).isEmpty();
        assertThat(Gpus.of(cluster(0))).isEmpty();
        assertThat(Gpus.of(cluster(1).set("spark.master", "local[4]")))
                .as("Spark gives local tasks none")
                .isEmpty();
    }

    @Test
    void stagesWithoutNetworksAskForNoGpu() {
        SparkConf conf = Gpus.settings(cluster(1).set(TASK, "0.25"));
        assertThat(conf.contains(TASK)).isFalse();
        assertThat(conf.get(AMOUNT)).as("executors are all alike").isEqualTo("1");
        assertThat(share(conf)).isEqualTo(0.25);
        assertThat(share(Gpus.settings(conf))).isEqualTo(0.25);
    }

    @Test
    void withDynamicAllocationExecutorsWithGpusAreThoseOfTheTasksThatAsk() {
        SparkConf conf = Gpus.settings(cluster(2).set("spark.dynamicAllocation.enabled", "true"));
        assertThat(conf.getAllWithPrefix("spark.executor.resource.gpu.")).isEmpty();
        assertThat(Gpus.of(conf)).contains(new Gpus(1, new Gpus.Executors(2, "d", "")));
    }

    @Test
    void withoutGpusNothingIsLeftThatWouldTakeThem() {
        SparkConf conf = Gpus.settings(cluster(2).set(TASK, "1").set(Gpus.SETTING, "off"));
        assertThat(conf.contains(TASK)).isFalse();
        assertThat(conf.getAllWithPrefix("spark.executor.resource.gpu.")).isEmpty();
        assertThat(Gpus.of(conf)).isEmpty();
        assertThat(conf.contains("spark.excludeOnFailure.enabled")).isFalse();
    }

    @Test
    void whatTheUserSaysOfFailingExecutorsStays() {
        SparkConf conf = Gpus.settings(cluster(1).set("spark.excludeOnFailure.enabled", "false"));
        assertThat(conf.get("spark.excludeOnFailure.enabled")).isEqualTo("false");
        assertThat(Gpus.settings(cluster(1)).get("spark.excludeOnFailure.enabled"))
                .isEqualTo("true");
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "0", "-1", "1.5", "2", "NaN", ""})
    void onlyAShareOfOneGpuIsTaken(String gpus) {
        assertThat(Gpus.problems(cluster(1).set(Gpus.SETTING, gpus)))
                .singleElement()
                .asString()
                .startsWith("--gpus: expected auto, off or the share of a GPU")
                .contains("got " + gpus);
    }

    @ParameterizedTest
    @ValueSource(strings = {"auto", "off", "1", "0.25"})
    void whatAClusterCanGiveIsAccepted(String gpus) {
        assertThat(Gpus.problems(cluster(1).set(Gpus.SETTING, gpus))).isEmpty();
    }

    @Test
    void whatWouldWaitForEverOrThrowIsRefused() {
        assertThat(Gpus.problems(cluster(0).set(Gpus.SETTING, "0.5")))
                .singleElement()
                .asString()
                .startsWith(AMOUNT + ": expected at least 1");
        assertThat(Gpus.problems(cluster(0).set(TASK, "1")))
                .singleElement()
                .asString()
                .startsWith(AMOUNT + ": expected at least 1");
        assertThat(Gpus.problems(cluster(1).set(TASK, "2")))
                .singleElement()
                .asString()
                .startsWith(TASK + ": expected a share");
        SparkConf localCluster = cluster(2).set("spark.master", "local-cluster[2,1,1024]");
        assertThat(Gpus.problems(localCluster))
                .singleElement()
                .asString()
                .startsWith("spark.worker.resource.gpu.amount: expected at least the 2 GPUs");
        assertThat(Gpus.problems(localCluster.set("spark.worker.resource.gpu.amount", "2")))
                .isEmpty();
    }

    @Test
    void aTasksDeviceIsTheOneThatSparkGaveIt() {
        assertThat(TaskDevice.of(Map.of())).isEqualTo(Device.cpu());
        assertThat(TaskDevice.of(gpu("3"))).isEqualTo(Device.gpu(3));
        assertThatThrownBy(() -> TaskDevice.of(gpu("GPU-5a9c")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("got GPU-5a9c");
    }

    private static Map<String, ResourceInformation> gpu(String address) {
        return Map.of("gpu", new ResourceInformation("gpu", List.of(address).toArray(new String[0])));
    }
}
