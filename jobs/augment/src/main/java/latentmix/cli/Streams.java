package latentmix.cli;

import java.io.PrintWriter;
import java.util.function.LongSupplier;
import latentmix.stage.Console;
import picocli.CommandLine.Model.CommandSpec;

/** A process's output and error streams as a run's console. */
public abstract sealed class Streams implements Console {
    /** The launcher sets this variable of the environment where a person watches. */
    private static final String TERMINAL = "LATENTMIX_TERMINAL";

    final PrintWriter out;
    private final PrintWriter err;

    private Streams(PrintWriter out, PrintWriter err) {
        this.out = out;
        this.err = err;
    }

    /** The streams of a command. */
    public static Streams of(CommandSpec command) {
        PrintWriter out = command.commandLine().getOut();
        PrintWriter err = command.commandLine().getErr();
        return System.getenv(TERMINAL) == null ? new Piped(out, err, System::nanoTime) : new Watched(out, err);
    }

    @Override
    public synchronized void warn(String line) {
        err.println(line);
    }

    /** Streams that lead into a file or a program: progress is a plain line now and then. */
    static final class Piped extends Streams {
        private static final long SECONDS_BETWEEN_LINES = 10;

        private final LongSupplier nanoTime;
        private boolean quiet = true; // nothing was shown since the last line that stays
        private long last; // when progress was printed, or began

        Piped(PrintWriter out, PrintWriter err, LongSupplier nanoTime) {
            super(out, err);
            this.nanoTime = nanoTime;
        }

        @Override
        public synchronized void say(String line) {
            quiet = true;
            out.println(line);
        }

        @Override
        public synchronized void progress(String line) {
            long now = nanoTime.getAsLong();
            if (quiet) {
                quiet = false;
                last = now;
            } else if (now - last > SECONDS_BETWEEN_LINES * 1_000_000_000L) {
                last = now;
                out.println(line);
            }
        }
    }

    /** A terminal that a person watches: a line of progress is written over the one before. */
    static final class Watched extends Streams {
        private static final String CLEAR = "\u001b[K"; // to the end of the line

        private boolean unfinished; // the last line has no end yet

        Watched(PrintWriter out, PrintWriter err) {
            super(out, err);
        }

        @Override
        public synchronized void say(String line) {
            out.println(unfinished ? "\r" + line + CLEAR : line);
            unfinished = false;
        }

        @Override
        public synchronized void progress(String line) {
            out.print("\r" + line + CLEAR);
            out.flush();
            unfinished = true;
        }

        @Override
        public synchronized void warn(String line) {
            if (unfinished) { // what stays goes above the progress
                out.print("\r" + CLEAR);
                out.flush();
                unfinished = false;
            }
            super.warn(line);
        }
    }
}
