package latentmix.stage;

import java.io.PrintStream;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.scheduler.AccumulableInfo;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerExecutorMetricsUpdate;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import scala.jdk.javaapi.CollectionConverters;

/**
 * A stage's progress line: done/total, rows a second, time left. It counts from Spark's own events: what finished tasks
 * added to the stage's accumulator, plus what the heartbeats of running ones report.
 */
final class Progress extends SparkListener {
    /** Set by the launcher where a person watches: one line is rewritten; elsewhere plain lines come now and then. */
    private static final boolean TERMINAL = System.getenv("LATENTMIX_TERMINAL") != null;

    private static final String CLEAR = "\u001b[K"; // to the end of the line

    private static final long PLAIN_LINE_SECONDS = 10;

    private final String stage;
    private final String unit;
    private final long total;
    private final long accumulatorId;
    private final PrintStream out;
    private final long start = System.nanoTime();
    private final Map<Long, Long> running = new ConcurrentHashMap<>();
    private long finished;
    private boolean ended;
    private long lastPlainLine = start;

    Progress(String stage, String unit, long total, long accumulatorId, PrintStream out) {
        this.stage = stage;
        this.unit = unit;
        this.total = total;
        this.accumulatorId = accumulatorId;
        this.out = out;
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
        if (ended) {
            return;
        }
        if (TERMINAL) {
            out.print("\r" + line() + CLEAR);
            out.flush();
        } else if (System.nanoTime() - lastPlainLine > PLAIN_LINE_SECONDS * 1_000_000_000L) {
            lastPlainLine = System.nanoTime();
            out.println(line());
        }
    }

    private String line() {
        long unfinished = running.values().stream().mapToLong(Long::longValue).sum();
        return line(stage, unit, Math.min(total, finished + unfinished), total, seconds());
    }

    private double seconds() {
        return (System.nanoTime() - start) / 1e9;
    }

    /** A progress line, such as {@code invert  320/640 images  31.2 images/s  0:10 left}. */
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
        end(line(stage, unit, total, total, seconds()));
    }

    /** Ends the line where the run was stopped. */
    void stopped() {
        end(line());
    }

    private synchronized void end(String line) {
        ended = true;
        out.println(TERMINAL ? "\r" + line + CLEAR : line);
    }
}
