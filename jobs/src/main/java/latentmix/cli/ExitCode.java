package latentmix.cli;

import java.io.PrintWriter;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import latentmix.checkpoint.CheckpointException;
import latentmix.config.ConfigException;
import latentmix.plan.Lease;

/** What a process ends with, so that a scheduler knows whether to try again. */
final class ExitCode {
    static final int DONE = 0;
    static final int UNEXPECTED = 1;
    static final int BAD_CONFIGURATION = 2;
    static final int TRY_AGAIN = 75;

    /** As operating systems word it: a task's failure reaches the driver as text. */
    private static final Pattern FULL_DISK =
            Pattern.compile("[^\n]*(No space left on device|File too large|Disk quota exceeded)");

    private ExitCode() {}

    /** Tells a person what went wrong, briefly where they can mend it, and returns the code. */
    static int report(Throwable failure, PrintWriter err) {
        for (Throwable cause : causes(failure)) {
            if (cause instanceof ConfigException config) {
                config.problems().forEach(err::println);
                return BAD_CONFIGURATION;
            }
            if (cause instanceof CheckpointException checkpoint) {
                err.println(checkpoint.getMessage());
                return BAD_CONFIGURATION;
            }
        }
        for (Throwable cause : causes(failure)) {
            if (cause instanceof Lease.HeldException held) {
                err.println(held.getMessage());
                return TRY_AGAIN;
            }
            Matcher full = FULL_DISK.matcher(String.valueOf(cause.getMessage()));
            if (full.find()) {
                err.println("Try again when there is space for the run folder and the temporary files: " + full.group()
                        + "; what was published stays and is not computed again");
                return TRY_AGAIN;
            }
            if (isTransient(cause)) {
                err.println("Try again: " + cause);
                return TRY_AGAIN;
            }
        }
        failure.printStackTrace(err);
        return UNEXPECTED;
    }

    /** Network faults, and what the S3 connector throws when a store is overloaded or out of order. */
    private static boolean isTransient(Throwable cause) {
        return cause instanceof SocketException
                || cause instanceof SocketTimeoutException
                || cause instanceof UnknownHostException
                || cause.getClass()
                        .getName()
                        .matches("org\\.apache\\.hadoop\\.fs\\.s3a\\.(AWSServiceThrottled|AWSStatus500|"
                                + "AWSServiceIO|AWSApiCallTimeout|AWSNoResponse)Exception");
    }

    private static Set<Throwable> causes(Throwable failure) {
        Set<Throwable> causes = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Throwable cause = failure; cause != null && causes.add(cause); cause = cause.getCause()) {}
        return causes;
    }
}
