package latentmix.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code latentmix filter}: verdicts on the images made. */
@Command(
        name = "filter",
        description = "Judges the images made; what it drops, mix and generate replace when they are run again.",
        mixinStandardHelpOptions = true)
final class FilterCommand implements Callable<Integer> {
    @Mixin
    private final StageOptions options = new StageOptions();

    @Override
    public Integer call() throws IOException {
        return options.run(List.of(StageName.FILTER));
    }
}
