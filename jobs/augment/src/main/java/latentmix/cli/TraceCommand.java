package latentmix.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.stage.Pipeline;
import latentmix.stage.Trace;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code latentmix trace}: where an image comes from. */
@Command(
        name = "trace",
        description = {
            "Says which images an image was made of, with which weights, how, under which settings, and its scores."
                    + " Writes the inputs and the image side by side as a PNG file.",
            "Exits with 1 where --replay gives other bytes."
        },
        mixinStandardHelpOptions = true)
final class TraceCommand implements Callable<Integer> {
    @Mixin
    private final RunOptions options = new RunOptions();

    @Parameters(paramLabel = "MIX_ID", description = "the image's mix_id; its file has this name")
    private String mixId;

    @Option(
            names = "--out",
            paramLabel = "FILE.png",
            description = "the picture's file (default: MIX_ID.png in this folder)")
    private Path out;

    @Option(
            names = "--replay",
            description = "makes the image again from the source images alone, and compares the bytes;"
                    + " inverts the image's class")
    private boolean replay;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        RunConfig config = options.config();
        OutputFolder.requireFolder("--run", options.run(), SparkJob.hadoop(options.settings()));
        return SparkJob.run(config, options.settings(), spark -> {
            PrintWriter say = spec.commandLine().getOut();
            Trace trace = Pipeline.trace(spark, config, options.run(), mixId);
            trace.lines().forEach(say::println);
            Path file = out == null ? Path.of(mixId + ".png") : out;
            Files.write(file, trace.picture());
            say.println("picture    " + file + ": the inputs, and the image");
            if (!replay) {
                return ExitCode.DONE.code();
            }
            boolean same = trace.replay(Streams.of(spec));
            say.println("replay     " + (same ? "the same bytes" : "OTHER BYTES"));
            return same ? ExitCode.DONE.code() : ExitCode.UNEXPECTED.code();
        });
    }
}
