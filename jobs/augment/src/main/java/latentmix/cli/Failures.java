package latentmix.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import latentmix.checkpoint.CheckpointException;
import latentmix.config.ConfigException;
import latentmix.plan.ExitCode;
import latentmix.table.FileNames;
import latentmix.table.Lease;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.util.ShutdownHookManager;

/** Says what went wrong in words, and with which exit code the process ends. */
final class Failures {
    /** As operating systems word it: a task's failure reaches the driver as text. */
    private static final Pattern FULL_DISK =
            Pattern.compile("[^\n]*(No space left on device|File too large|Disk quota exceeded)");

    /** What the S3 connector throws where it has none. */
    private static final String NO_CREDENTIALS = "NoAuthWithAWS|NoAwsCredentials|CredentialInitialization";

    /** What it throws, also as a task tells the driver, where asking again mends nothing; the line's rest says what. */
    private static final Pattern REFUSED = Pattern.compile("(AccessDenied|" + NO_CREDENTIALS + "|UnknownStore"
            + "|AWSBadRequest)Exception: [^\n]*(s3a:|S3, Status Code|AWS)[^\n]*");

    /** What it throws, and what the network does, when a store is overloaded or out of order. */
    private static final Pattern OUT_OF_ORDER =
            Pattern.compile("(java\\.net\\.(Socket|SocketTimeout|Connect|NoRouteToHost|UnknownHost)"
                    + "|org\\.apache\\.hadoop\\.net\\.ConnectTimeout"
                    + "|org\\.apache\\.hadoop\\.fs\\.s3a\\."
                    + "(AWSServiceThrottled|AWSStatus500|AWSServiceIO|AWSApiCallTimeout|AWSNoResponse))"
                    + "Exception[^\n]*");

    /** What Hadoop says where Spark has no connector to S3. */
    private static final String NO_CONNECTOR = "Class org.apache.hadoop.fs.s3a.S3AFileSystem not found";

    private static final Pattern LOCATION = Pattern.compile("s3a://[^\\s:'`]+");
    private static final Pattern KEY = Pattern.compile("Exception: ([^\\s:]+):");
    private static final Pattern STATUS = Pattern.compile("Status Code: (\\d+)(?:.*\\):(?!null)(\\w+))?");

    private Failures() {}

    /** Tells a person what went wrong, in one line where they can mend it, and returns the exit code. */
    static ExitCode report(Throwable failure, PrintWriter err) {
        if (ShutdownHookManager.get().isShutdownInProgress()) { // Spark's is one of its hooks, which cancels what runs
            err.println("Stopped by a signal; the same command goes on where this run stopped");
            return ExitCode.TRY_AGAIN;
        }
        for (Throwable cause : causes(failure)) {
            if (cause instanceof ConfigException config) {
                config.problems().forEach(err::println);
                return ExitCode.BAD_CONFIGURATION;
            }
            if (cause instanceof CheckpointException checkpoint) {
                err.println(checkpoint.getMessage());
                return ExitCode.BAD_CONFIGURATION;
            }
        }
        for (Throwable cause : causes(failure)) {
            if (cause instanceof FileNames.UnnameableException name) {
                err.println(name.getMessage());
                return ExitCode.BAD_CONFIGURATION;
            }
            if (cause instanceof Lease.HeldException held) {
                err.println(held.getMessage());
                return ExitCode.TRY_AGAIN;
            }
            if (cause instanceof UnsupportedFileSystemException scheme) {
                err.println("Expected a location that this machine's file systems reach, got another: "
                        + scheme.getMessage()
                        + "; write s3a:// for S3, put another store's connector on the class path,"
                        + " or copy the files");
                return ExitCode.BAD_CONFIGURATION;
            }
            if (String.valueOf(cause.getMessage()).contains(NO_CONNECTOR)) {
                err.println("s3a: expected Hadoop's connector, which this Spark has not; name hadoop-aws and what it"
                        + " needs in spark.jars (docs/clusters.md, S3)");
                return ExitCode.BAD_CONFIGURATION;
            }
            if (isOfTheWeb(cause)) {
                err.println("Expected a location in a file system, got a web address, whose files cannot be listed;"
                        + " download them, or write hf://org/name for a repository of Hugging Face's hub");
                return ExitCode.BAD_CONFIGURATION;
            }
            Matcher full = FULL_DISK.matcher(String.valueOf(cause.getMessage()));
            if (full.find()) {
                err.println("Try again when there is space for the run folder and the temporary files: " + full.group()
                        + "; what was published stays and is not computed again");
                return ExitCode.TRY_AGAIN;
            }
            Matcher refused = REFUSED.matcher(cause.toString());
            if (refused.find()) {
                boolean unknown = refused.group(1).matches(NO_CREDENTIALS)
                        || causes(cause).stream().anyMatch(Failures::lacksCredentials);
                err.println(refusal(unknown ? NO_CREDENTIALS : refused.group(1), refused.group()));
                return ExitCode.BAD_CONFIGURATION;
            }
            Matcher outOfOrder = OUT_OF_ORDER.matcher(cause.toString());
            if (outOfOrder.find()) {
                err.println("Try again when the store answers: " + outOfOrder.group()
                        + "; what was published stays and is not computed again");
                return ExitCode.TRY_AGAIN;
            }
        }
        failure.printStackTrace(err);
        return ExitCode.UNEXPECTED;
    }

    /** Hadoop reads single files of the web and does nothing else there. */
    private static boolean isOfTheWeb(Throwable cause) {
        return cause instanceof UnsupportedOperationException
                && cause.getStackTrace().length > 0
                && cause.getStackTrace()[0].getClassName().startsWith("org.apache.hadoop.fs.http.");
    }

    /** The connector may wrap it in a refusal of the store's. */
    private static boolean lacksCredentials(Throwable cause) {
        return cause.getClass().getSimpleName().matches("(" + NO_CREDENTIALS + ")Exception");
    }

    /** What a store refused and what to do, in a line. */
    private static String refusal(String exception, String line) {
        Matcher found = LOCATION.matcher(line);
        Matcher key = KEY.matcher(line);
        String location = found.find() ? found.group() : key.find() ? key.group(1) : "the store";
        Matcher status = STATUS.matcher(line);
        String answer = !status.find() ? "" : status.group(1) + (status.group(2) == null ? "" : " " + status.group(2));
        return switch (exception) {
            case "UnknownStore" ->
                location + ": expected a bucket, but the store has none of that name; create it, or correct the"
                        + " location or fs.s3a.endpoint";
            case NO_CREDENTIALS ->
                location + ": expected credentials, found none; set fs.s3a.access.key and fs.s3a.secret.key,"
                        + " AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machines a role";
            default ->
                location + ": expected a store that lets this run read its input and write its run folder, got "
                        + (answer.isEmpty() ? exception : answer)
                        + "; correct the credentials, or let the bucket's policy allow it";
        };
    }

    private static List<Throwable> causes(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>()); // which has no order
        List<Throwable> causes = new ArrayList<>();
        for (Throwable cause = failure; cause != null && seen.add(cause); cause = cause.getCause()) {
            causes.add(cause);
        }
        return causes;
    }
}
