package latentmix.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code latentmix run}: every stage, each doing only what is missing. */
@Command(
        name = "run",
        description = "Runs every stage: invert, mix, generate, evaluate (where the configuration says what), export.",
        mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
    @Mixin
    private final StageOptions options = new StageOptions();

    @Override
    public Integer call() throws IOException {
        return options.run(List.of(StageName.values()));
    }
}
