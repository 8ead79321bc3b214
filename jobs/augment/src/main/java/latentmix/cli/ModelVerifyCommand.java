package latentmix.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import latentmix.checkpoint.CheckpointCache;
import latentmix.config.ConfigException;
import latentmix.config.ConfigFile;
import latentmix.model.ComponentVerification;
import latentmix.plan.ExitCode;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code latentmix model verify}: a component's outputs against those that another implementation stored. */
@Command(
        name = "verify",
        description = {
            "Runs a checkpoint component on the named inputs of a reference file and compares its outputs with the"
                    + " file's.",
            "Prints the largest absolute difference of each case; exits 1 where it is over 1e-5 max|reference| + 2e-5."
        },
        mixinStandardHelpOptions = true)
final class ModelVerifyCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            paramLabel = "COMPONENT_DIR",
            description = "such as CHECKPOINT/unet: a config.json and safetensors")
    private String component;

    @Parameters(
            index = "1",
            paramLabel = "FILE.safetensors",
            description =
                    "tensors named <case>.sample, <case>.timestep, <case>.encoder_hidden_states, <case>.out and so on")
    private Path reference;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "reads the checkpoint in whose folder the component lies otherwise than it is published, as"
                    + " model show does, such as --set 'model.loras=[{file: FILE}]'")
    private List<String> overrides = new ArrayList<>();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        List<ComponentVerification.Case> cases = ComponentVerification.run(folder(), reference);
        PrintWriter out = spec.commandLine().getOut();
        for (ComponentVerification.Case one : cases) {
            out.println(String.format(
                    Locale.ROOT,
                    "%s  %-24s %-20s difference %.3g, allowed %.3g",
                    one.passes() ? "ok  " : "OVER",
                    one.name(),
                    one.output(),
                    one.difference(),
                    one.bound()));
        }
        return cases.stream().allMatch(ComponentVerification.Case::passes)
                ? ExitCode.DONE.code()
                : ExitCode.UNEXPECTED.code();
    }

    private Path folder() {
        if (overrides.isEmpty()) {
            return CheckpointCache.located(component, new Configuration());
        }
        Path path = Path.of(component);
        if (path.getParent() == null) {
            throw new ConfigException(List.of("--set: expected CHECKPOINT/unet or another component below its"
                    + " checkpoint, which is read otherwise, got " + component + "; name it so, or leave --set out"));
        }
        return ConfigFile.checkpoint(path.getParent().toString(), overrides)
                .open(new Configuration())
                .component(path.getFileName().toString());
    }
}
