package latentmix.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.config.RunConfig;
import org.apache.spark.SparkConf;

/**
 * Spark's settings for a run. Task slots × threads a task = cores: {@code spark.task.cpus} is the threads that a task
 * computes with, so a local master, or an executor, has cores / threads slots and never more threads than cores. What the
 * user has set stays.
 */
final class SparkSettings {
    private static final String JAVA_OPTIONS = "spark.executor.extraJavaOptions";
    private static final String TASK_GPUS = "spark.task.resource.gpu.amount";

    private SparkSettings() {}

    /** The given settings with ours where there are none. */
    static SparkConf with(RunConfig config, SparkConf given) {
        SparkConf conf = given.clone();
        ours(config, conf).forEach(conf::setIfMissing);
        conf.set(JAVA_OPTIONS, (given.get(JAVA_OPTIONS, "") + " " + torchOptions(config)).strip());
        return conf;
    }

    /** Why these settings and this configuration cannot run together: empty where they can. */
    static List<String> problems(RunConfig config, SparkConf given, int cores) {
        List<String> problems = new ArrayList<>();
        if (!isLocal(given)) {
            return problems;
        }
        RunConfig.Model model = config.model();
        if (model.threads() > cores) {
            problems.add("model.threads: expected at most the " + cores + " cores of this machine, got "
                    + model.threads() + "; lower it");
        }
        if (model.device().equals("gpu")) {
            problems.add(
                    "model.device: expected cpu or auto with a local master, which gives tasks no GPU, got gpu; submit"
                            + " to a cluster with conf/spark-defaults-gpu.conf");
        }
        if (model.dtype().equals("float16")) {
            problems.add("model.dtype: expected float32 or bfloat16 with a local master, which computes on the CPU, got"
                    + " float16; use bfloat16, or submit to a cluster with GPUs");
        }
        if (given.contains(TASK_GPUS)) {
            problems.add(TASK_GPUS + ": expected nothing with a local master, which would wait for a GPU for ever, got "
                    + given.get(TASK_GPUS) + "; take it away");
        }
        return problems;
    }

    private static Map<String, String> ours(RunConfig config, SparkConf given) {
        Map<String, String> ours = new LinkedHashMap<>();
        ours.put("spark.app.name", "latentmix");
        ours.put("spark.master", "local[*]");
        ours.put("spark.task.cpus", Integer.toString(config.model().threads()));
        ours.put("spark.locality.wait", "0");
        ours.put("spark.executorEnv.OMP_WAIT_POLICY", "passive");
        if (isLocal(given)) {
            ours.put("spark.ui.enabled", "false");
            ours.put("spark.executor.heartbeatInterval", "5s");
        }
        return ours;
    }

    /** Whether tasks run in this JVM. */
    static boolean isLocal(SparkConf given) {
        return given.get("spark.master", "local[*]").matches("local(\\[.*])?");
    }

    private static String torchOptions(RunConfig config) {
        return "-Dai.djl.offline=true -Dai.djl.pytorch.num_threads="
                + config.model().threads() + " -Dai.djl.pytorch.num_interop_threads=1";
    }
}
