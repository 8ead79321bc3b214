package latentmix.stage;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A stage's progress line: done/total, rows a second, time left. It counts from Spark's own events: what finished tasks
 * added to the stage's accumulator, plus what the heartbeats of running ones report. A stage of which nothing more
 * comes says so.
 */
final class Progress extends SparkListener implements AutoCloseable {
    private static final long WATCH_MILLIS = 10_000;

    private static final Logger LOG = LoggerFactory.getLogger(Progress.class);

    private final Console console;
    private final Job job;
    private final long accumulatorId;
    private final Duration stalledAfter;
    private final LongSupplier nanoTime;
    private final long start;
    private final Map<Long, Long> running = new ConcurrentHashMap<>();
    private final Map<String, String> context = MDC.getCopyOfContextMap(); // of log lines
    private final Timer watch = new Timer("progress", true);
    private long finished;
    private boolean ended;
    private long lastDone;
    private long lastChange; // of what is done, or when it was last said that there was none

    /** Counts what tasks add to an accumulator, until closed. */
    Progress(Console console, Job job, long accumulatorId, Duration stalledAfter, LongSupplier nanoTime) {
        this.console = console;
        this.job = job;
        this.accumulatorId = accumulatorId;
        this.stalledAfter = stalledAfter;
        this.nanoTime = nanoTime;
        this.start = nanoTime.getAsLong();
        this.lastChange = start;
        watch.schedule(
                new TimerTask() {
                    @Override
                    public void run() {
                        watch();
                    }
                },
                WATCH_MILLIS,
                WATCH_MILLIS);
    }

    @Override
    public void onExecutorMetricsUpdate(SparkListenerExecutorMetricsUpdate update) {
        CollectionConverters.asJava(update.accumUpdates()).forEach(task -> CollectionConverters.asJava(task._4())
                .forEach(accumulable -> count(accumulable).ifPresent(value -> running.put((Long) task._1(), value))));
        show();
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd end) {
        running.remove(end.taskInfo().taskId());
        if (end.taskInfo().successful()) {
            CollectionConverters.asJava(end.taskInfo().accumulables())
                    .forEach(accumulable -> count(accumulable).ifPresent(this::add));
        }
        show();
    }

    private synchronized void add(long rows) {
        finished += rows;
    }

    private OptionalLong count(AccumulableInfo accumulable) {
        if (accumulable.id() != accumulatorId || accumulable.update().isEmpty()) {
            return OptionalLong.empty();
        }
        return OptionalLong.of((Long) accumulable.update().get());
    }

    private synchronized void show() {
        if (!ended) {
            console.progress(line());
        }
    }

    /** Says so where nothing was done for as long as a stage may take: once, and again after as long. */
    synchronized void watch() {
        long now = nanoTime.getAsLong();
        long done = done();
        if (done != lastDone || ended) {
            lastDone = done;
            lastChange = now;
        } else if (now - lastChange >= stalledAfter.toNanos()) {
            lastChange = now;
            MDC.setContextMap(context);
            LOG.warn(
                    "Stage {} has stalled: of {} {} none was finished in the last {} minutes, {} were before;"
                            + " see which tasks run, and their executors' logs, in the Spark UI;"
                            + " a stopped job goes on where it stopped ({} sets how long to wait)",
                    job.stage(),
                    job.rows(),
                    job.unit(),
                    Math.max(1, stalledAfter.toMinutes()),
                    done,
                    Tasks.STALLED_AFTER);
        }
    }

    private long done() {
        long unfinished = running.values().stream().mapToLong(Long::longValue).sum();
        return Math.min(job.rows(), finished + unfinished);
    }

    private String line() {
        return line(job.stage(), job.unit(), done(), job.rows(), seconds());
    }

    private double seconds() {
        return (nanoTime.getAsLong() - start) / 1e9;
    }

    /** A progress line, such as {@code invert 320/640 images 31.2 images/s 0:10 left}. */
    static String line(String stage, String unit, long done, long total, double seconds) {
        String left = "";
        if (done > 0 && done < total) {
            long remaining = Math.round(seconds / done * (total - done));
            left = String.format(Locale.ROOT, "  %d:%02d left", remaining / 60, remaining % 60);
        } else if (done == total) {
            left = String.format(Locale.ROOT, "  %.1f s", seconds);
        }
        return String.format(
                Locale.ROOT, "%-9s %d/%d %s  %.1f %s/s%s", stage, done, total, unit, done / seconds, unit, left);
    }

    /** Ends the line: everything is done. Events that are still under way are not waited for. */
    void finished() {
        end(line(job.stage(), job.unit(), job.rows(), job.rows(), seconds()));
    }

    /** Ends the line where the run was stopped. */
    void stopped() {
        end(line());
    }

    private synchronized void end(String line) {
        ended = true;
        console.say(line);
    }

    /** Ends the watch. */
    @Override
    public void close() {
        watch.cancel();
    }
}
