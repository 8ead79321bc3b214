package latentmix.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.bench.MixingBench;
import latentmix.bench.PipelineBench;
import latentmix.config.RunConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code latentmix bench}: how near the job comes to the bare model calls, and mixing to the bare matrix product. */
@Command(
        name = "bench",
        description = {
            "Measures the built-in model: mixing against the bare matrix product, then",
            "invert and generate in Spark against the bare model calls of the same work."
        },
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    @Option(
            names = "--rounds",
            defaultValue = "3",
            paramLabel = "N",
            description = "measured rounds, after one that is not (default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "replaces a value of the demo's configuration")
    private final List<String> overrides = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        RunConfig config = DemoCommand.config(overrides);
        return SparkJob.run(config, spark -> {
            MixingBench.run(rounds, System.out);
            new PipelineBench(spark, config).run(rounds, System.out);
            return ExitCode.DONE;
        });
    }
}
