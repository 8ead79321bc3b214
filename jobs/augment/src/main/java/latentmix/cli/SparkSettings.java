package latentmix.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import latentmix.config.RunConfig;
import latentmix.model.Dtype;
import latentmix.stage.Gpus;
import org.apache.spark.SparkConf;

/**
 * Spark's settings for a run. Task slots × threads a task = cores: {@code spark.task.cpus} is the threads that a task
 * computes with, so a local master, or an executor, has cores / threads slots and never more threads than cores. What
 * the user has set stays.
 */
final class SparkSettings {
    private static final String JAVA_OPTIONS = "spark.executor.extraJavaOptions";
    private static final String GPU_DEFAULTS = " one of conf/spark-defaults-*.conf";

    private SparkSettings() {}

    /** The given settings with ours where there are none. */
    static SparkConf with(RunConfig config, SparkConf given) {
        SparkConf conf = given.clone();
        ours(config, conf).forEach(conf::setIfMissing);
        conf = Gpus.settings(gpus(config, conf));
        conf.set(JAVA_OPTIONS, (given.get(JAVA_OPTIONS, "") + " " + torchOptions(config)).strip());
        return conf;
    }

    /** Why these settings and this configuration cannot run together: empty where they can. */
    static List<String> problems(RunConfig config, SparkConf given, int cores) {
        RunConfig.Model model = config.model();
        List<String> problems = new ArrayList<>(Gpus.problems(given));
        boolean local = Gpus.isLocal(given);
        if (!local && !problems.isEmpty()) {
            return problems; // what else follows from the GPUs cannot be told
        }
        boolean gpus = Gpus.of(given).isPresent();
        if (local && model.threads() > cores) {
            problems.add("model.threads: expected at most the " + cores + " cores of this machine, got "
                    + model.threads() + "; lower it");
        }
        if (model.device() == RunConfig.Device.GPU && !gpus) {
            problems.add("model.device: expected cpu or auto where tasks have no GPU, got gpu; "
                    + (local ? "submit to a cluster with" : "give executors GPUs, as do") + GPU_DEFAULTS);
        }
        if (model.device() == RunConfig.Device.CPU
                && gpus
                && !given.get(Gpus.SETTING, "auto").equals("auto")) {
            problems.add("model.device: expected gpu or auto with --gpus " + given.get(Gpus.SETTING)
                    + ", got cpu; take one of them away");
        }
        if (model.dtype() == Dtype.FLOAT16 && !(gpus && model.device() != RunConfig.Device.CPU)) {
            problems.add("model.dtype: expected float32 or bfloat16 where tasks compute on the CPU, got float16; use"
                    + " bfloat16, or " + (local ? "submit to a cluster with" : "give executors GPUs, as do")
                    + GPU_DEFAULTS);
        }
        return problems;
    }

    /** Settings that ask for no GPU where the configuration says so. */
    private static SparkConf gpus(RunConfig config, SparkConf conf) {
        return config.model().device() == RunConfig.Device.CPU ? conf.set(Gpus.SETTING, "off") : conf;
    }

    private static Map<String, String> ours(RunConfig config, SparkConf given) {
        Map<String, String> ours = new LinkedHashMap<>();
        ours.put("spark.app.name", "latentmix");
        ours.put("spark.master", "local[*]");
        ours.put("spark.task.cpus", Integer.toString(config.model().threads()));
        ours.put("spark.locality.wait", "0");
        ours.put("spark.executorEnv.OMP_WAIT_POLICY", "passive");
        if (Gpus.isLocal(given)) {
            ours.put("spark.ui.enabled", "false");
            ours.put("spark.executor.heartbeatInterval", "5s");
        }
        return ours;
    }

    private static String torchOptions(RunConfig config) {
        return "-Dai.djl.offline=true -Dai.djl.pytorch.num_threads="
                + config.model().threads() + " -Dai.djl.pytorch.num_interop_threads=1";
    }
}
