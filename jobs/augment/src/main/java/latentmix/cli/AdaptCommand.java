package latentmix.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code latentmix adapt}: what the network is to know of the classes. */
@Command(
        name = "adapt",
        description = "Learns a token of each class from its images, where the configuration has adapt.",
        mixinStandardHelpOptions = true)
final class AdaptCommand implements Callable<Integer> {
    @Mixin
    private final StageOptions options = new StageOptions();

    @Override
    public Integer call() throws IOException {
        return options.run(List.of(StageName.ADAPT));
    }
}
