package latentmix.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import latentmix.plan.ExitCode;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;

/** The command line's entry. */
@Command(
        name = "latentmix",
        description =
                "Makes a larger labelled image dataset by mixing images of a class in a diffusion model's noise space.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        subcommands = {
            DemoCommand.class,
            RunCommand.class,
            PlanCommand.class,
            AdaptCommand.class,
            InvertCommand.class,
            MixCommand.class,
            GenerateCommand.class,
            FilterCommand.class,
            EvaluateCommand.class,
            ExportCommand.class,
            TraceCommand.class,
            ViewCommand.class,
            DoctorCommand.class,
            ModelCommand.class
        })
public final class Main {
    /** Runs a verb of the job and ends the process with its exit code. */
    public static void main(String[] args) {
        run(List.of(), args);
    }

    /**
     * Runs a verb and ends the process with its exit code.
     *
     * @param more verbs beside the job's own
     */
    public static void run(List<?> more, String... args) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        System.exit(execute(more, out, new PrintWriter(System.err, true, StandardCharsets.UTF_8), args));
    }

    /** Runs a verb; returns its exit code. */
    public static int execute(List<?> more, PrintWriter out, PrintWriter err, String... args) {
        CommandLine line = new CommandLine(new Main());
        line.getCommandSpec().usageMessage().footer("", ExitCode.text());
        more.forEach(line::addSubcommand);
        return line.addSubcommand(new HelpCommand())
                .setOut(out)
                .setErr(err)
                .setParameterExceptionHandler(new Misspelt())
                .setExecutionExceptionHandler((failure, command, parsed) ->
                        Failures.report(failure, err).code())
                .execute(args);
    }

    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"latentmix " + (version == null ? "(not packaged)" : version)};
        }
    }
}
