package latentmix.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code latentmix generate}: images from mixtures. */
@Command(name = "generate", description = "Generates an image from every mixture.", mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
    @Mixin
    private final StageOptions options = new StageOptions();

    @Override
    public Integer call() throws IOException {
        return options.run(List.of(StageName.GENERATE));
    }
}
