package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import latentmix.model.AvailableMemory;
import latentmix.model.Torch;
import latentmix.table.RunFolder;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Runs work on executors, one Spark task an item: only items travel to a task and only its small result comes back.
 * Nothing is shuffled; rows go from the executor to the run folder.
 */
public final class Tasks {
    private final JavaSparkContext spark;
    private final String runFolder;
    private final Broadcast<SerializableConfiguration> conf;
    private final Optional<Gpus> gpus; // that these tasks ask for

    /** Tasks that publish in this folder. */
    public Tasks(JavaSparkContext spark, String runFolder) {
        this(
                spark,
                runFolder,
                spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration())),
                Optional.empty());
    }

    private Tasks(
            JavaSparkContext spark, String runFolder, Broadcast<SerializableConfiguration> conf, Optional<Gpus> gpus) {
        this.spark = spark;
        this.runFolder = runFolder;
        this.conf = conf;
        this.gpus = gpus;
    }

    /** The same tasks on GPUs, where executors have some: for work that runs networks. */
    public Tasks onGpus() {
        return new Tasks(spark, runFolder, conf, Gpus.of(spark.getConf()));
    }

    /** What a task does with its item. */
    @FunctionalInterface
    public interface Work<A, B> extends Serializable {
        B apply(RunFolder run, A item, LongConsumer progress) throws IOException;
    }

    /** A run of tasks as the driver's Spark UI and the progress line name it. */
    public record Job(String stage, String unit, long rows) {}

    /** Runs the items with a progress line. */
    public <A, B> List<B> run(Job job, List<A> items, Work<A, B> work) {
        if (items.isEmpty()) {
            return List.of();
        }
        LongAccumulator done = spark.sc().longAccumulator(job.stage() + ": " + job.unit());
        Progress progress = new Progress(job.stage(), job.unit(), job.rows(), done.id(), System.out);
        spark.sc().addSparkListener(progress);
        try {
            List<B> results = map(job.stage() + " " + job.rows() + " " + job.unit(), items, items.size(), done, work);
            progress.finished();
            return results;
        } finally {
            spark.sc().removeSparkListener(progress);
        }
    }

    /** How many tasks an executor runs at once. */
    int slotsPerExecutor() {
        int cores = spark.isLocal()
                ? spark.defaultParallelism()
                : spark.getConf().getInt("spark.executor.cores", spark.defaultParallelism());
        return Math.max(1, cores / spark.getConf().getInt("spark.task.cpus", 1));
    }

    /** The least memory, in bytes, that an executor asked could still give; the most there is where none can tell. */
    long availableMemory() {
        List<Integer> asked =
                IntStream.range(0, spark.defaultParallelism()).boxed().toList();
        return map(
                        "ask for memory",
                        asked,
                        asked.size(),
                        spark.sc().longAccumulator(),
                        (folder, item, progress) -> AvailableMemory.bytes().orElse(Long.MAX_VALUE))
                .stream()
                .mapToLong(Long::longValue)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /** Why networks cannot run on the devices of these tasks, asked of as many executors as answer: empty where they can. */
    List<String> deviceProblems() {
        List<Integer> asked =
                IntStream.range(0, spark.defaultParallelism()).boxed().toList();
        return map(
                        "ask for devices",
                        asked,
                        asked.size(),
                        spark.sc().longAccumulator(),
                        (folder, item, progress) ->
                                Torch.problem(TaskDevice.current()).orElse(""))
                .stream()
                .filter(problem -> !problem.isEmpty())
                .distinct()
                .toList();
    }

    /** Runs small items, several a task. */
    public <A, B> List<B> map(String description, List<A> items, Work<A, B> work) {
        if (items.isEmpty()) {
            return List.of();
        }
        int partitions = Math.min(items.size(), 4 * spark.defaultParallelism());
        return map(description, items, partitions, spark.sc().longAccumulator(), work);
    }

    private <A, B> List<B> map(
            String description, List<A> items, int partitions, LongAccumulator done, Work<A, B> work) {
        String folder = runFolder;
        Broadcast<SerializableConfiguration> configuration = conf;
        spark.setJobDescription(description);
        JavaRDD<A> data = spark.parallelize(items, partitions);
        return gpus.map(asked -> asked.on(data))
                .orElse(data)
                .map(item ->
                        work.apply(new RunFolder(folder, configuration.value().value()), item, done::add))
                .collect();
    }
}
