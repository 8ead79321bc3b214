package latentmix.stage;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import latentmix.table.RunFolder;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/**
 * A run's clean end before all is done: a file in the run folder that its tasks look for before they begin a chunk.
 * Chunks that have begun are finished and published.
 *
 * <p>It counts what the tasks of network stages take of devices, from Spark's own events, failed attempts included.
 */
final class Stop extends SparkListener implements AutoCloseable {
    /** A local property of Spark's. */
    private static final String NEEDS = "latentmix.needs";

    private final JavaSparkContext spark;
    private final RunFolder run;
    private final Marker marker;
    private final double allowed; // seconds of devices
    private final double devicesPerTask;
    private final Set<Integer> counted = ConcurrentHashMap.newKeySet(); // stages
    private final Map<Long, Long> running = new ConcurrentHashMap<>(); // launch times, milliseconds
    private double spent;
    private String reason = "";

    /** What tasks know of it. */
    record Marker(String file) implements Serializable {
        /** Of work that is never stopped. */
        static final Marker NONE = new Marker("");

        /** Whether no task may begin. */
        boolean isUp(RunFolder run) throws IOException {
            return !file.isEmpty() && run.exists(run.path(file));
        }
    }

    /** Of a run in this folder, which it watches until it is closed. */
    Stop(JavaSparkContext spark, RunFolder run, double gpuHours) {
        this.spark = spark;
        this.run = run;
        this.marker = new Marker("_staging/stop-" + UUID.randomUUID());
        this.allowed = gpuHours * 3600;
        this.devicesPerTask = Tasks.devicesPerTask(spark.getConf());
        spark.sc().addSparkListener(this);
    }

    Marker marker() {
        return marker;
    }

    /** Why the run stops; empty where it does not. */
    synchronized String reason() {
        return reason;
    }

    /** Marks the jobs that this thread submits from here on: whether their tasks hold devices. */
    static void count(JavaSparkContext spark, Needs needs) {
        spark.setLocalProperty(NEEDS, needs.name());
    }

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted stage) {
        Properties properties = stage.properties();
        if (properties != null && Needs.DEVICE.name().equals(properties.getProperty(NEEDS))) {
            counted.add(stage.stageInfo().stageId());
        }
    }

    @Override
    public void onTaskStart(SparkListenerTaskStart start) {
        if (counted.contains(start.stageId())) {
            running.put(start.taskInfo().taskId(), start.taskInfo().launchTime());
            look();
        }
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
        if (running.remove(end.taskInfo().taskId()) != null) {
            spend(end.taskInfo().duration());
            look();
        }
    }

    @Override
    public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
        look();
    }

    private synchronized void spend(long milliseconds) {
        spent += milliseconds / 1e3 * devicesPerTask;
    }

    private synchronized void look() {
        if (allowed == Double.POSITIVE_INFINITY || !reason.isEmpty()) {
            return;
        }
        long now = System.currentTimeMillis();
        double underWay =
                running.values().stream().mapToLong(launched -> now - launched).sum() / 1e3 * devicesPerTask;
        if (spent + underWay >= allowed) {
            stop(String.format(Locale.ROOT, "--max-gpu-hours %s is spent", allowed / 3600));
        }
    }

    /** Lets no further chunk begin. */
    synchronized void stop(String why) {
        if (!reason.isEmpty()) {
            return;
        }
        reason = why;
        try {
            run.publish(run.path(marker.file()), new byte[0]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        spark.sc().removeSparkListener(this);
        if (!reason().isEmpty()) {
            run.delete(marker.file());
        }
    }
}
