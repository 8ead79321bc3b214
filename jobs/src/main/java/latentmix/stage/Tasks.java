package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;
import latentmix.model.AvailableMemory;
import latentmix.table.RunFolder;
import org.apache.spark.SparkConf;
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
    private final Optional<Stop> stop;

    /** Tasks that publish in this folder. */
    public Tasks(JavaSparkContext spark, String runFolder) {
        this(spark, runFolder, Optional.empty());
    }

    /** The same, of a run that may be stopped. */
    Tasks(JavaSparkContext spark, String runFolder, Optional<Stop> stop) {
        this.spark = spark;
        this.runFolder = runFolder;
        this.conf = spark.broadcast(new SerializableConfiguration(spark.hadoopConfiguration()));
        this.stop = stop;
    }

    /** What a task does with its item. */
    @FunctionalInterface
    public interface Work<A, B> extends Serializable {
        B apply(RunFolder run, A item, LongConsumer progress) throws IOException;
    }

    /** What tasks take: the device of a network, which is counted, or a processor alone. */
    public enum Needs {
        DEVICE,
        PROCESSOR
    }

    /** A run of tasks as the driver's Spark UI and the progress line name it. */
    public record Job(String stage, String unit, long rows, Needs needs) {}

    /** Runs the items with a progress line; where the run is stopped, those alone that had begun. */
    public <A, B> List<B> run(Job job, List<A> items, Work<A, B> work) {
        if (items.isEmpty()) {
            return List.of();
        }
        LongAccumulator done = spark.sc().longAccumulator(job.stage() + ": " + job.unit());
        Progress progress = new Progress(job.stage(), job.unit(), job.rows(), done.id(), System.out);
        Stop.Marker marker = stop.map(Stop::marker).orElse(Stop.Marker.NONE);
        spark.sc().addSparkListener(progress);
        Stop.count(spark, job.needs());
        try {
            List<B> results = new ArrayList<>(map(
                    job.stage() + " " + job.rows() + " " + job.unit(),
                    items,
                    items.size(),
                    done,
                    (run, item, count) -> marker.isUp(run) ? null : work.apply(run, item, count)));
            results.removeIf(Objects::isNull);
            if (results.size() < items.size()) {
                progress.stopped();
            } else {
                progress.finished();
            }
            return results;
        } finally {
            Stop.count(spark, Needs.PROCESSOR);
            spark.sc().removeSparkListener(progress);
        }
    }

    /** Whether no further chunk is begun. */
    boolean isStopped() {
        return stop.isPresent() && !stop.get().reason().isEmpty();
    }

    /** The devices that a task holds, such as 0.5 of a shared GPU; 1 where it computes on a CPU. */
    static double devicesPerTask(SparkConf conf) {
        return conf.getDouble("spark.task.resource.gpu.amount", 1);
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
        return spark.parallelize(items, partitions)
                .map(item ->
                        work.apply(new RunFolder(folder, configuration.value().value()), item, done::add))
                .collect();
    }
}
