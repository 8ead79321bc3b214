package latentmix.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code latentmix invert}: images to the noise that a model would make them from. */
@Command(name = "invert", description = "Inverts the images of every class to noise.", mixinStandardHelpOptions = true)
final class InvertCommand implements Callable<Integer> {
    @Mixin
    private final StageOptions options = new StageOptions();

    @Override
    public Integer call() throws IOException {
        return options.run(List.of(StageName.INVERT));
    }
}
