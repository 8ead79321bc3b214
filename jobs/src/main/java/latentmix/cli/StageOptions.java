package latentmix.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import latentmix.config.ConfigFile;
import latentmix.stage.StageName;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every verb that runs stages of a configuration. */
final class StageOptions {
    @Option(
            names = "--config",
            required = true,
            paramLabel = "FILE",
            description = "the run's configuration, such as conf/sd15.yaml")
    private Path config;

    @Option(
            names = "--run",
            required = true,
            paramLabel = "FOLDER",
            description = "the run folder, local or s3a://; what is done there is not done again")
    private String run;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "replaces a value of the configuration, such as generation.steps=20 or mixing.method=nin/chm")
    private final List<String> overrides = new ArrayList<>();

    @Mixin
    private final GpuOption gpus = new GpuOption();

    /** Runs stages, in their own order. */
    int run(List<StageName> stages) throws IOException {
        return SparkJob.run(ConfigFile.read(config, overrides), gpus.settings(), run, stages);
    }
}
