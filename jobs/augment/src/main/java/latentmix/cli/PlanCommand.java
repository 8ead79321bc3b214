package latentmix.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import latentmix.config.ConfigException;
import latentmix.config.RunConfig;
import latentmix.plan.ExitCode;
import latentmix.stage.Pipeline;
import latentmix.stage.Plan;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code latentmix plan}: what a run will do and cost. */
@Command(
        name = "plan",
        description = {
            "Says what `run` with the same options finds and has still to do: images, rows, tasks, network"
                    + " evaluations, bytes and, where a speed is known, hours and price.",
            "Starts no model and writes nothing."
        },
        mixinStandardHelpOptions = true)
final class PlanCommand implements Callable<Integer> {
    @Mixin
    private final RunOptions options = new RunOptions();

    @Option(
            names = "--evaluations-per-second",
            paramLabel = "N",
            description = "network evaluations of one device; default: as measured by the last run in this folder")
    private Double evaluationsPerSecond;

    @Option(
            names = "--devices",
            defaultValue = "1",
            paramLabel = "N",
            description = "devices that work at once (default: ${DEFAULT-VALUE})")
    private int devices;

    @Option(names = "--price-per-hour", paramLabel = "P", description = "of one device")
    private Double pricePerHour;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        check();
        RunConfig config = options.config();
        OutputFolder.requireFolder("--run", options.run(), SparkJob.hadoop(options.settings()));
        return SparkJob.run(config, options.settings(), spark -> {
            Plan plan = Pipeline.plan(spark, config, options.run());
            Plan.Rates rates = new Plan.Rates(
                    Pipeline.measured(spark, options.run()), devices, given(evaluationsPerSecond), given(pricePerHour));
            spec.commandLine().getOut().println(plan.text(rates));
            return ExitCode.DONE.code();
        });
    }

    private void check() {
        List<String> problems = new ArrayList<>();
        if (evaluationsPerSecond != null && !(evaluationsPerSecond > 0)) {
            problems.add("--evaluations-per-second: expected more than 0, got " + evaluationsPerSecond);
        }
        if (devices < 1) {
            problems.add("--devices: expected at least 1, got " + devices);
        }
        if (pricePerHour != null && !(pricePerHour >= 0)) {
            problems.add("--price-per-hour: expected at least 0, got " + pricePerHour);
        }
        if (!problems.isEmpty()) {
            throw new ConfigException(problems);
        }
    }

    private static OptionalDouble given(Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }
}
