package latentmix.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import latentmix.model.ComponentVerification;
import latentmix.plan.ExitCode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
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
            converter = ModelCommand.Location.class,
            description = "such as CHECKPOINT/unet: a config.json and safetensors")
    private Path component;

    @Parameters(
            index = "1",
            paramLabel = "FILE.safetensors",
            description =
                    "tensors named <case>.sample, <case>.timestep, <case>.encoder_hidden_states, <case>.out and so on")
    private Path reference;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        List<ComponentVerification.Case> cases = ComponentVerification.run(component, reference);
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
}
