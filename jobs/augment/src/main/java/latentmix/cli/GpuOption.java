package latentmix.cli;

import latentmix.stage.Gpus;
import org.apache.spark.SparkConf;
import picocli.CommandLine.Option;

/** The option of every verb that runs networks on a cluster. */
public final class GpuOption {
    @Option(
            names = "--gpus",
            paramLabel = "auto|off|N",
            description = {
                "the share of a GPU that a task takes where networks run: 1, or less where tasks share it,"
                        + " such as 0.25",
                "auto (default): what executors have (spark.executor.resource.gpu), half of one a task"
                        + " where cores suffice"
            })
    private String gpus;

    /** Spark's settings as given, with this option. */
    public SparkConf settings() {
        SparkConf given = new SparkConf();
        return gpus == null ? given : given.set(Gpus.SETTING, gpus);
    }
}
