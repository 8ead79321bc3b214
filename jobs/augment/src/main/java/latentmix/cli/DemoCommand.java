package latentmix.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import latentmix.config.ConfigFile;
import latentmix.config.Demo;
import latentmix.plan.ExitCode;
import latentmix.table.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code latentmix demo}: the whole job on a built-in model and its sample images. */
@Command(
        name = "demo",
        description = "Runs the whole job on a built-in model and sample images.",
        mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
    /** A demo by its name in small letters. */
    static final class DemoName implements ITypeConverter<Demo> {
        @Override
        public Demo convert(String value) {
            return Stream.of(Demo.values())
                    .filter(demo -> name(demo).equals(value))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException(
                            "expected emoji or fashion, got " + value + "; name one of them"));
        }
    }

    @Option(
            names = "--model",
            converter = DemoName.class,
            defaultValue = "emoji",
            paramLabel = "emoji|fashion",
            description = "emoji in colour, 64×64 pixels, or clothes in grey, 32×32 pixels (default: ${DEFAULT-VALUE})")
    private Demo demo;

    @Option(
            names = "--run",
            paramLabel = "FOLDER",
            description = "the run folder (default: runs/demo, or runs/demo-fashion); what is done there is not done"
                    + " again")
    private String run;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "replaces a value of the configuration")
    private final List<String> overrides = new ArrayList<>();

    @Mixin
    private final GpuOption gpus = new GpuOption();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        String folder = folder();
        int code = SparkJob.run(
                ConfigFile.demo(demo, overrides),
                gpus.settings(),
                folder,
                List.of(StageName.values()),
                Streams.of(spec));
        if (code == ExitCode.DONE.code()) {
            spec.commandLine().getOut().println("Look at it, and play with the method: ./latentmix view " + folder);
        }
        return code;
    }

    /** Each demo has a folder of its own, since a run folder holds one run. */
    private String folder() {
        if (run != null) {
            return run;
        }
        return demo == Demo.EMOJI ? "runs/demo" : "runs/demo-" + name(demo);
    }

    private static String name(Demo demo) {
        return demo.name().toLowerCase(Locale.ROOT);
    }
}
