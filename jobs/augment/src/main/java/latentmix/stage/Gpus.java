package latentmix.stage;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.resource.ExecutorResourceRequests;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;

/**
 * The GPUs that tasks ask Spark for. Tasks that run networks ask, by stage-level scheduling, and no others.
 *
 * <p>Without dynamic allocation all executors have the GPUs of {@code spark.executor.resource.gpu}, and a task profile
 * asks for a share of one. With it, that setting makes a profile of executors of their own, and the other stages get
 * executors without GPUs.
 *
 * @param share of a GPU a task, above 0 up to 1
 * @param executors the GPUs of an executor
 * @see <a href="https://spark.apache.org/docs/latest/configuration.html#stage-level-scheduling-overview">Stage level
 *     scheduling</a>
 */
public record Gpus(double share, Executors executors) {
    /** The setting: auto, off, or the share of a GPU that a task asks for. */
    public static final String SETTING = "spark.latentmix.gpus";

    private static final String AUTO = "auto";
    private static final String OFF = "off";
    private static final String TASK_AMOUNT = "spark.task.resource.gpu.amount";
    private static final String EXECUTOR = "spark.executor.resource.gpu.";
    private static final String PROFILE =
            "spark.latentmix.executor.resource.gpu."; // where Spark's default profile has none
    private static final String WORKER_AMOUNT = "spark.worker.resource.gpu.amount";
    private static final String DYNAMIC = "spark.dynamicAllocation.enabled";

    /** One a Spark application: another profile of the same content would ask for executors of its own. */
    private static final Map<String, ResourceProfile> PROFILES = new ConcurrentHashMap<>();

    /**
     * The GPUs of an executor, as {@code spark.executor.resource.gpu} says.
     *
     * @param discoveryScript empty where the cluster manager tells
     * @param vendor as Kubernetes wants it, else empty
     */
    public record Executors(long amount, String discoveryScript, String vendor) {}

    /** Whether tasks run in the driver's JVM, where Spark gives them no GPU. */
    public static boolean isLocal(SparkConf conf) {
        return conf.get("spark.master", "local[*]").matches("local(\\[.*])?");
    }

    /** What tasks ask for under these settings: nothing where executors have no GPUs. */
    public static Optional<Gpus> of(SparkConf conf) {
        String setting = conf.get(SETTING, AUTO);
        Executors executors = executors(conf);
        if (setting.equals(OFF) || isLocal(conf) || executors.amount() == 0) {
            return Optional.empty();
        }
        return Optional.of(
                new Gpus(setting.equals(AUTO) ? share(conf, executors) : Double.parseDouble(setting), executors));
    }

    private static Executors executors(SparkConf conf) {
        String prefix = conf.contains(PROFILE + "amount") ? PROFILE : EXECUTOR;
        return new Executors(
                Long.parseLong(conf.get(prefix + "amount", "0")),
                conf.get(prefix + "discoveryScript", ""),
                conf.get(prefix + "vendor", ""));
    }

    /**
     * What Spark's own setting says; else half a GPU where an executor has slots to share one: a task computes while
     * another reads.
     */
    private static double share(SparkConf conf, Executors executors) {
        if (conf.contains(TASK_AMOUNT)) {
            return conf.getDouble(TASK_AMOUNT, 1);
        }
        int slots = conf.getInt("spark.executor.cores", 1) / conf.getInt("spark.task.cpus", 1);
        return slots >= 2 * executors.amount() ? 0.5 : 1;
    }

    /** Why these settings cannot work: empty where they can. Some would make Spark wait for ever. */
    public static List<String> problems(SparkConf conf) {
        List<String> problems = new ArrayList<>();
        String setting = conf.get(SETTING, AUTO);
        boolean isShare = !setting.equals(AUTO) && !setting.equals(OFF);
        if (isShare && !isShare(setting)) {
            problems.add(
                    "--gpus: expected auto, off or the share of a GPU that a task takes, above 0 up to 1 as in 0.5,"
                            + " got " + setting + "; a task computes on one GPU, and " + EXECUTOR
                            + "amount gives an executor several");
            return problems;
        }
        if (isLocal(conf)) {
            if (isShare) {
                problems.add("--gpus: expected auto or off with a local master, which gives tasks no GPU, got "
                        + setting + "; submit to a cluster with one of conf/spark-defaults-*.conf");
            }
            if (conf.contains(TASK_AMOUNT)) {
                problems.add(TASK_AMOUNT
                        + ": expected nothing with a local master, which would wait for a GPU for ever, got "
                        + conf.get(TASK_AMOUNT) + "; take it away");
            }
            return problems;
        }
        if (setting.equals(OFF)) {
            return problems;
        }
        long amount = executors(conf).amount();
        if (amount == 0 && (isShare || conf.getDouble(TASK_AMOUNT, 0) > 0)) {
            problems.add(EXECUTOR + "amount: expected at least 1 where tasks ask for GPUs, got nothing; set it and "
                    + EXECUTOR + "discoveryScript as conf/spark-defaults-*.conf do, or say --gpus off");
        }
        if (setting.equals(AUTO) && conf.contains(TASK_AMOUNT) && !isShare(conf.get(TASK_AMOUNT))) {
            problems.add(TASK_AMOUNT + ": expected a share of a GPU above 0 up to 1, got " + conf.get(TASK_AMOUNT)
                    + "; take it away, or say --gpus 1");
        }
        if (conf.get("spark.master", "").startsWith("local-cluster") && conf.getLong(WORKER_AMOUNT, 0) < amount) {
            problems.add(
                    WORKER_AMOUNT + ": expected at least the " + amount + " GPUs of an executor with a local-cluster"
                            + " master, which would wait for them for ever, got " + conf.getLong(WORKER_AMOUNT, 0)
                            + "; set it and spark.worker.resource.gpu.discoveryScript, or say --gpus off");
        }
        return problems;
    }

    private static boolean isShare(String setting) {
        try {
            double share = Double.parseDouble(setting);
            return share > 0 && share <= 1;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /**
     * The settings for a cluster: what concerns GPUs is moved to where only the tasks that ask for them see it, and an
     * executor on which tasks keep failing is given up.
     */
    public static SparkConf settings(SparkConf given) {
        SparkConf conf = given.clone();
        if (isLocal(conf)) {
            return conf;
        }
        Optional<Gpus> gpus = of(conf);
        conf.set(SETTING, gpus.map(asked -> Double.toString(asked.share())).orElse(OFF));
        conf.remove(TASK_AMOUNT); // stages without networks would ask too
        Map<String, String> resource = new LinkedHashMap<>();
        for (var entry : conf.getAllWithPrefix(EXECUTOR)) {
            resource.put(entry._1(), entry._2());
        }
        if (gpus.isEmpty() || conf.getBoolean(DYNAMIC, false)) {
            resource.keySet().forEach(key -> conf.remove(EXECUTOR + key));
        }
        if (gpus.isPresent()) {
            resource.forEach((key, value) -> conf.set(PROFILE + key, value));
            conf.setIfMissing("spark.excludeOnFailure.enabled", "true");
            // A bad device fails fast and takes rows from the others; in a run of days a good one fails now and then.
            conf.setIfMissing("spark.excludeOnFailure.task.maxTaskAttemptsPerExecutor", "2");
            conf.setIfMissing("spark.excludeOnFailure.task.maxTaskAttemptsPerNode", "3");
            conf.setIfMissing("spark.excludeOnFailure.stage.maxFailedTasksPerExecutor", "10");
            conf.setIfMissing("spark.excludeOnFailure.application.maxFailedTasksPerExecutor", "10");
        }
        return conf;
    }

    /** The same data, whose tasks ask for GPUs. */
    <A> JavaRDD<A> on(JavaRDD<A> data) {
        SparkConf conf = data.context().getConf();
        return data.withResources(
                PROFILES.computeIfAbsent(data.context().applicationId(), application -> profile(conf)));
    }

    private ResourceProfile profile(SparkConf conf) {
        int cpus = conf.getInt("spark.task.cpus", 1);
        ResourceProfileBuilder profile = new ResourceProfileBuilder()
                .require(new TaskResourceRequests().cpus(cpus).resource("gpu", share));
        if (conf.getBoolean(DYNAMIC, false)) {
            ExecutorResourceRequests requests = new ExecutorResourceRequests()
                    .resource("gpu", executors.amount(), executors.discoveryScript(), executors.vendor());
            if (conf.contains("spark.executor.cores")) {
                requests.cores(conf.getInt("spark.executor.cores", cpus));
            }
            profile.require(requests);
        }
        return profile.build();
    }
}
