package latentmix.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Collectors;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.report.RunSummary;
import latentmix.stage.Pipeline;
import latentmix.stage.RunTerms;
import latentmix.table.RunFolder;
import latentmix.table.StageName;
import org.apache.spark.SparkConf;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of every verb that runs stages of a configuration. */
final class StageOptions {
    /** Of a failure, in a summary. */
    private static final int LINES = 20;

    @Mixin
    private final RunOptions options = new RunOptions();

    @Option(
            names = "--max-gpu-hours",
            paramLabel = "H",
            description = {
                "begins no further chunk once so many hours of devices are spent (without GPUs: of tasks),"
                        + " and exits with 75;",
                "the same command goes on where it stopped"
            })
    private Double gpuHours;

    @Option(
            names = "--label",
            defaultValue = "",
            paramLabel = "TEXT",
            description = "what run_summary.json carries, so that a scheduler knows its own attempt's")
    private String label;

    @Option(
            names = "--retry-rejected",
            description = {
                "tries again what earlier runs refused in these stages, with the rest of its chunk:"
                        + " files that could not",
                "be read, rows that a network gave no numbers for; without it, what was refused counts as done"
            })
    private boolean retryRejected;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec mixee;

    /** Runs stages, in their own order; where that fails, {@code run_summary.json} says so too. */
    int run(List<StageName> stages) throws IOException {
        try {
            RunConfig config = options.config();
            RunTerms terms = terms();
            OutputFolder.requireWritable("--run", options.run(), SparkJob.hadoop(options.settings()));
            return SparkJob.run(
                    config, options.settings(), spark -> Pipeline.summary(spark, config, options.run(), stages, terms)
                            .exitCode()
                            .code());
        } catch (IOException | RuntimeException | Error e) {
            publish(e);
            throw e;
        }
    }

    private RunTerms terms() {
        try {
            return new RunTerms(
                    label, gpuHours == null ? Double.POSITIVE_INFINITY : gpuHours, retryRejected, Streams.of(mixee));
        } catch (IllegalArgumentException e) {
            throw new ConfigException(List.of("--max-gpu-hours: " + e.getMessage()));
        }
    }

    /** A driver that runs somewhere in the cluster takes its exit code with it. */
    private void publish(Throwable failure) {
        StringWriter text = new StringWriter();
        ExitCode exitCode = Failures.report(failure, new PrintWriter(text, true));
        try {
            RunFolder run = new RunFolder(options.run(), SparkJob.hadoop(new SparkConf()));
            RunSummary.publishFailure(
                    run, exitCode, label, text.toString().lines().limit(LINES).collect(Collectors.joining("\n")));
        } catch (IOException
                | RuntimeException e) { // the first failure counts, and it may be why nothing can be written
            failure.addSuppressed(e);
        }
    }
}
