package latentmix.cli;

import java.io.IOException;
import java.util.List;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.model.Torch;
import latentmix.stage.Console;
import latentmix.stage.Gpus;
import latentmix.stage.Pipeline;
import latentmix.stage.RunTerms;
import latentmix.table.StageName;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;

/** Runs work on a Spark that suits the configuration. */
public final class SparkJob {
    private SparkJob() {}

    /** What is done on this cluster; returns an exit code. */
    public interface Work {
        int in(JavaSparkContext spark) throws IOException;
    }

    /** Starts Spark, once the configuration is known to be good, and runs the stages; returns the exit code. */
    public static int run(RunConfig config, SparkConf given, String runFolder, List<StageName> stages, Console console)
            throws IOException {
        OutputFolder.requireWritable("--run", runFolder, hadoop(given));
        return run(config, given, spark -> Pipeline.summary(spark, config, runFolder, stages, RunTerms.saying(console))
                .exitCode()
                .code());
    }

    /** Starts Spark, once the configuration is known to be good, and does the work; returns the exit code. */
    public static int run(RunConfig config, SparkConf given, Work work) throws IOException {
        int cores = Runtime.getRuntime().availableProcessors();
        List<String> problems = SparkSettings.problems(config, given, cores);
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
        if (Gpus.isLocal(given)) {
            loadLibtorch();
        }
        SparkConf conf = SparkSettings.with(config, given);
        try (JavaSparkContext spark = new JavaSparkContext(conf)) {
            return work.in(spark);
        }
    }

    /** Hadoop's settings of a Spark that has these. */
    public static Configuration hadoop(SparkConf given) {
        return SparkHadoopUtil.get().newConfiguration(given);
    }

    /** Begins to load libtorch while Spark starts; if it cannot be loaded, the task that needs it says so. */
    private static void loadLibtorch() {
        Thread loading = new Thread(Torch::start, "load libtorch");
        loading.setDaemon(true);
        loading.setUncaughtExceptionHandler((thread, failure) -> {});
        loading.start();
    }
}
