package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import latentmix.model.AvailableMemory;
import latentmix.model.Torch;
import latentmix.plan.OfClass;
import latentmix.table.FileNames;
import latentmix.table.RowFile;
import latentmix.table.RunFolder;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Runs work on executors, one Spark task an item: only items travel to a task and only its small result comes back.
 * Nothing is shuffled; rows go from the executor to the run folder.
 */
public final class Tasks {
    /** A Spark property: after so long without a micro-batch a stage is said to have stalled. */
    public static final String STALLED_AFTER = "spark.latentmix.stalledAfter";

    private static final Logger LOG = LoggerFactory.getLogger(Tasks.class);

    private static final String ALL_CLASSES = "all"; // in log lines

    private final JavaSparkContext spark;
    private final String runFolder;
    private final Broadcast<SerializableConfiguration> conf;
    private final Console console;
    private final Optional<Stop> stop;
    private final Optional<Gpus> gpus; // that these tasks ask for

    /** Tasks that publish in this folder and show their progress. */
    public Tasks(JavaSparkContext spark, String runFolder, Console console) {
        this(spark, runFolder, console, Optional.empty());
    }

    /** The same, of a run that may be stopped. */
    Tasks(JavaSparkContext spark, String runFolder, Console console, Optional<Stop> stop) {
        this(
                spark,
                runFolder,
                console,
                spark.broadcast(new SerializableConfiguration(RowFile.reading(spark.hadoopConfiguration()))),
                stop,
                Optional.empty());
    }

    private Tasks(
            JavaSparkContext spark,
            String runFolder,
            Console console,
            Broadcast<SerializableConfiguration> conf,
            Optional<Stop> stop,
            Optional<Gpus> gpus) {
        this.spark = spark;
        this.runFolder = runFolder;
        this.console = console;
        this.conf = conf;
        this.stop = stop;
        this.gpus = gpus;
    }

    /** The same tasks on GPUs, where executors have some: for work that runs networks. */
    public Tasks onGpus() {
        return new Tasks(spark, runFolder, console, conf, stop, Gpus.of(spark.getConf()));
    }

    /** Where these tasks tell a person how they go. */
    Console console() {
        return console;
    }

    /** What a task does with its item. */
    @FunctionalInterface
    public interface Work<A, B> extends Serializable {
        B apply(RunFolder run, A item, LongConsumer progress) throws IOException;
    }

    /**
     * Runs the items with a progress line; where the run is stopped, those alone that had begun. The driver's log lines
     * meanwhile have the context of the tasks', of all classes.
     */
    public <A, B> List<B> run(Job job, List<A> items, Work<A, B> work) {
        if (items.isEmpty()) {
            return List.of();
        }
        LongAccumulator done = RowCounters.of(spark.sc(), job);
        Duration stalledAfter = Duration.ofSeconds(spark.getConf().getTimeAsSeconds(STALLED_AFTER, "15min"));
        Stop.Marker marker = stop.map(Stop::marker).orElse(Stop.Marker.NONE);
        Tasks where = job.needs() == Needs.DEVICE ? onGpus() : this;
        Work<A, B> logged = logged(job, work);
        Map<String, String> context = context(runFolder, job, ALL_CLASSES);
        context.forEach(MDC::put);
        Stop.count(spark, job.needs());
        try (Progress progress = new Progress(console, job, done.id(), stalledAfter, System::nanoTime)) {
            spark.sc().addSparkListener(progress);
            try {
                List<B> results = new ArrayList<>(where.map(
                        job.stage() + " " + job.rows() + " " + job.unit(),
                        items,
                        items.size(),
                        done,
                        (run, item, count) -> marker.isUp(run) ? null : logged.apply(run, item, count)));
                results.removeIf(Objects::isNull);
                if (results.size() < items.size()) {
                    progress.stopped();
                } else {
                    progress.finished();
                }
                return results;
            } finally {
                spark.sc().removeSparkListener(progress);
            }
        } finally {
            Stop.count(spark, Needs.PROCESSOR);
            context.keySet().forEach(MDC::remove);
        }
    }

    /**
     * The same work, whose log lines say in their context (MDC) for which {@code run}, {@code stage} and {@code class}
     * they are, with a line of its own when an item is done.
     */
    private <A, B> Work<A, B> logged(Job job, Work<A, B> work) {
        String folder = runFolder;
        return (run, item, progress) -> {
            AtomicLong rows = new AtomicLong();
            long start = System.nanoTime();
            Map<String, String> context = context(folder, job, item instanceof OfClass of ? of.classId() : ALL_CLASSES);
            context.forEach(MDC::put);
            try {
                B result = work.apply(run, item, count -> {
                    rows.addAndGet(count);
                    progress.accept(count);
                });
                double seconds = (System.nanoTime() - start) / 1e9;
                LOG.info("{} {} in {} s", rows, job.unit(), String.format(Locale.ROOT, "%.2f", seconds));
                return result;
            } finally {
                context.keySet().forEach(MDC::remove);
            }
        };
    }

    private static Map<String, String> context(String run, Job job, String classId) {
        return Map.of("run", run, "stage", job.stage(), "class", classId);
    }

    /** Whether no further chunk is begun. */
    boolean isStopped() {
        return stop.isPresent() && !stop.get().reason().isEmpty();
    }

    /** The devices that a task holds, such as 0.5 of a shared GPU; 1 where it computes on a CPU. */
    static double devicesPerTask(SparkConf conf) {
        return Gpus.of(conf).map(Gpus::share).orElse(1.0);
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
        return ask("ask for memory", (folder, item, progress) -> AvailableMemory.bytes()
                        .orElse(Long.MAX_VALUE))
                .stream()
                .mapToLong(Long::longValue)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /** Why networks cannot run on the devices of these tasks: empty where they can. */
    List<String> deviceProblems() {
        return ask("ask for devices", (folder, item, progress) -> Torch.problem(TaskDevice.current())
                        .orElse(""))
                .stream()
                .filter(problem -> !problem.isEmpty())
                .distinct()
                .toList();
    }

    /** The hosts of executors by the encoding of their names of files; none where the driver runs all tasks itself. */
    SortedMap<String, List<String>> hostsByEncoding() {
        if (spark.isLocal()) {
            return new TreeMap<>();
        }
        return ask(
                        "ask for encodings",
                        (folder, item, progress) -> new NamingExecutor(
                                SparkEnv.get().blockManager().blockManagerId().host(), FileNames.encoding()))
                .stream()
                .distinct()
                .sorted(Comparator.comparing(NamingExecutor::host))
                .collect(Collectors.groupingBy(
                        NamingExecutor::encoding,
                        TreeMap::new,
                        Collectors.mapping(NamingExecutor::host, Collectors.toList())));
    }

    private record NamingExecutor(String host, String encoding) implements Serializable {}

    /** Asks as many executors as answer: Spark gives each one of the first tasks. */
    <B> List<B> ask(String description, Work<Integer, B> question) {
        int executors = spark.sc().statusTracker().getExecutorInfos().length; // and the driver
        List<Integer> asked = IntStream.range(0, Math.max(executors, spark.defaultParallelism()))
                .boxed()
                .toList();
        return map(description, asked, asked.size(), spark.sc().longAccumulator(), question);
    }

    /** Runs small items, several a task. */
    public <A, B> List<B> map(String description, List<A> items, Work<A, B> work) {
        if (items.isEmpty()) {
            return List.of();
        }
        return map(
                description,
                items,
                Math.min(items.size(), partitions()),
                spark.sc().longAccumulator(),
                work);
    }

    /** The most tasks that small items are divided into. */
    int partitions() {
        return 4 * spark.defaultParallelism();
    }

    /** The same of items that have several results each. */
    <A, B> List<B> flatMap(String description, List<A> items, Work<A, ? extends List<B>> work) {
        return map(description, items, work).stream().flatMap(List::stream).toList();
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
