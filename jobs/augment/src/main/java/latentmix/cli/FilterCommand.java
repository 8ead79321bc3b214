package latentmix.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code latentmix filter}: verdicts on the images made. */
@Command(name = "filter", description = "Judges the images made.", mixinStandardHelpOptions = true)
final class FilterCommand implements Callable<Integer> {
    @Mixin
    private final StageOptions options = new StageOptions();

    @Option(
            names = "--replace",
            description =
                    "also mixes and generates what takes the place of dropped images, round by round, as run" + " does")
    private boolean replaces;

    @Override
    public Integer call() throws IOException {
        return options.run(
                replaces ? List.of(StageName.MIX, StageName.GENERATE, StageName.FILTER) : List.of(StageName.FILTER));
    }
}
