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
    private static final String HADOOP = "spark.hadoop.";
    private static final String BUFFER = "65536"; // Spark's default, bytes

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

    /**
     * The same settings as of a Spark that was told no more than this JVM's properties. Spark's own classes, which say
     * it in half a second, are not loaded; keys of the environment are found by S3A itself.
     */
    static Configuration hadoop() {
        Configuration hadoop = new Configuration();
        hadoop.set("io.file.buffer.size", System.getProperty("spark.buffer.size", BUFFER));
        System.getProperties().forEach((name, value) -> {
            if (name.toString().startsWith(HADOOP)) {
                hadoop.set(name.toString().substring(HADOOP.length()), value.toString());
            }
        });
        return hadoop;
    }

    /** Begins to load libtorch while Spark starts; if it cannot be loaded, the task that needs it says so. */
    private static void loadLibtorch() {
        Thread loading = new Thread(Torch::start, "load libtorch");
        loading.setDaemon(true);
        loading.setUncaughtExceptionHandler((thread, failure) -> {});
        loading.start();
    }
}
