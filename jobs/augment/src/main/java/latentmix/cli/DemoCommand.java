package latentmix.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.config.ConfigFile;
import latentmix.plan.ExitCode;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code latentmix demo}: the whole job on the built-in model and its sample images. */
@Command(
        name = "demo",
        description = "Runs the whole job on the built-in model and sample images.",
        mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
    @Option(
            names = "--run",
            defaultValue = "runs/demo",
            paramLabel = "FOLDER",
            description = "the run folder (default: ${DEFAULT-VALUE}); what is done there is not done again")
    private String run;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "replaces a value of the configuration")
    private final List<String> overrides = new ArrayList<>();

    @Mixin
    private final GpuOption gpus = new GpuOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        int code = SparkJob.run(
                ConfigFile.demo(overrides), gpus.settings(), run, List.of(StageName.values()), Streams.of(spec));
        if (code == ExitCode.DONE.code()) {
            spec.commandLine().getOut().println("Look at it, and play with the method: ./latentmix view " + run);
        }
        return code;
    }
}
