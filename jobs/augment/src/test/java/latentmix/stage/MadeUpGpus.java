package latentmix.stage;

import ai.djl.Device;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import latentmix.work.FailingDevice;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskFailedReason;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * Puts a CPU of its own at each of the two made-up addresses of this executor, makes it fail as the job's settings say,
 * and writes down what each task was given.
 */
public final class MadeUpGpus implements SparkPlugin {
    /** The folder of what tasks were given. */
    static final String TASKS = "spark.latentmix.test.tasks";

    /** Addresses of GPUs that are broken. */
    static final String BROKEN = "spark.latentmix.test.broken";

    /** Addresses of GPUs with memory for two rows. */
    static final String SMALL = "spark.latentmix.test.small";

    /** The job whose first task is slow at its first attempt, by the start of its description. */
    static final String SLOW = "spark.latentmix.test.slow";

    private static final long SLOW_SECONDS = 60;

    /**
     * A task as its executor saw it.
     *
     * @param gpus the addresses it was given
     * @param executorGpus those of its executor
     * @param start milliseconds; the end is 0 where it did not succeed
     */
    record Task(
            String executor,
            String job,
            String partition,
            List<String> gpus,
            List<String> executorGpus,
            long start,
            long end) {
        static List<Task> read(Path folder) throws IOException {
            try (Stream<Path> files = Files.list(folder)) {
                return files.flatMap(StandaloneCluster::lines)
                        .map(line -> line.split("\t", -1))
                        .map(parts -> new Task(
                                parts[0],
                                parts[1],
                                parts[2],
                                addresses(parts[3]),
                                addresses(parts[4]),
                                Long.parseLong(parts[5]),
                                Long.parseLong(parts[6])))
                        .toList();
            }
        }

        boolean of(String stage) {
            return job.startsWith(stage + " ");
        }

        boolean succeeded() {
            return end > 0;
        }

        /** The name of the device that it computed on. */
        String device() {
            return executorGpus.indexOf(gpus.get(0)) == 0 ? "cpu" : "cpu0";
        }
    }

    /** A CPU by its number, of which PyTorch knows -1 and 0; those that DJL gives itself are all -1. */
    private static Device cpu(int number) {
        try {
            Constructor<Device> constructor = Device.class.getDeclaredConstructor(String.class, int.class);
            constructor.setAccessible(true);
            return constructor.newInstance("cpu", number);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> addresses(String text) {
        return text.isEmpty() ? List.of() : List.of(text.split(","));
    }

    @Override
    public DriverPlugin driverPlugin() {
        return null;
    }

    @Override
    public ExecutorPlugin executorPlugin() {
        return new Executor();
    }

    private static final class Executor implements ExecutorPlugin {
        private static final ThreadLocal<String> STARTED =
                new ThreadLocal<>(); // Spark takes the context away at the end

        private String id;
        private List<String> gpus;
        private String slow;
        private Path file;

        @Override
        public void init(PluginContext context, Map<String, String> extraConf) {
            SparkConf conf = context.conf();
            id = context.executorID();
            gpus = context.resources().containsKey("gpu")
                    ? List.of(context.resources().get("gpu").addresses())
                    : List.of();
            slow = conf.get(SLOW, "none");
            file = Path.of(conf.get(TASKS), id);
            TaskDevice.devices = address -> cpu(gpus.indexOf(address) - 1);
            if (has(conf.get(BROKEN, ""))) {
                FailingDevice.isBroken();
            } else if (has(conf.get(SMALL, ""))) {
                FailingDevice.hasMemoryFor(2);
            }
        }

        private boolean has(String addresses) {
            Set<String> common = new HashSet<>(Arrays.asList(addresses.split(",")));
            common.retainAll(gpus);
            return !common.isEmpty();
        }

        @Override
        public void onTaskStart() {
            TaskContext task = TaskContext.get();
            var given = task.resourcesJMap().get("gpu");
            STARTED.set(String.join(
                    "\t",
                    id,
                    job(task),
                    Integer.toString(task.partitionId()),
                    given == null ? "" : String.join(",", given.addresses()),
                    String.join(",", gpus),
                    Long.toString(System.currentTimeMillis())));
            if (job(task).startsWith(slow) && task.partitionId() == 0 && task.attemptNumber() == 0) {
                try {
                    TimeUnit.SECONDS.sleep(SLOW_SECONDS);
                } catch (InterruptedException e) { // another attempt was faster
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public void onTaskSucceeded() {
            write(System.currentTimeMillis());
        }

        @Override
        public void onTaskFailed(TaskFailedReason reason) {
            write(0);
        }

        private synchronized void write(long end) {
            try {
                Files.writeString(
                        file, STARTED.get() + "\t" + end + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static String job(TaskContext task) {
            return String.valueOf(task.getLocalProperty("spark.job.description"));
        }
    }
}
