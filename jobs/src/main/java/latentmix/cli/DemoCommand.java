package latentmix.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import latentmix.config.ConfigFile;
import latentmix.config.RunConfig;
import latentmix.stage.StageName;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code latentmix demo}: the whole job on the built-in model and its sample images. */
@Command(
        name = "demo",
        description = "Runs the whole job on the built-in model and sample images.",
        mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
    private static final String CONFIG = "/latentmix/conf/demo.yaml";

    @Option(
            names = "--run",
            defaultValue = "runs/demo",
            paramLabel = "FOLDER",
            description = "the run folder (default: ${DEFAULT-VALUE}); what is done there is not done again")
    private String run;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "replaces a value of the configuration")
    private final List<String> overrides = new ArrayList<>();

    @Mixin
    private final GpuOption gpus = new GpuOption();

    @Override
    public Integer call() throws IOException {
        return SparkJob.run(config(overrides), gpus.settings(), run, List.of(StageName.values()));
    }

    /** The demo's configuration, which is inside the jar. */
    static RunConfig config(List<String> overrides) throws IOException {
        try (InputStream in = DemoCommand.class.getResourceAsStream(CONFIG)) {
            if (in == null) {
                throw new FileNotFoundException("expected " + CONFIG + " in the jar; build it again");
            }
            return ConfigFile.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), CONFIG, overrides);
        }
    }
}
