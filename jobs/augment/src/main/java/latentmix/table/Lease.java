package latentmix.table;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathIOException;
import org.apache.hadoop.util.ShutdownHookManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A run's hold on its folder: the file {@code lease.json}, which its holder keeps changing. It prevents waste, not
 * corruption: a chunk's file comes out the same whoever writes it.
 *
 * <p>Whoever finds the file watches it. If it changes, its holder lives; if it stays as it is for the time of the
 * lease, by the watcher's own clock, its holder is dead and the file is taken over. No two machines' clocks are
 * compared, so that none that goes wrong can end a living lease or prolong a dead one.
 */
public final class Lease implements AutoCloseable {
    private static final String FILE = "lease.json";

    private static final Logger LOG = LoggerFactory.getLogger(Lease.class);

    /** Beats in the time of a lease: so many must fail before it is lost. */
    private static final int BEATS = 6;

    /** Another run holds the folder. */
    public static final class HeldException extends RuntimeException {
        HeldException(String message) {
            super(message);
        }
    }

    /** The watcher's own clock. */
    interface Time {
        /** Nanoseconds since some moment. */
        long nanos();

        void sleep(Duration time) throws InterruptedException;

        /** This machine's, which nobody can set. */
        Time MONOTONIC = new Time() {
            @Override
            public long nanos() {
                return System.nanoTime();
            }

            @Override
            public void sleep(Duration time) throws InterruptedException {
                TimeUnit.NANOSECONDS.sleep(time.toNanos());
            }
        };
    }

    private record Content(String holder, String host, long beat) {
        byte[] bytes() {
            return RunFolder.json(this).getBytes(StandardCharsets.UTF_8);
        }
    }

    private final RunFolder run;
    private final Path file;
    private final String holder = UUID.randomUUID().toString();
    private final String host = host();
    private final ScheduledExecutorService heart = Executors.newSingleThreadScheduledExecutor(beat -> {
        Thread thread = new Thread(beat, "lease");
        thread.setDaemon(true);
        return thread;
    });
    private final Runnable release = this::release; // by a process that is told to end, too
    private final Runnable onLoss;
    private long beat;
    private boolean released;
    private volatile boolean lost;

    private Lease(RunFolder run, Runnable onLoss) {
        this.run = run;
        this.file = run.path(FILE);
        this.onLoss = onLoss;
    }

    /**
     * Takes a folder's lease and keeps it until it is closed.
     *
     * @param time after which a lease that does not change is dead
     * @param onLoss called once if another run takes the folder over, since this one gave no sign of life for so long
     * @throws HeldException if another run holds it
     */
    public static Lease take(RunFolder run, Duration time, Runnable onLoss) throws IOException {
        Lease lease = take(run, time, onLoss, Time.MONOTONIC);
        long period = time.toNanos() / BEATS;
        Future<?> unused = lease.heart.scheduleAtFixedRate(lease::beat, period, period, TimeUnit.NANOSECONDS);
        ShutdownHookManager.get().addShutdownHook(lease.release, FileSystem.SHUTDOWN_HOOK_PRIORITY + 1);
        return lease;
    }

    /** Whether a run holds a folder, or was killed while it did. */
    public static boolean isHeld(RunFolder run) throws IOException {
        return run.exists(run.path(FILE));
    }

    /** The same without a heart of its own. */
    static Lease take(RunFolder run, Duration time, Runnable onLoss, Time clock) throws IOException {
        Lease lease = new Lease(run, onLoss);
        byte[] seen = null;
        long since = clock.nanos();
        while (true) {
            byte[] now = lease.read();
            if (now == null && seen == null) {
                if (run.create(lease.file, lease.content().bytes())) {
                    return lease;
                }
                continue; // another was faster
            }
            if (now == null) {
                seen = null; // given up, or between two beats where a store cannot replace a file
            } else if (seen == null) {
                seen = now;
                since = clock.nanos();
                LOG.warn(
                        "{} may be of a run that was killed; it is taken over after {} s without a sign of life",
                        lease.file,
                        time.toSeconds());
            } else if (!Arrays.equals(seen, now)) {
                throw held(run);
            } else if (clock.nanos() - since >= time.toNanos()) {
                run.delete(FILE);
                seen = null;
                continue;
            }
            try {
                clock.sleep(time.dividedBy(2L * BEATS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw held(run);
            }
        }
    }

    /**
     * Refuses to go on without the folder.
     *
     * @throws HeldException if another run took it over
     */
    public void check() {
        if (lost) {
            throw held(run);
        }
    }

    /** Gives a sign of life. */
    synchronized void beat() {
        if (released) {
            return;
        }
        try {
            byte[] now = read();
            if (isOurs(now)) {
                beat++;
                run.publish(file, content().bytes());
            } else if (!lost && (now != null || !run.create(file, content().bytes()))) {
                lost = true;
                onLoss.run();
            }
        } catch (IOException e) { // a store out of order may be in order at the next beat
            LOG.warn("The lease of the run folder could not be renewed: {}", e.getMessage());
        }
    }

    /** Lets go of the folder. */
    @Override
    public void close() {
        heart.shutdown();
        ShutdownHookManager.get().removeShutdownHook(release);
        release();
    }

    private synchronized void release() {
        released = true;
        try {
            if (isOurs(read())) {
                run.delete(FILE);
            }
        } catch (IOException e) { // it dies of itself
            LOG.warn("The lease of the run folder could not be given up: {}", e.getMessage());
        }
    }

    private boolean isOurs(byte[] content) {
        return content != null && new String(content, StandardCharsets.UTF_8).contains(holder);
    }

    private static HeldException held(RunFolder run) {
        return new HeldException("Try again when it has ended: another run holds the run folder " + run.path(".")
                + " and says so in its " + FILE + "; what it makes is not made twice");
    }

    private Content content() {
        return new Content(holder, host, beat);
    }

    /** The file's bytes, null where there is none. */
    private byte[] read() throws IOException {
        try {
            return readUnlessReplaced();
        } catch (FileNotFoundException e) {
            return null;
        }
    }

    private byte[] readUnlessReplaced() throws IOException {
        try {
            return run.read(file);
        } catch (PathIOException e) { // so s3a says where its holder's heart beat between the store's two answers
            return run.read(file);
        }
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "unknown";
        }
    }
}
